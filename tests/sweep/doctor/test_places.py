"""File systems: what other hosts see, and how far locks reach."""

from pathlib import Path

import pytest

from repro.sweep.doctor import places
from repro.sweep.doctor.finding import Weight
from repro.sweep.doctor.places import Mount, Reach, mount_of, read_mounts

INFO = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
30 22 0:26 / /home rw,nosuid shared:12 master:3 - nfs4 server:/export/home rw,vers=4.2,local_lock=none
31 22 0:27 / /with\\040space rw - lustre mds@tcp:/fs rw,flock,lazystatfs
32 22 0:28 / /home rw - nfs server:/new rw,vers=3,local_lock=all
33 22 0:29 / /tmp rw - tmpfs tmpfs rw
"""


def mount(kind: str, *options: str) -> Mount:
    return Mount(Path("/here"), kind, "somewhere", options)


def test_mounts_are_read_and_the_deepest_and_latest_holds():
    mounts = read_mounts(INFO)
    assert mount_of(Path("/with space/x"), mounts).kind == "lustre"
    assert mount_of(Path("/home/me/outputs"), mounts).source == "server:/new"
    assert mount_of(Path("/homes"), mounts).kind == "ext4"
    assert mount_of(Path("/homes"), []) is None


@pytest.mark.parametrize(
    ("found", "reach"),
    [
        (mount("ext4"), Reach.HOST),
        (mount("tmpfs"), Reach.HOST),
        (mount("fuse.fuse-overlayfs"), Reach.HOST),
        (mount("nfs4", "local_lock=none"), Reach.HOSTS),
        (mount("nfs", "local_lock=flock"), Reach.HOST),
        (mount("nfs", "nolock"), Reach.HOST),
        (mount("lustre", "flock"), Reach.HOSTS),
        (mount("lustre", "localflock"), Reach.HOST),
        (mount("lustre"), Reach.UNKNOWN),
        (mount("beegfs"), Reach.UNKNOWN),
        (mount("fuse.sshfs"), Reach.UNKNOWN),
        (mount("ceph"), Reach.HOSTS),
    ],
)
def test_how_far_flock_reaches(found, reach):
    assert found.reach is reach


def test_a_disk_of_this_host_blocks_only_where_jobs_run_elsewhere():
    local, shared = [mount("ext4")], [mount("nfs4")]
    for mounts, elsewhere, weight in ((local, ["node7"], Weight.BLOCKS), (local, [], Weight.FINE),
                                      (shared, ["node7"], Weight.FINE), ([], ["node7"], Weight.MIND)):  # fmt: skip
        (finding,) = places.is_seen("outputs", Path("/here/outputs"), mounts, elsewhere, "move it")
        assert finding.weight is weight
        assert ("node7" in finding.sentence and "move it" in finding.sentence) is (weight is Weight.BLOCKS)


def test_locks():
    def weight(found: Mount | None, locks: bool = True, several: bool = True) -> Weight:
        return places.locking(found, locks, several_hosts=several).weight

    assert weight(mount("nfs4")) is Weight.FINE
    assert weight(mount("ext4"), several=False) is Weight.FINE
    assert weight(mount("nfs", "nolock")) is Weight.MIND
    assert weight(mount("beegfs")) is Weight.MIND
    assert weight(mount("nfs4"), locks=False) is Weight.MIND
    assert weight(None) is Weight.MIND


def test_the_outputs_are_tried_where_they_will_be(tmp_path):
    found = list(places.outputs(tmp_path / "not" / "yet", places.mounts_here(), []))
    assert {item.subject for item in found} == {"outputs", "locks", "room"}
    assert not any(item.weight is Weight.BLOCKS for item in found)
    assert list(tmp_path.iterdir()) == []


def test_outputs_that_cannot_be_written_block(tmp_path, monkeypatch):
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr(places.tempfile, "TemporaryFile", refuse)
    (found,) = [item for item in places.outputs(tmp_path, [], []) if item.weight is Weight.BLOCKS]
    assert found.sentence.startswith(f"{tmp_path} cannot be written: Permission denied; ask for access")


def test_little_room_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(places.shutil, "disk_usage", lambda _: places.shutil._ntuple_diskusage(2**40, 2**40, 2**30))
    (room,) = [item for item in places.outputs(tmp_path, [], []) if item.subject == "room"]
    assert room.weight is Weight.MIND
    assert room.sentence.startswith("only 1.0 GiB are free")


def test_data_that_a_table_needs_block_where_they_are_missing(tmp_path):
    (tmp_path / "there").mkdir()
    roots = {"voc": tmp_path / "gone", "camvid": tmp_path / "there"}
    found = list(places.data(roots, [mount("nfs4")], [], needed=True))
    assert [(item.subject, item.weight) for item in found] == [
        ("data camvid", Weight.MIND),
        ("data voc", Weight.BLOCKS),
    ]
    found = list(places.data(roots, [], [], needed=False))
    assert Weight.BLOCKS not in {item.weight for item in found}
    assert "voc" in found[-1].sentence

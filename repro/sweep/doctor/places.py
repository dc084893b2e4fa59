"""What lies where: the outputs, the Python, the data, and which hosts see them and each other's locks.

Source: flock(2), nfs(5), mount.lustre(8) and mount.cifs(8) on what reaches across hosts.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from repro.errors import refusal
from repro.store.files import try_flock
from repro.store.holder import STALE_SECONDS
from repro.sweep.doctor.finding import Finding, blocks, fine, mind

LITTLE_GIB = 5.0

_SHARED = re.compile(r"nfs\d?|lustre|gpfs|beegfs|fhgfs|ceph|cifs|smb3|afs|panfs|wekafs|pvfs2|quobyte|9p|virtiofs|"
                     r"fuse\.(?!snapfuse|fuse-overlayfs|portal|gvfsd).+")  # fmt: skip


class Reach(StrEnum):
    """How far a kernel's lock on a file reaches."""

    HOST = "this host alone"
    HOSTS = "all hosts"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Mount:
    """A mounted file system.

    Attributes:
        point: where.
        kind: such as ext4 or nfs4.
        source: what, such as server:/home.
        options: of the mount and of the file system.
    """

    point: Path
    kind: str
    source: str
    options: tuple[str, ...]

    @property
    def is_shared(self) -> bool:
        """Whether other hosts can have it too."""
        return _SHARED.fullmatch(self.kind) is not None

    @property
    def reach(self) -> Reach:
        """How far flock reaches there, by kind and options."""
        given = set(self.options)
        if not self.is_shared or given & {"local_lock=all", "local_lock=flock", "nolock", "localflock", "nobrl"}:
            return Reach.HOST
        if self.kind == "lustre":
            return Reach.HOSTS if "flock" in given else Reach.UNKNOWN
        known = ("nfs", "nfs3", "nfs4", "ceph", "cifs", "smb3", "fuse.ceph", "fuse.glusterfs")
        return Reach.HOSTS if self.kind in known else Reach.UNKNOWN


def read_mounts(text: str) -> list[Mount]:
    """Reads /proc/self/mountinfo, see proc(5)."""
    found = []
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(), after.split()
        if len(fields) >= 6 and len(kinds) >= 3:
            point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[4])
            found.append(Mount(Path(point), kinds[0], kinds[1], (*fields[5].split(","), *kinds[2].split(","))))
    return found


def mounts_here() -> list[Mount]:
    """What is mounted on this host; none where the kernel does not tell."""
    try:
        return read_mounts(Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return []


def mount_of(path: Path, mounts: Sequence[Mount]) -> Mount | None:
    """The file system that a path lies on, be it there or not; the later of two mounts at one place hides the other."""
    real = Path(os.path.realpath(path))
    over = [mount for mount in mounts if real.is_relative_to(mount.point)]
    return max(reversed(over), key=lambda mount: len(mount.point.parts), default=None)


def is_seen(
    subject: str, path: Path, mounts: Sequence[Mount], elsewhere: Sequence[str], advice: str
) -> Iterator[Finding]:
    """Whether jobs on other hosts see a place.

    Args:
        elsewhere: nodes that are other hosts than this one.
        advice: what to do where they do not.
    """
    mount = mount_of(path, mounts)
    if mount is None:
        yield mind(subject, f"{path}: on which file system it lies is not told here")
    elif mount.is_shared:
        yield fine(subject, f"{path} lies on {mount.kind} ({mount.source}), which other hosts can share")
    elif elsewhere:
        yield blocks(subject, f"{path} lies on {mount.kind} at {mount.point}, a disk of this host, which "
                     f"{elsewhere[0]} does not see unless it is exported; {advice}")  # fmt: skip
    else:
        yield fine(subject, f"{path} lies on a disk of this host ({mount.kind}), where all jobs run")


def outputs(path: Path, mounts: Sequence[Mount], elsewhere: Sequence[str]) -> Iterator[Finding]:
    """Whether the outputs can be written, seen and locked, and whether there is room."""
    advice = "outputs=... on a shared disk"
    yield from is_seen("outputs", path, mounts, elsewhere, advice)
    mount = mount_of(path, mounts)
    if mount is not None and mount.kind in ("tmpfs", "ramfs"):
        yield mind(
            "outputs",
            f"{path} is in memory ({mount.kind}): a restart of this host loses it, and it takes memory of jobs",
        )
    there = next(place for place in (path.absolute(), *path.absolute().parents) if place.is_dir())
    try:
        with tempfile.TemporaryFile(dir=there) as probe:
            locks = try_flock(probe.fileno())
    except OSError as error:
        said = refusal(there, error)
        yield blocks("outputs", f"{there} cannot be {'locked' if error.filename is None else 'written'}: {said}")
        return
    yield locking(mount, locks, several_hosts=bool(elsewhere))
    free_gib = shutil.disk_usage(there).free / 2**30
    room = (
        f"{free_gib:.0f} GiB are free at {there}"
        if free_gib >= LITTLE_GIB
        else f"only {free_gib:.1f} GiB are free at {there}"
    )
    quota = "; what a quota leaves is not told"
    yield (fine if free_gib >= LITTLE_GIB else mind)("room", room + quota)


def locking(mount: Mount | None, locks: bool, *, several_hosts: bool) -> Finding:
    """What keeps two jobs off one run."""
    heartbeat = (f"a run that starts on another host while its old process may live waits {STALE_SECONDS:.0f} s for "
                 "the old one's heartbeat to stand still")  # fmt: skip
    reach = mount.reach if mount is not None else Reach.UNKNOWN
    if not locks or reach is Reach.UNKNOWN:
        return mind("locks", f"whether flock reaches across hosts on {mount.kind if mount else 'this disk'} is not "
                    f"known: {heartbeat}; a probe job tells (submit=true)")  # fmt: skip
    if reach is Reach.HOSTS:
        return fine("locks", f"flock works, and reaches across hosts as {mount.kind if mount else ''} is mounted")
    if several_hosts:
        return mind("locks", f"flock works on this host and does not reach others: {heartbeat}")
    return fine("locks", "flock works, and all jobs are on this host")


def data(
    roots: Mapping[str, Path], mounts: Sequence[Mount], elsewhere: Sequence[str], needed: bool
) -> Iterator[Finding]:
    """Whether the folders of data sets are there, and seen by other hosts.

    Args:
        roots: by name of the data set.
        needed: whether the sweep needs all of them, or they are all that there are.
    """
    missing = {name: root for name, root in roots.items() if not root.is_dir()}
    for name, root in roots.items():
        if name not in missing:
            yield from is_seen(f"data {name}", root, mounts, elsewhere, "dataset.root=... on a shared disk")
    if missing and needed:
        for name, root in missing.items():
            yield blocks(
                f"data {name}",
                f"{root} is not there; put it there, or give dataset.root=..., see conf/dataset/{name}.yaml",
            )
    elif missing:
        yield fine("data", f"not here are {', '.join(missing)}; a table that needs one says so")

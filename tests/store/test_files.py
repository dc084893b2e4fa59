import errno
import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from repro.errors import DamagedError, StoreError
from repro.store.files import (
    atomic_write,
    exclusive,
    guarded,
    is_there,
    open_or_make,
    read_bytes,
    read_json_object,
    remove,
    remove_leftovers,
    sealed_json,
    set_aside,
    unsealed_json,
)


def test_replaces_the_content_and_leaves_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    atomic_write(path, "old")
    atomic_write(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_keeps_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    atomic_write(path, "old")

    def refuse(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(StoreError, match="No space left"):
        atomic_write(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def _write_for_ever(path: Path) -> None:
    letters = "ab"
    for turn in range(10**9):
        atomic_write(path, letters[turn % 2] * 1_000_000)


def test_readers_never_see_a_part_and_a_kill_leaves_the_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    atomic_write(path, "a" * 1_000_000)
    context = multiprocessing.get_context("spawn")
    for _ in range(2):
        writer = context.Process(target=_write_for_ever, args=(path,))
        writer.start()
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline:
            content = path.read_text()
            assert len(content) == 1_000_000
            assert len(set(content)) == 1
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        assert len(set(path.read_text())) == 1
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("text", ["", "{", '{"a": NaN}', "[1]", "3", '{"a": 1} x', "\udcff"])
def test_anything_but_one_json_object_is_damage(tmp_path: Path, text: str) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(StoreError, match=r"file\.json is damaged"):
        read_json_object(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"none\.json cannot be read"):
        read_json_object(tmp_path / "none.json")


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        with exclusive(tmp_path / "lock", wait_seconds=10):
            inside += 1
            most = max(most, inside)
            time.sleep(0.02)
            inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_waiting_ends(tmp_path: Path) -> None:
    with (
        exclusive(tmp_path / "lock", wait_seconds=1),
        pytest.raises(StoreError, match="held by another process"),
        exclusive(tmp_path / "lock", wait_seconds=0.1),
    ):
        pass


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM])
def test_what_the_disk_refuses_is_a_sentence_with_what_would_help(tmp_path: Path, number: int) -> None:
    with pytest.raises(StoreError) as caught, guarded(tmp_path / "file", "written"):
        raise OSError(number, os.strerror(number))
    sentence, _, remedy = str(caught.value).rpartition("; ")
    assert sentence == f"{tmp_path}/file cannot be written: {os.strerror(number)}"
    assert remedy
    assert not isinstance(caught.value, DamagedError)


def test_whose_a_file_is_stands_in_the_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000)
    sentence = rf"since {tmp_path} is of \S+ and this is user 4000000; ask for access"
    with pytest.raises(StoreError, match=sentence), guarded(tmp_path / "missing"):
        raise OSError(errno.EACCES, "Permission denied")


def test_every_door_says_what_it_could_not_do(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("a file, no folder")
    below = file / "below"
    doors = {"read": read_bytes, "removed": remove, "set aside": set_aside, "opened": open_or_make}
    for deed, door in doors.items():
        with pytest.raises(StoreError, match=f"below cannot be {deed}: "):
            door(below)
    assert not is_there(below)


def test_what_is_set_aside_is_not_lost(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_text("damaged")
    assert set_aside(tmp_path / "a.pt") == tmp_path / "a.pt.damaged"
    assert (tmp_path / "a.pt.damaged").read_text() == "damaged"
    (tmp_path / "a.pt").write_text("of another")
    assert set_aside(tmp_path / "a.pt", "of-bb").read_text() == "of another"


def test_a_sealed_object_is_what_was_written() -> None:
    content = {"a": [1, 2.5, None], "b": "Längsschnitt"}
    text = sealed_json(content)
    assert unsealed_json(text, "x") == content
    for changed in (text.replace("2.5", "2.6"), text.replace("null", "0")):
        with pytest.raises(DamagedError, match="x is damaged or was edited"):
            unsealed_json(changed, "x")
    assert unsealed_json('{"a": 1}', "x") == {"a": 1}, "from before digests"

import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from repro.errors import StoreError
from repro.store.files import atomic_write, exclusive, read_json_object, remove_leftovers


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

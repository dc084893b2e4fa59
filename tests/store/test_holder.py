"""Who holds a folder, read from its lock file by somebody who does not want the lock."""

import errno
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from repro.store.holder import (
    STALE_SECONDS,
    Holder,
    Life,
    beating,
    beats,
    describe,
    life_of,
    living_holder,
    modified_ns,
    pid_exists,
    read_holder,
)
from repro.store.lock import FolderLock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock"


def _write(path: Path, host: str, pid: int, age_seconds: float = 0.0) -> None:
    holder = {"host": host, "pid": pid, "since": "2026-01-01T00:00:00+00:00", "purpose": "run"}
    path.write_text(json.dumps(holder | {"brief": False, "token": "theirs"}))
    os.utime(path, (time.time() - age_seconds,) * 2)


def test_a_held_lock_names_its_holder_and_a_freed_one_nobody(path: Path) -> None:
    assert living_holder(path) is None
    with FolderLock(path, "a look", brief=True):
        for holder in (read_holder(path), living_holder(path)):
            assert holder is not None
            assert (holder.host, holder.pid, holder.purpose) == (socket.gethostname(), os.getpid(), "a look")
            assert holder.brief
    assert read_holder(path) is None
    assert living_holder(path) is None


def test_looking_does_not_take_the_lock_away(path: Path) -> None:
    with FolderLock(path) as lock:
        living_holder(path)
        lock.check()
    with FolderLock(path) as again:
        assert again.taken_over is None


def test_a_killed_holder_of_this_machine_is_dead_at_once(path: Path) -> None:
    _write(path, socket.gethostname(), os.getpid())  # the pid lives, but the kernel knows of no lock
    assert read_holder(path) is not None
    assert living_holder(path) is None


@pytest.mark.parametrize("age_seconds", [0, STALE_SECONDS + 1, -STALE_SECONDS - 1])
def test_of_a_holder_on_another_host_one_look_tells_nothing(path: Path, age_seconds: float) -> None:
    _write(path, "elsewhere", 77, age_seconds)
    holder = living_holder(path)
    assert holder is not None
    assert (holder.host, holder.pid) == ("elsewhere", 77)
    assert life_of(path, holder) is Life.UNKNOWN


def test_of_a_holder_on_this_host_the_kernel_tells(path: Path) -> None:
    with FolderLock(path):
        holder = read_holder(path)
        assert holder is not None
        assert life_of(path, holder) is Life.RUNNING
    assert life_of(path, holder) is Life.SILENT


@pytest.mark.parametrize(
    ("pid", "life"), [(os.getpid(), Life.UNKNOWN), (2**22 + 1, Life.SILENT)], ids=["of this process", "of none"]
)
def test_without_flock_a_pid_is_all_there_is(path: Path, monkeypatch: pytest.MonkeyPatch, pid: int, life: Life) -> None:
    def refuse(descriptor: int) -> bool:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("repro.store.holder.try_flock", refuse)
    _write(path, socket.gethostname(), pid)
    holder = read_holder(path)
    assert holder is not None
    assert life_of(path, holder) is life


def test_watching_ends_at_the_first_sign_of_life(path: Path) -> None:
    path.touch()
    threading.Timer(0.3, os.utime, [path, (5, 5)]).start()  # whatever the clock of the other one says
    start = time.monotonic()
    assert beats(path, 30)
    assert time.monotonic() - start < 5


def test_many_are_watched_at_once_and_those_that_live_are_told(tmp_path: Path) -> None:
    alive, dead, other = paths = [tmp_path / name for name in ("alive", "dead", "other")]
    for path in paths:
        path.touch()
    threading.Timer(0.2, os.utime, [alive, (5, 5)]).start()
    threading.Timer(0.3, os.utime, [other, (5, 5)]).start()
    assert beating(paths, 0.9) == {alive, other}
    threading.Timer(0.1, os.utime, [dead, (5, 5)]).start()
    start = time.monotonic()
    assert beating([dead], 30) == {dead}
    assert time.monotonic() - start < 5
    assert beating([], 30) == set()


def test_a_look_that_hangs_is_no_silence_of_the_holder(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.touch()
    looks, clock = iter([1, 1, 1, 2]), itertools.count(0, 1000)
    monkeypatch.setattr("repro.store.holder.modified_ns", lambda path: next(looks))
    monkeypatch.setattr("repro.store.holder.time.monotonic", lambda: float(next(clock)))
    assert beats(path, 60), "two looks of 1000 s each, and then a sign of life"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"host": 1}', "\x00\x00"])
def test_a_torn_file_names_nobody(path: Path, content: str) -> None:
    path.write_text(content)
    assert read_holder(path) is None
    assert living_holder(path) is None


def test_a_holder_in_a_sentence() -> None:
    holder = Holder("elsewhere", 77, "2026-01-01T00:00:00+00:00", "run", False, "theirs")
    assert describe(holder) == "by pid 77 on host elsewhere (run) since 2026-01-01T00:00:00+00:00"
    assert describe(None) == "by another process"


def test_the_time_of_the_last_touch(path: Path) -> None:
    path.touch()
    os.utime(path, ns=(5, 1_234_567_890))
    assert modified_ns(path) == 1_234_567_890


def test_a_process_exists_until_it_has_ended() -> None:
    assert pid_exists(os.getpid())
    assert pid_exists(1), "also where it belongs to somebody else"
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert not pid_exists(process.pid)

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from repro.errors import StoreError
from repro.store import lock as lock_module
from repro.store.lock import FolderLock, LockedError, Patience

HOLD = """
    import sys, time
    from pathlib import Path
    from repro.store.lock import FolderLock
    lock = FolderLock(Path(sys.argv[1]), heartbeat_seconds=0.2).acquire()
    print("held", flush=True)
    time.sleep(60)
"""


def _hold(path: Path, program: str = HOLD) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "held"
    return process


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def _pretend_other_host(path: Path, age_seconds: float = 0.0) -> None:
    """Writes a lock file as a process on another host would, whose flock does not reach here."""
    holder = {"host": "elsewhere", "pid": 77, "since": "2026-01-01T00:00:00+00:00", "purpose": "run"}
    path.write_text(json.dumps(holder | {"brief": False, "token": "theirs"}))
    os.utime(path, (time.time() - age_seconds,) * 2)


def test_a_second_process_is_told_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "00ff" / "lock"
    process = _hold(path)
    with pytest.raises(LockedError) as error:
        FolderLock(path).acquire()
    _end(process)
    assert isinstance(error.value, StoreError)
    message = str(error.value)
    assert f"00ff is held by pid {process.pid} on host {socket.gethostname()} (run) since 20" in message
    assert "wait for it or end it first" in message


def test_a_living_holder_is_waited_for_where_that_is_asked_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_module, "WAIT_SECONDS", 0.1)
    path = tmp_path / "00ff" / "lock"
    process = _hold(path)
    ending = threading.Timer(0.6, process.kill)
    ending.start()
    looks: list[float] = []
    with FolderLock(path).acquire(Patience(30, lambda: looks.append(time.monotonic()))) as lock:
        assert lock.taken_over is not None
        assert lock.taken_over.pid == process.pid
    process.communicate()
    assert len(looks) > 2
    assert f"00ff is held by pid {process.pid}" in caplog.text
    assert "waiting for it, up to 30 s" in caplog.text


def test_the_wait_for_a_living_holder_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_module, "WAIT_SECONDS", 0.1)
    path = tmp_path / "lock"
    process = _hold(path)
    with pytest.raises(LockedError, match="still after waiting for 1 s; end it there first"):
        FolderLock(path).acquire(Patience(0.6))
    _end(process)


def test_who_waits_can_be_called_away(tmp_path: Path) -> None:
    class CalledAway(Exception):
        pass

    def leave() -> None:
        raise CalledAway

    with FolderLock(tmp_path / "lock"), pytest.raises(CalledAway):
        FolderLock(tmp_path / "lock").acquire(Patience(60, leave))
    _pretend_other_host(tmp_path / "lock")
    start = time.monotonic()
    with pytest.raises(CalledAway):  # while it is watched for a sign of life, too
        FolderLock(tmp_path / "lock").acquire(Patience(60, leave))
    assert time.monotonic() - start < 5


def test_sigkill_frees_it_at_once_and_the_next_holder_knows(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    process = _hold(path)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    start = time.monotonic()
    with FolderLock(path) as lock:
        assert time.monotonic() - start < 1
        assert lock.taken_over is not None
        assert lock.taken_over.pid == process.pid


def test_a_clean_release_leaves_nothing_to_take_over(tmp_path: Path) -> None:
    with FolderLock(tmp_path / "lock") as first:
        assert first.is_ours()
    assert not first.is_ours()
    with FolderLock(tmp_path / "lock") as second:
        assert second.taken_over is None


def test_children_that_outlive_a_killed_holder_do_not_hold_it(tmp_path: Path) -> None:
    program = """
        import os, sys, time, warnings
        warnings.simplefilter("ignore")
        from pathlib import Path
        from repro.store.lock import FolderLock
        lock = FolderLock(Path(sys.argv[1])).acquire()
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
        print("held", flush=True)
        time.sleep(60)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "lock")],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "held"
    try:
        with pytest.raises(LockedError):  # the child's copy must not have freed it either
            FolderLock(tmp_path / "lock").acquire()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        with FolderLock(tmp_path / "lock") as lock:
            assert lock.taken_over is not None
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.stdout.close()


def test_the_heartbeat_moves_the_files_time(tmp_path: Path) -> None:
    with FolderLock(tmp_path / "lock", heartbeat_seconds=0.05) as lock:
        first = lock.path.stat().st_mtime_ns
        deadline = time.monotonic() + 5
        while lock.path.stat().st_mtime_ns == first:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_a_living_holder_on_another_host_is_respected(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    _pretend_other_host(path)
    alive = threading.Event()

    def beat() -> None:
        while not alive.wait(0.1):
            os.utime(path)

    heart = threading.Thread(target=beat)
    heart.start()
    try:
        with pytest.raises(LockedError, match="pid 77 on host elsewhere"):
            FolderLock(path, stale_seconds=1.0).acquire()
    finally:
        alive.set()
        heart.join()


@pytest.mark.parametrize("skew_seconds", [90, 86_400, -90])
def test_a_living_holder_whose_clock_is_another_is_respected(tmp_path: Path, skew_seconds: int) -> None:
    path = tmp_path / "lock"
    _pretend_other_host(path, skew_seconds)
    alive = threading.Event()

    def beat() -> None:
        while not alive.wait(0.2):
            os.utime(path, (time.time() - skew_seconds,) * 2)

    heart = threading.Thread(target=beat)
    heart.start()
    try:
        with pytest.raises(LockedError, match="pid 77 on host elsewhere"):
            FolderLock(path, stale_seconds=2.0).acquire()
    finally:
        alive.set()
        heart.join()
    assert json.loads(path.read_text())["token"] == "theirs"


def test_of_two_hosts_that_come_at_once_one_gives_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where flock does not reach, the name is read again before the first write."""
    monkeypatch.setattr(lock_module, "_flock_or_none", lambda descriptor: None)
    monkeypatch.setattr(lock_module, "beats", lambda *_: True)
    path = tmp_path / "lock"
    threading.Timer(0.3, _pretend_other_host, [path]).start()
    with pytest.raises(LockedError, match="pid 77 on host elsewhere"):
        FolderLock(path, settle_seconds=0.6, stale_seconds=30).acquire()
    assert json.loads(path.read_text())["token"] == "theirs"


def test_who_watched_too_long_does_not_take_a_third_ones_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lock"
    _pretend_other_host(path)
    third = {"host": "third", "pid": 78, "since": "2026-01-01T00:00:00+00:00", "purpose": "run"}

    def taken_meanwhile(watched: Path, *_: object) -> bool:
        path.write_text(json.dumps(third | {"brief": False, "token": "the third's"}))
        monkeypatch.setattr(lock_module, "beats", lambda *_: True)
        return False

    monkeypatch.setattr(lock_module, "beats", taken_meanwhile)
    with pytest.raises(LockedError, match="pid 78 on host third"):
        FolderLock(path, settle_seconds=0).acquire()


@pytest.mark.parametrize("call", ["open", "ftruncate", "pwrite", "fsync"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_refuses_the_lock_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    (tmp_path / "run").mkdir()

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(lock_module.os, call, refuse)
        with pytest.raises(StoreError, match=rf"run/lock cannot be (opened|written): {os.strerror(number)}.*;"):
            FolderLock(tmp_path / "run" / "lock").acquire()
    with FolderLock(tmp_path / "run" / "lock") as lock:
        assert lock.is_ours()


@pytest.mark.parametrize("age_seconds", [0.0, 0.5, 1000.0, -1000.0])
def test_a_silent_holder_on_another_host_is_taken_over(tmp_path: Path, age_seconds: float) -> None:
    """Whatever that host's clock says: what counts is that nothing moves while we watch."""
    path = tmp_path / "lock"
    _pretend_other_host(path, age_seconds)
    start = time.monotonic()
    with FolderLock(path, stale_seconds=0.8, settle_seconds=0) as lock:
        assert time.monotonic() - start >= 0.8
        assert lock.taken_over is not None
        assert lock.taken_over.host == "elsewhere"


def test_a_holder_that_was_taken_over_notices(tmp_path: Path) -> None:
    with FolderLock(tmp_path / "lock", heartbeat_seconds=0.05) as lock:
        lock.check()
        _pretend_other_host(lock.path)
        with pytest.raises(LockedError, match="taken over by pid 77 on host elsewhere"):
            lock.check()
    assert json.loads(lock.path.read_text())["token"] == "theirs", "the new holder's mark must stay"


def test_without_flock_a_living_pid_holds_and_a_dead_one_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_module, "_flock_or_none", lambda descriptor: None)
    path = tmp_path / "lock"
    process = _hold(path)
    with pytest.raises(LockedError):
        FolderLock(path, stale_seconds=30).acquire()
    _end(process)
    with FolderLock(path) as lock:
        assert lock.taken_over is not None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"host": 1}', "\x00\x00\x00"])
def test_a_torn_lock_file_is_free(tmp_path: Path, content: str) -> None:
    (tmp_path / "lock").write_text(content)
    with FolderLock(tmp_path / "lock") as lock:
        assert lock.taken_over is None


def test_a_brief_holder_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    brief = FolderLock(path, "a look", brief=True).acquire()
    threading.Timer(1.5, brief.release).start()
    with FolderLock(path) as lock:
        assert lock.is_ours()


def test_a_brief_holder_is_waited_for_also_while_it_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    brief = FolderLock(path, "a look", brief=True).acquire()
    threading.Timer(1.2, lambda: path.write_bytes(b"")).start()
    threading.Timer(1.6, brief.release).start()
    with FolderLock(path) as lock:
        assert lock.is_ours()

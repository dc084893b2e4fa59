"""Faults of files and disks: flipped bits, a kill or a full disk at the very write of a file, another user, mounts."""

import codecs
import errno
import io
import logging
import os
import re
import signal
import struct
import subprocess
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import repro.store.files
from repro.config.configuration import Configuration
from repro.console import answer
from repro.run import session
from repro.run.command import one_run
from repro.run.held import RunLog

HEADER_BYTES = 30  # of a member of a zip, before its name and its extra field
NOBODY = 65534
DISK_BYTES = 8 << 20
IS_ROOT = os.geteuid() == 0
FILLER = "filler"
_PARTIAL = re.compile(r"\.(.+)\.\d+-[0-9a-f]+\.partial")


def flipped(content: bytes) -> bytes:
    """A file with one bit flipped in its middle; of tensors, amid the largest one, which torch does not notice."""
    place = len(content) // 2
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [item for item in archive.infolist() if "/data/" in item.filename] or archive.infolist()
        member = max(members, key=lambda item: item.file_size)
        name, extra = struct.unpack_from("<HH", content, member.header_offset + 26)
        place = member.header_offset + HEADER_BYTES + name + extra + member.compress_size // 2
    damaged = bytearray(content)
    damaged[place] ^= 1
    return bytes(damaged)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of a few megabytes where that is allowed to us, else the folder as it is."""
    folder.mkdir()
    if not IS_ROOT:
        yield folder
        return
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=755", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """The disk of a folder mounted for reading alone; to others than root, the folder closed for writing."""
    if IS_ROOT:
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    else:
        subprocess.run(["chmod", "-R", "a-w", folder], check=True)
    try:
        yield
    finally:
        if IS_ROOT:
            subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
        else:
            subprocess.run(["chmod", "-R", "u+w", folder], check=True)


def fill(disk: Path) -> None:
    """Leaves no byte free on a small disk; where it is none, says that it is full."""
    if not IS_ROOT:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with open(disk / FILLER, "ab", buffering=0) as stream:
        for size in (1 << 20, 1 << 12, 1):
            with suppress(OSError):
                while True:
                    stream.write(bytes(size))


def as_nobody(printed: Sequence[str], *, asked: Sequence[Configuration]) -> int:
    """Runs, one after the other, as a user without any rights; to others than root, as oneself.

    Args:
        printed: for each a file for what it prints, with the exit code in its first line; there already, for anybody.
        asked: their configurations.
    """
    if IS_ROOT:
        codecs.lookup("cp437")  # of zips; the modules of an interpreter in root's home are out of reach afterwards
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    for place, configuration in zip(printed, asked, strict=True):
        code, text = captured(configuration)
        Path(place).write_text(f"{code}\n{text}", encoding="utf-8")
    return 0


def captured(configuration: Configuration) -> tuple[int, str]:
    """A run in this process, as its command carries it out: the exit code, and what is printed."""

    def work() -> int:
        one_run(configuration)
        return 0

    text = io.StringIO()
    printer = logging.StreamHandler(text)
    logging.getLogger("repro").addHandler(printer)
    try:
        with redirect_stdout(text), redirect_stderr(text):
            return answer(work), text.getvalue()
    finally:
        logging.getLogger("repro").removeHandler(printer)


def killed_at(_: Sequence[str], *, configuration: Configuration, at: str) -> int:
    """A run that is killed amid the first write of a file of some name."""

    def kill(write_half: Callable[[], Any]) -> None:
        write_half()
        os.kill(os.getpid(), signal.SIGKILL)

    with _at_the_write_of(at, kill):
        return captured(configuration)[0]


def full_at(configuration: Configuration, *, at: str, disk: Path) -> tuple[int, str]:
    """A run in this process whose disk is full from the first write of a file of some name on."""
    with _at_the_write_of(at, lambda _: fill(disk)):
        return captured(configuration)


@contextmanager
def _at_the_write_of(pattern: str, happen: Callable[[Callable[[], Any]], None]) -> Iterator[None]:
    """Lets something happen before the first write of a file; it is given what writes half of that."""
    real_write, real_pwrite, real_emit = os.write, os.pwrite, RunLog.emit

    def opened(path: Path, mode: str) -> Any:
        partial = _PARTIAL.fullmatch(Path(path).name)
        if partial and fnmatch(partial[1], pattern):
            happen(lambda: Path(path).write_bytes(b"half"))
        return open(path, mode)

    def write(descriptor: int, data: bytes) -> int:
        if fnmatch(Path(os.readlink(f"/proc/self/fd/{descriptor}")).name, pattern):
            happen(lambda: real_write(descriptor, data[: len(data) // 2]))
        return real_write(descriptor, data)

    def pwrite(descriptor: int, data: bytes, offset: int) -> int:
        if fnmatch(Path(os.readlink(f"/proc/self/fd/{descriptor}")).name, pattern):
            happen(lambda: real_pwrite(descriptor, data[: len(data) // 2], offset))
        return real_pwrite(descriptor, data, offset)

    def emit(self: RunLog, record: logging.LogRecord) -> None:
        if fnmatch(Path(self.baseFilename).name, pattern):
            happen(lambda: Path(self.baseFilename).write_text("half"))
        real_emit(self, record)

    repro.store.files.open = opened  # type: ignore[attr-defined]
    os.write, os.pwrite, RunLog.emit = write, pwrite, emit  # type: ignore[assignment,method-assign]
    check = session.check_output_stride

    def checked(*arguments: Any) -> None:
        logging.getLogger("repro.test").warning("a line for the log")
        check(*arguments)

    session.check_output_stride = checked
    try:
        yield
    finally:
        del repro.store.files.open  # type: ignore[attr-defined]
        os.write, os.pwrite, RunLog.emit = real_write, real_pwrite, real_emit  # type: ignore[method-assign]
        session.check_output_stride = check

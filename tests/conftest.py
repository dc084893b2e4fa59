"""Fixtures shared by all tests."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.forked import Runs
from tests.places import REPOSITORY

# A busy machine is no failure; examples are drawn anew each time, and a failing one is printed.
settings.register_profile("repro", deadline=None, print_blob=True)
settings.load_profile("repro")


MEMORY = Path("/dev/shm")
LEAST_ROOM_BYTES = 6 * 2**30
"""Several times what the tests hold at once, so that the machine keeps enough for their processes."""


def pytest_configure() -> None:
    """Lets tests write into memory if it has room: a run waits 0.3 s for a disk, thousands of times in all.

    The real parts train networks as they are, which leave more than may lie in memory.
    """
    if os.environ.get("REPRO_REAL") != "1" and _room_in_memory() >= LEAST_ROOM_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def _room_in_memory() -> int:
    """Bytes that files in memory may take; 0 where there is no folder for them, or no program may lie in it."""
    facts = Path("/proc/meminfo")
    if not os.access(MEMORY, os.W_OK) or not facts.is_file() or os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
        return 0
    available = re.search(r"^MemAvailable: +(\d+) kB$", facts.read_text(), re.MULTILINE)
    return min(shutil.disk_usage(MEMORY).free, int(available[1]) * 1024) if available else 0


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keeps what tests hash out of the user's cache; the processes that they start inherit it."""
    os.environ["REPRO_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def camvid_root() -> Path:
    """The real CamVid photographs, from $REPRO_CAMVID or a folder beside the checkout."""
    root = Path(os.environ.get("REPRO_CAMVID", REPOSITORY.parent / "shared" / "data" / "camvid"))
    if not (root / "train.txt").is_file():
        pytest.skip(f"CamVid is not at {root}; set REPRO_CAMVID to the folder with train/, trainannot/ and train.txt")
    return root


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """Starts runs as processes of their own."""
    started = Runs(tmp_path_factory.mktemp("runs"))
    yield started
    started.end()

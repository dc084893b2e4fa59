"""Fixtures shared by all tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.forked import Runs
from tests.places import REPOSITORY

# A busy machine is no failure; examples are drawn anew each time, and a failing one is printed.
settings.register_profile("repro", deadline=None, print_blob=True)
settings.load_profile("repro")


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

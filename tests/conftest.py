"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def camvid_root() -> Path:
    """The real CamVid photographs, from $REPRO_CAMVID or a folder beside the checkout."""
    root = Path(os.environ.get("REPRO_CAMVID", REPOSITORY.parent / "shared" / "data" / "camvid"))
    if not (root / "train.txt").is_file():
        pytest.skip(f"CamVid is not at {root}; set REPRO_CAMVID to the folder with train/, trainannot/ and train.txt")
    return root

"""A small folder in the format of VOC and SBD, drawn once."""

import shutil
from pathlib import Path

import pytest

from tests.data.voc_folder import make_voc


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[str]]]:
    root = tmp_path_factory.mktemp("voc")
    return root, make_voc(root)


@pytest.fixture
def damaged(pristine: tuple[Path, dict[str, list[str]]], tmp_path: Path) -> tuple[Path, dict[str, list[str]]]:
    """A copy of the folder that a test may spoil."""
    shutil.copytree(pristine[0], tmp_path / "voc")
    return tmp_path / "voc", pristine[1]

"""The small paper of the reports, read once at its own scale and at another one."""

from pathlib import Path

import pytest

from tests.report.made_runs import Made, write_papers


@pytest.fixture(scope="session")
def papers_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_papers(tmp_path_factory.mktemp("sweeps"))


@pytest.fixture(scope="session")
def as_printed(papers_folder: Path) -> Made:
    """The small paper at its own scale."""
    return Made(papers_folder, "paper")


@pytest.fixture(scope="session")
def shortened(papers_folder: Path) -> Made:
    """The small paper at a tenth of the steps."""
    return Made(papers_folder, "short")

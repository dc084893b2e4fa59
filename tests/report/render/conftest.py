"""The table with every kind of cell, read once."""

import pytest

from repro.papers import Table
from tests.report.made_results import small_table


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Table:
    return small_table(tmp_path_factory.mktemp("papers") / "sweeps")

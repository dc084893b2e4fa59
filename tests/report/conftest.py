"""The small paper, read once, and the command on it."""

import csv
from pathlib import Path

import pytest

from repro.report.command import main
from tests.report.made_runs import Made, store, write_papers


@pytest.fixture(scope="session")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_papers(tmp_path_factory.mktemp("sweeps"))


@pytest.fixture(scope="session")
def as_printed(papers: Path) -> Made:
    """The small paper at its own scale."""
    return Made(papers, "paper")


@pytest.fixture(scope="session")
def shortened(papers: Path) -> Made:
    """The small paper at a tenth of the steps."""
    return Made(papers, "short")


class Command:
    """The command on the small paper in a folder of its own."""

    def __init__(self, folder, papers, capsys):
        self.outputs, self.reports, self.papers, self.capsys = folder / "outputs", folder / "reports", papers, capsys

    def __call__(self, *given, paper="small"):
        self.capsys.readouterr()
        places = [f"outputs={self.outputs}", f"reports={self.reports}", f"sweeps_folder={self.papers}"]
        code = main([*places, *([f"paper={paper}"] if paper else []), *given])
        self.out, self.err = self.capsys.readouterr()
        return code

    def files(self):
        return {path.relative_to(self.reports).as_posix(): path.read_bytes()
                for path in self.reports.rglob("*") if path.is_file()}  # fmt: skip

    def cells(self, scale):
        with (self.reports / scale / "small" / "table1.csv").open(newline="") as stream:
            return {(row["row"], row["column"]): row for row in csv.DictReader(stream)}


@pytest.fixture
def command(tmp_path, papers, capsys):
    return Command(tmp_path, papers, capsys)


@pytest.fixture
def ran(command, shortened):
    """Three seeds of two rows at the short scale."""
    for seed in range(3):
        store(command.outputs, shortened.record("Plain", seed, 70.0 + seed))
        store(command.outputs, shortened.record("Rates", seed, 73.0 + 1.1 * seed))
    return command

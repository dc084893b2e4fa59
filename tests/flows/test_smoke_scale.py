"""Ablation tables at the scale `smoke`, by the two commands that a user types, from plan to rendered table.

`make test-real` trains all of them, with the networks as they are; `make test` one of each paper, with stages of the
backbone of an eighth of their channels, which changes no row's arrangement, rates, head, schedule or protocol, nor any
identity.
"""

import csv
from collections.abc import Callable, Sequence

import pytest

from repro.nn import resnet
from repro.papers import RowKind, TableKind
from repro.report.command import main as report
from repro.report.judge.verdicts import Verdict
from repro.sweep.command import main as sweep
from tests.composed import papers
from tests.forked import Forked

ALL = {
    "deeplabv3": [f"deeplabv3/table{number}" for number in (1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12)],
    "vortex": ["vortex/table1"],
    "dsnet": ["dsnet/table1", "dsnet/table2", "dsnet/prose"],
    "gald": [f"gald/table{name}" for name in ("1a", "1b", "1c", "1d", "2a", "2b", "2c", "3", "4")],
}
SOME = {
    "deeplabv3": ["deeplabv3/table6"],
    "vortex": ["vortex/table1"],
    "dsnet": ["dsnet/table1"],
    "gald": ["gald/table2c"],
}
QUIET = ["tracking=none", "runtime.threads=1", "runtime.progress=false"]
EXCUSED = (Verdict.SAME_AS, Verdict.SERVER_ONLY)
NOT_THERE_YET = ("metric=", "dataset=")
"""What a metric or a data set that is not built gives as its reason: no network that does not run."""


def thin_sweep(words: Sequence[str]) -> int:
    """The command, in a process whose networks are thin."""
    resnet.STAGE_WIDTHS = tuple(width // 8 for width in resnet.STAGE_WIDTHS)
    return sweep(words)


@pytest.fixture
def study(tmp_path, capsys):
    """Sweeps tables of a paper and renders them; gives the cells that lack a number, and how many have one."""

    def carried_out(
        command: Callable[[Sequence[str]], int], paper: str, keys: Sequence[str], seconds: float = 600
    ) -> tuple[list[str], int]:
        places = [f"outputs={tmp_path / 'outputs'}", f"reports={tmp_path / 'reports'}", "scale=smoke"]
        tables = f"table=[{','.join(keys)}]"
        process = Forked(command, [tables, *places, *QUIET, "submit=true"], tmp_path / "printed")
        assert process.wait(seconds) == 0, process.text[-3000:]
        assert report([f"paper={paper}", *places]) == 0, capsys.readouterr().err
        lacking, measured = [], 0
        for key in keys:
            folder = tmp_path / "reports" / "smoke"
            assert (folder / f"{key}.md").read_text(encoding="utf-8").count("|") > 10
            for cell in csv.DictReader((folder / f"{key}.csv").read_text(encoding="utf-8").splitlines()):
                if cell["kind"] != RowKind.OWN or cell["metric"] == "setting" or not cell["published"]:
                    continue
                measured += bool(cell["mean"])
                excused = cell["verdict"] in EXCUSED or cell["reason"].startswith(NOT_THERE_YET)
                if not cell["mean"] and not excused:
                    lacking.append(f"{key}: {cell['row']} @ {cell['column']}: {cell['verdict']}, {cell['reason']}")
        return lacking, measured

    return carried_out


@pytest.mark.slow
@pytest.mark.parametrize("paper", SOME)
def test_every_own_cell_of_an_ablation_is_measured(study, paper):
    lacking, measured = study(thin_sweep, paper, SOME[paper])
    assert lacking == []
    assert measured >= len(SOME[paper])


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("paper", ALL)
def test_every_own_cell_of_every_ablation_is_measured_with_the_networks_as_they_are(study, paper):
    lacking, measured = study(sweep, paper, ALL[paper], seconds=1700)
    assert lacking == []
    assert measured >= len(ALL[paper])


def test_the_tables_are_all_ablations():
    ablations = {table.key for table in papers().tables.values() if table.kind is TableKind.ABLATION}
    assert ablations - {key for keys in ALL.values() for key in keys} == set()

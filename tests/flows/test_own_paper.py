"""The worked example of docs/papers.md: a paper of one's own, outside the checkout, from plan to table."""

import re

import pytest

from repro.papers import Shape
from repro.report.command import main as report
from repro.store.outputs import Outputs
from repro.sweep.command import main as sweep
from tests.papers.small_paper import small_library
from tests.places import REPOSITORY

PAGE = (REPOSITORY / "docs" / "papers.md").read_text(encoding="utf-8")
PLACE = ["sweeps_folder=my_papers", "table=mine/table1"]
QUIET = ["tracking=none", "runtime.threads=1", "runtime.progress=false"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the files of the page, in which the commands are given."""
    mine = tmp_path / "my_papers" / "mine"
    mine.mkdir(parents=True)
    paper, table, *_ = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (mine / "paper.yaml").write_text(paper, encoding="utf-8")
    (mine / "table1.yaml").write_text(table, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.real
def test_the_worked_example_goes_from_plan_to_table(folder, capsys):
    wanted = [*PLACE, "scale=smoke", "seeds=2"]
    assert sweep(wanted) == 0
    assert not (folder / "outputs").exists()
    assert sweep([*wanted, "submit=true", *QUIET]) == 0
    assert len(list(Outputs(folder / "outputs").runs())) == 4
    assert report([*PLACE, "reports=my_reports"]) == 0
    text = (folder / "my_reports" / "smoke" / "mine" / "table1.md").read_text(encoding="utf-8")
    assert "with context" in text
    assert "(2)" in text
    capsys.readouterr()
    assert sweep([*wanted, "submit=true", *QUIET]) == 0
    assert "nothing to do" in capsys.readouterr().out


def test_a_mistake_is_answered_with_file_and_line(folder, capsys):
    table = folder / "my_papers" / "mine" / "table1.yaml"
    table.write_text(table.read_text(encoding="utf-8").replace("mIoU: 70.2", "mIoU: seventy"), encoding="utf-8")
    assert sweep(PLACE) == 2
    line = table.read_text(encoding="utf-8").splitlines().index("    cells: {mIoU: seventy}") + 1
    (sentence,) = capsys.readouterr().err.splitlines()
    assert f"table1.yaml:{line}: " in sentence


HEAD = """\
title: The table that the examples of claims are about
kind: ablation
evaluated_on: shapes val
columns:
  mIoU: {metric: miou}
  two: {metric: miou}
  parameters: {metric: parameters}
rows:
  - {label: plain, cells: {mIoU: 61.0, two: 62.0, parameters: 1.0}}
  - {label: with context, cells: {mIoU: 74.0, two: 75.0, parameters: 2.0}}
  - {label: both, cells: {mIoU: 74.0, two: 75.0, parameters: 3.0}}
  - {label: "theirs [7]", kind: cited, cells: {mIoU: 70.2}}
claims:
"""


def test_each_example_of_a_claim_has_the_shape_that_it_says(tmp_path):
    (examples,) = (block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "shape:" in block)
    shapes = re.findall(r"shape: ([\w ]+)", examples)
    table = HEAD + re.sub(r"shape: [\w ]+(,|\n *)", "", examples)
    library = small_library(tmp_path, ablation=table)
    assert library.problems == []
    assert [str(claim.shape) for claim in library.tables["small/table1"].claims] == shapes == list(Shape)

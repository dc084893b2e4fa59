"""The worked example of docs/papers.md: a paper of one's own, outside the checkout, from plan to table."""

import os
import re
import subprocess
import sys

import pytest

from tests.places import REPOSITORY

PAGE = (REPOSITORY / "docs" / "papers.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def folder(tmp_path):
    mine = tmp_path / "my_papers" / "mine"
    mine.mkdir(parents=True)
    paper, table = blocks("yaml")[:2]
    (mine / "paper.yaml").write_text(paper)
    (mine / "table1.yaml").write_text(table)
    return tmp_path


def command(folder, *words):
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


@pytest.mark.slow
def test_the_worked_example_goes_from_plan_to_table(folder):
    place = ["sweeps_folder=my_papers", "table=mine/table1"]
    planned = command(folder, "repro.sweep", *place, "scale=smoke", "seeds=2")
    assert planned.returncode == 0, planned.stderr
    assert not (folder / "outputs").exists()
    done = command(folder, "repro.sweep", *place, "scale=smoke", "seeds=2", "submit=true", "tracking=none")
    assert done.returncode == 0, done.stderr + done.stdout
    assert len(list((folder / "outputs" / "runs").iterdir())) == 4
    reported = command(folder, "repro.report", *place, "reports=my_reports")
    assert reported.returncode == 0, reported.stderr
    text = (folder / "my_reports" / "smoke" / "mine" / "table1.md").read_text()
    assert "with context" in text
    assert "n=2" in text or "(2)" in text
    again = command(folder, "repro.sweep", *place, "scale=smoke", "seeds=2", "submit=true", "tracking=none")
    assert again.returncode == 0
    assert "nothing to do" in again.stdout


def test_a_mistake_is_answered_with_file_and_line(folder):
    table = folder / "my_papers" / "mine" / "table1.yaml"
    table.write_text(table.read_text().replace("mIoU: 70.2", "mIoU: seventy"))
    done = command(folder, "repro.sweep", "sweeps_folder=my_papers", "table=mine/table1")
    assert done.returncode != 0
    line = table.read_text().splitlines().index("    cells: {mIoU: seventy}") + 1
    assert f"table1.yaml:{line}: " in done.stderr
    assert "Traceback" not in done.stderr

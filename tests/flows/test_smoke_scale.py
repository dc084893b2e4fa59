"""Every ablation table at the scale `smoke`, by the two commands that a user types, from plan to rendered table."""

import csv
import os
import subprocess
import sys

import pytest

from repro.papers import load_papers

LIBRARY = load_papers()
CHOSEN = {
    "deeplabv3": [f"deeplabv3/table{number}" for number in (1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12)],
    "vortex": ["vortex/table1"],
    "dsnet": ["dsnet/table1", "dsnet/table2", "dsnet/prose"],
    "gald": [f"gald/table{name}" for name in ("1a", "1b", "1c", "1d", "2a", "2b", "2c", "3", "4")],
}


def command(folder, *words):
    done = subprocess.run(
        [sys.executable, "-m", *words, "scale=smoke"], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("paper", CHOSEN)
def test_every_own_cell_of_every_ablation_is_measured(tmp_path, paper):
    tables = f"table=[{','.join(CHOSEN[paper])}]"
    command(tmp_path, "repro.sweep", tables, "submit=true", "tracking=none", "runtime.progress=false")
    command(tmp_path, "repro.report", f"paper={paper}")
    lacking, measured = [], 0
    for key in CHOSEN[paper]:
        folder = tmp_path / "reports" / "smoke"
        assert (folder / f"{key}.md").read_text().count("|") > 10
        for cell in csv.DictReader((folder / f"{key}.csv").read_text().splitlines()):
            if cell["kind"] != "own" or cell["metric"] == "setting" or not cell["published"]:
                continue
            measured += bool(cell["mean"])
            # A metric or a data set that is not there yet is no network that does not run.
            excused = cell["verdict"] in ("same as", "server only") or cell["reason"].startswith(
                ("metric=", "dataset=")
            )
            if not cell["mean"] and not excused:
                lacking.append(f"{key}: {cell['row']} @ {cell['column']}: {cell['verdict']}, {cell['reason']}")
    assert lacking == []
    assert measured >= len(CHOSEN[paper])


def test_the_tables_are_all_ablations():
    ablations = {table.key for table in LIBRARY.tables.values() if table.kind == "ablation"}
    assert ablations - {key for keys in CHOSEN.values() for key in keys} == set()

"""Every ablation table at the scale `smoke`, by the two commands that a user types, from plan to rendered table."""

import csv
import os
import subprocess
import sys

import pytest

from repro.papers import load_papers

LIBRARY = load_papers()
TABLES = {
    f"{paper}/{kind}": [table.key for table in LIBRARY.tables.values() if table.paper == paper and table.kind == kind]
    for paper in LIBRARY.papers
    for kind in ("ablation", "prose")
    if paper != "vortex" or kind == "ablation"
}
NOT_MEASURED = {"setting", "training_time", "training_time_ratio", "latency_ms", "boundary_f"}


def command(folder, *words):
    done = subprocess.run(
        [sys.executable, "-m", *words, "scale=smoke"], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("chosen", TABLES)
def test_every_own_cell_of_every_ablation_is_measured(tmp_path, chosen):
    tables = f"table=[{','.join(TABLES[chosen])}]"
    command(tmp_path, "repro.sweep", tables, "submit=true", "tracking=none", "runtime.progress=false")
    command(tmp_path, "repro.report", f"paper={chosen.partition('/')[0]}")
    lacking, measured = [], 0
    for key in TABLES[chosen]:
        folder = tmp_path / "reports" / "smoke"
        assert (folder / f"{key}.md").read_text().count("|") > 10
        for cell in csv.DictReader((folder / f"{key}.csv").read_text().splitlines()):
            not_ours = cell["kind"] != "own" or cell["verdict"] == "server only" or not cell["published"]
            if not_ours or cell["metric"].partition("(")[0] in NOT_MEASURED:
                continue
            measured += bool(cell["mean"])
            if not cell["mean"] and not cell["reason"].startswith("as "):
                lacking.append(f"{key}: {cell['row']} @ {cell['column']}: {cell['verdict']}, {cell['reason']}")
    assert lacking == []
    assert measured > 0

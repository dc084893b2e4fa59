"""How planning grows with the number of rows, and what it takes for all printed tables.

Every row is a training of its own; configurations are composed by Hydra once per set of choices.
"""

import tempfile
import time
from pathlib import Path

from repro.experiments.measurements import Measurements
from repro.papers import load_papers
from repro.sweep.plan.job import Wanted
from repro.sweep.plan.plan import distinct_jobs, make_plan

HEADS = ("fcn", "aspp", "aspp_plus", "module_a", "vortex")
TABLE = """\
title: Rows that differ
kind: comparison
evaluated_on: shapes val
run: [backbone=resnet18, dataset=shapes, schedule=shapes_200]
evaluation: [evaluation=whole]
columns:
  mIoU: {metric: miou}
rows:
"""
ROW = "  - {{label: row {number}, cells: {{mIoU: 50.0}}, run: [head={head}, schedule.weight_decay=0.{number:04}]}}\n"


def planned_seconds(pattern: str, scale: str, folders: list[Path]) -> tuple[float, int, int]:
    """Seconds from the YAML files to the plan, cells, and distinct trainings."""
    start = time.perf_counter()
    library = load_papers(folders)
    found = Measurements(library, library.matching(pattern), library.scale(scale))
    wanted = [Wanted(item) for item in found.values()]
    plan = make_plan(wanted, [0], distinct_jobs(wanted, [0]), {}, ())
    return time.perf_counter() - start, len(wanted), len(plan.jobs)


def main() -> None:
    """Prints one line per number of rows, then one per scale for all tables."""
    for rows in (10, 30, 100, 300):
        with tempfile.TemporaryDirectory() as folder:
            paper = Path(folder) / "many"
            paper.mkdir()
            text = "".join(ROW.format(number=number, head=HEADS[number % 5]) for number in range(1, rows + 1))
            (paper / "table1.yaml").write_text(TABLE + text)
            (paper / "paper.yaml").write_text("title: many\nauthors: x\nyear: 2026\nvenue: x\n")
            seconds, cells, trainings = planned_seconds("many/table1", "paper", [Path(folder)])
        print(f"{rows:4} rows, {trainings} trainings: {seconds:.2f} s")
    for scale in ("paper", "shapes", "smoke", "camvid"):
        seconds, cells, trainings = planned_seconds("*/*", scale, [])
        print(f"all tables at scale {scale}: {cells} cells, {trainings} trainings: {seconds:.2f} s")


if __name__ == "__main__":
    main()

"""A valid runs.csv of several lines: some of the committed ones, as they would be written today."""

import json
from dataclasses import replace
from functools import cache

from repro.papers.scale import read_scale
from repro.report.audit.own_lines import Known
from repro.store.runs_csv import Recorded, flat
from repro.store.runs_file import parsed, read_runs
from tests.places import REPOSITORY

KNOWN = Known({file.stem: read_scale(file) for file in (REPOSITORY / "sweeps" / "scales").glob("*.yaml")})
HEADS = ("aspp", "vortex")


@cache
def lines() -> tuple[Recorded, ...]:
    """Three seeds of two rows, with what newer columns would tell."""
    found = read_runs(REPOSITORY / "reports" / "runs.csv").lines.values()
    chosen = [replace(line, determinism="off", threads=2) for line in found if line.names.head in HEADS]
    assert len(chosen) == 6
    return tuple(chosen)


def altered(line: Recorded, **columns: object) -> Recorded:
    """A line with other values in some columns, those of names and scores included."""
    values = flat(line) | columns
    texts = {name: "" if value is None else str(value) for name, value in values.items()}
    texts["per_class_iou_percent"] = json.dumps(values["per_class_iou_percent"])
    texts["dirty"] = {None: "", True: "true", False: "false"}[values["dirty"]]
    return parsed(tuple(texts), tuple(texts.values()))

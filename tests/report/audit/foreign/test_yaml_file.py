"""A table in the form of sweeps/."""

import shutil
from pathlib import Path

import pytest

from repro.papers import SpecError, sweeps_folder
from repro.report.audit.finding import FindingKind
from repro.report.audit.foreign.yaml_file import audit_yaml

TABLE = """\
title: Made
kind: ablation
evaluated_on: Somewhere val
columns:
  mIoU: {metric: miou, decimals: 1}
  gain: {metric: delta(base), decimals: 1}
rows:
  - {label: base, cells: {mIoU: 73.7}}
  - {label: ours, cells: {mIoU: 80.8, gain: 5.4}}
"""


def test_a_table_of_a_strangers_folder(tmp_path: Path) -> None:
    file = tmp_path / "table1.yaml"
    file.write_text(TABLE)
    (tmp_path / "settings.yaml").write_text("a: 1\n")
    (found,) = audit_yaml(file)
    assert found.kind is FindingKind.DIFFERENCE
    file.write_text(TABLE.replace("5.4", "7.1"))
    assert audit_yaml(file) == []


def test_a_table_of_ours_is_audited_with_what_other_tables_print_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "gald"
    shutil.copytree(sweeps_folder() / "gald", folder)
    found = audit_yaml(folder / "table1d.yaml")
    assert {place.table for item in found for place in item.places} >= {"gald/table1d", "gald/table2b", "gald/prose"}
    assert all(any(place.table == "gald/table1d" for place in item.places) for item in found)


def test_a_mistake_is_said_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "table1.yaml"
    file.write_text(TABLE.replace("delta(base)", "delta(bass)"))
    with pytest.raises(SpecError, match=r"table1\.yaml:\d+: .*did you mean base\?"):
        audit_yaml(file)
    other = tmp_path / "paper.yaml"
    other.write_text("title: Made\nauthors: A\nyear: 2020\nvenue: x\n")
    with pytest.raises(SpecError, match="is no table"):
        audit_yaml(other)

"""Rows that would be refused for their images: told with the plan, and nothing starts before they are mended."""

import pytest

from repro.store.outputs import Outputs
from repro.sweep.plan.images import refused_images
from tests.one_second_paper import TRAINING, row, sweep, write_table
from tests.sweep.planning import sweep_for

JOINED = [*TRAINING, "dataset._target_=tests.tiny_data.Joined"]
STAGES = {"whole": {"run": ["dataset.train_split=trainval"]}, "part": {"run": ["dataset.train_split=train"]}}
TRAINED_ON = "split val of joined would be measured, of whose 3 images all are trained on"


@pytest.fixture
def outputs(tmp_path):
    return tmp_path / "outputs"


@pytest.fixture
def mixed(tmp_path):
    rows = [
        row("right"),
        row("own", "dataset.train_split=trainval"),
        row("asked for", "head.width=8", "dataset.train_split=trainval", "dataset.allow_overlap=[measured]"),
        row("before", "head.width=24", after="whole"),
        row("clean chain", "head.width=8", after="part"),
    ]
    return write_table(tmp_path / "sweeps", rows, run=JOINED, stages=STAGES)


def test_a_plan_tells_which_rows_would_be_refused(mixed, outputs, capsys):
    assert sweep(mixed, outputs) == 1
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert [line.partition(", seed")[0] for line in lines] == [
        "error: mine/table1: own @ mIoU",
        "error: mine/table1: before @ mIoU",
    ]
    assert f"{TRAINED_ON} (dataset.train_split=trainval)" in lines[0]
    assert f"{TRAINED_ON} by the runs that it starts from (init.from=run:" in lines[1]
    assert "nothing is started before 2 of " in out.splitlines()[-1]


def test_nothing_is_submitted_while_a_row_would_be_refused(mixed, outputs, capsys):
    assert sweep(mixed, outputs, "submit=true") == 1
    assert TRAINED_ON in capsys.readouterr().err
    assert not outputs.exists()


def test_rows_in_order_are_carried_out(tmp_path, outputs, capsys):
    rows = [row("asked for", "dataset.train_split=trainval", "dataset.allow_overlap=[measured]")]
    folder = write_table(tmp_path / "sweeps", rows, run=JOINED)
    assert sweep(folder, outputs, "submit=true") == 0
    (run,) = Outputs(outputs).runs()
    (record,) = run.records()
    assert record.provenance["images"]["measured_trained"] == 3
    assert sweep(folder, outputs) == 0
    assert "error" not in capsys.readouterr().err


def test_settings_of_the_command_line_may_ask_for_it(mixed, outputs):
    asked = sweep_for(mixed, outputs, "dataset.allow_overlap=[measured]")
    assert list(refused_images(asked.plan().open_jobs, asked.jobs, Outputs(outputs))) == []


def test_data_that_are_not_here_are_left_to_the_run(tmp_path, outputs):
    elsewhere = ["dataset=camvid", f"dataset.root={tmp_path}", "backbone=resnet18", "head=fcn",
                 "schedule=shapes_200"]  # fmt: skip
    folder = write_table(tmp_path / "sweeps", [row("away", "dataset.train_split=trainval")], run=elsewhere)
    found = sweep_for(folder, outputs)
    assert list(refused_images(found.plan().open_jobs, found.jobs, Outputs(outputs))) == []

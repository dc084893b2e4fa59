from pathlib import Path

from repro.experiments.overrides import cell_overrides, sets_itself, stage_overrides, stages_of
from repro.papers import Column, Row, Stage, Table, TableKind

TABLE = Table(
    key="mine/table1",
    title="",
    place="",
    kind=TableKind.ABLATION,
    evaluated_on="",
    label_column="",
    varies=(),
    columns={},
    rows={},
    claims=(),
    stages={
        "pretraining": Stage("pretraining", ("dataset=shapes", "schedule.length=9 steps")),
        "between": Stage("between", ("schedule.length=8 steps",), after="pretraining"),
    },
    run=("backbone=resnet18", "dataset=camvid", "dataset.layout=original", "schedule.batch_size=4"),
    evaluation=("evaluation=whole", "evaluation.flip=true"),
    file=Path("table1.yaml"),
)
COLUMN = Column("mIoU", "miou", run=("schedule.batch_size=8",), evaluation=("evaluation.flip=false",))
ROW = Row(
    "own", run=("head=fcn", "head.width=16", "schedule.power=1"), evaluation=("evaluation.panels=0",), after="between"
)


def test_the_row_has_the_last_word_and_the_table_the_first():
    assert cell_overrides(TABLE, COLUMN, ROW) == (
        "backbone=resnet18", "dataset=camvid", "dataset.layout=original", "schedule.batch_size=8", "head=fcn",
        "head.width=16", "schedule.power=1", "evaluation=whole", "evaluation.flip=false", "evaluation.panels=0",
    )  # fmt: skip


def test_an_earlier_training_has_the_rows_network_and_its_own_protocol():
    assert stage_overrides(TABLE, COLUMN, ROW, TABLE.stages["between"]) == (
        "backbone=resnet18", "dataset=camvid", "dataset.layout=original", "schedule.batch_size=4", "head=fcn",
        "head.width=16", "evaluation=whole", "evaluation.flip=true", "schedule.length=8 steps",
    )  # fmt: skip


def test_an_earlier_training_on_another_data_set_has_no_leaves_of_the_tables():
    found = stage_overrides(TABLE, COLUMN, ROW, TABLE.stages["pretraining"])
    assert "dataset=shapes" in found
    assert not any(item.startswith("dataset.") for item in found)


def test_earlier_trainings_come_first_one_first():
    assert [stage.name for stage in stages_of(TABLE, ROW)] == ["pretraining", "between"]
    assert stages_of(TABLE, Row("plain")) == []


def test_what_a_row_or_its_column_sets_beside_the_table():
    assert sets_itself(ROW, COLUMN, "head.width")
    assert sets_itself(ROW, COLUMN, "schedule.batch_size")
    assert sets_itself(ROW, COLUMN, "evaluation.panels")
    assert not sets_itself(ROW, COLUMN, "dataset.layout")

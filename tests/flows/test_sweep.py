"""The command as a whole on trainings of less than a second each, in this process."""

import shutil

import pytest

from repro.store.outputs import Outputs
from repro.store.runs_csv import recorded, runs_csv
from repro.sweep.plan.job import JobState
from tests.one_second_paper import TRAINING, row, sweep, write_ledger, write_table
from tests.sweep.planning import plan_for, states_by_row, weights_times

DONE, RECORDED, TO_DO, TO_EVALUATE = JobState.DONE, JobState.RECORDED, JobState.TO_DO, JobState.TO_EVALUATE
ROWS = [row("narrow"), row("wide", "head.width=32"), row("twin")]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A sweeps folder and the outputs of its three rows, which are two trainings."""
    base = tmp_path_factory.mktemp("finished")
    folder = write_table(base / "sweeps", ROWS)
    assert sweep(folder, base / "outputs", "submit=true") == 0
    return folder, base / "outputs"


@pytest.fixture
def copied(finished, tmp_path):
    shutil.copytree(finished[0], tmp_path / "sweeps")
    shutil.copytree(finished[1], tmp_path / "outputs")
    return tmp_path / "sweeps", tmp_path / "outputs"


@pytest.fixture
def no_training(monkeypatch):
    monkeypatch.setattr("repro.run.session.train_network", lambda *_: pytest.fail("trained again"))


def test_equal_rows_are_trained_once_and_nothing_is_left_to_do(finished, capsys, no_training):
    folder, outputs = finished
    assert len(weights_times(outputs)) == 2
    assert sweep(folder, outputs) == 0
    assert (
        capsys.readouterr()
        .out.splitlines()[-1]
        .startswith("nothing to do: all 2 trainings are done and recorded; next: python -m repro.report ")
    )
    assert sweep(folder, outputs, "submit=true") == 0
    assert "nothing to do" in capsys.readouterr().out


def test_ids_of_the_plan_are_those_of_the_runs(finished):
    folder, outputs = finished
    plan = plan_for(folder, outputs)
    assert set(plan.jobs) == {run.run_id for run in Outputs(outputs).runs()}
    for job in plan.jobs.values():
        assert {record.evaluation_id for record in Outputs(outputs).run(job.run_id).records()} == set(job.evaluations)


def test_a_lost_record_is_measured_again_and_nothing_else(copied, no_training, capsys):
    folder, outputs = copied
    before = weights_times(outputs)
    plan = plan_for(folder, outputs)
    lost = Outputs(outputs).run(list(plan.jobs)[1])
    lost.record_path(lost.records()[0].evaluation_id).unlink()
    assert states_by_row(plan_for(folder, outputs)) == {
        "narrow": DONE,
        "wide": TO_EVALUATE,
        "twin": DONE,
    }
    assert sweep(folder, outputs, "submit=true") == 0
    assert "[1/1] mine/table1: wide" in capsys.readouterr().out
    assert weights_times(outputs) == before
    assert states_by_row(plan_for(folder, outputs)) == {
        "narrow": DONE,
        "wide": DONE,
        "twin": DONE,
    }


@pytest.mark.parametrize(
    ("rows", "run", "changed"),
    [
        ([row("narrow"), row("wide", "head.width=33"), row("twin")], TRAINING, {"wide"}),
        ([row("narrow", "schedule.momentum=0.8"), row("wide", "head.width=32"), row("twin")], TRAINING, {"narrow"}),
        (ROWS, [*TRAINING, "schedule.power=0.8"], {"narrow", "wide", "twin"}),
        (ROWS, [*TRAINING, "schedule.power=0.90"], set()),
    ],
)
def test_one_changed_number_makes_exactly_its_rows_to_do(copied, rows, run, changed):
    folder, outputs = copied
    write_table(folder, rows, run=run)
    states = states_by_row(plan_for(folder, outputs))
    assert {label for label, state in states.items() if state == TO_DO} == changed
    assert {label for label, state in states.items() if state == DONE} == states.keys() - changed


def test_another_evaluation_of_a_finished_training_only_evaluates(copied, no_training):
    folder, outputs = copied
    write_table(folder, [*ROWS, row("mirrored", evaluation=["evaluation.flip=true"])])
    plan = plan_for(folder, outputs)
    assert states_by_row(plan) == {
        "narrow": DONE,
        "wide": DONE,
        "twin": DONE,
        "mirrored": TO_EVALUATE,
    }
    assert len(plan.jobs) == 2
    assert sweep(folder, outputs, "submit=true") == 0


def test_what_the_list_of_records_holds_needs_no_run_folder(finished, tmp_path, capsys):
    folder, outputs = finished
    records = [record for run in Outputs(outputs).runs() for record in run.records()]
    reports = tmp_path / "reports"
    reports.mkdir()
    (reports / "runs.csv").write_text(runs_csv(map(recorded, records)))
    assert sweep(folder, tmp_path / "outputs", f"reports={reports}", "submit=true") == 0
    text = capsys.readouterr().out
    assert f"narrow  {RECORDED}" in text
    assert "nothing to do" in text
    assert not (tmp_path / "outputs" / "runs").exists()
    (reports / "runs.csv").write_text("run_id\n1\n")
    assert sweep(folder, tmp_path / "outputs", f"reports={reports}") == 2
    assert "the head line must be" in capsys.readouterr().err


def test_several_seeds_are_runs_of_their_own(copied, capsys):
    folder, outputs = copied
    assert sweep(folder, outputs, "seeds=[0,3]") == 0
    assert "narrow  1 done, 1 to do" in capsys.readouterr().out


def test_a_broken_row_of_the_yaml_fails_the_command_and_runs_the_rest(copied, capsys):
    folder, outputs = copied
    write_table(folder, [*ROWS, row("odd", "head.widht=3")])
    assert sweep(folder, outputs, "submit=true") == 1
    text = capsys.readouterr().out
    assert "did you mean head.width?" in text
    assert "problems in the papers' files: 1" in text


def test_other_readings_of_the_ledger_stand_beside_the_paper(copied, capsys):
    folder, outputs = copied
    entry = {
        "at": ["table1/narrow", "table1/wide"], "status": "open", "place": "nowhere", "why": "It must be something.",
        "leaves": {"head.dropout": 0.1}, "alternatives": {"none": ["head.dropout=0"], "much": ["head.dropout=0.5"]},
    }  # fmt: skip
    other = {
        **entry,
        "at": "paper",
        "leaves": {"schedule.power": 0.9},
        "alternatives": {"linear": ["schedule.power=1"]},
    }
    write_ledger(folder, {"dropout": [entry], "lr_schedule": [other]})
    plan = plan_for(folder, outputs, "ledger=mine", "setting=dropout")
    assert states_by_row(plan) == {
        "narrow": DONE, "narrow dropout: none": TO_DO, "narrow dropout: much": TO_DO,
        "wide": DONE, "wide dropout: none": TO_DO, "wide dropout: much": TO_DO,
    }  # fmt: skip
    assert len(plan_for(folder, outputs, "ledger=mine").jobs) == 2 * (1 + 2 + 1)
    assert sweep(folder, outputs, "ledger=mine", "setting=lr_schedule") == 0
    assert "    lr_schedule: linear  to do" in capsys.readouterr().out
    wrong = {**other, "alternatives": {"cubic": ["schedule.pwoer=3"]}}
    write_ledger(folder, {"dropout": [entry], "lr_schedule": [wrong]})
    assert sweep(folder, outputs, "ledger=mine") == 1
    assert "alternative cubic of lr_schedule" in capsys.readouterr().out
    assert sweep(folder, outputs, "ledger=mine", "setting=dropuot") == 2
    assert "did you mean dropout?" in capsys.readouterr().err


def test_a_difference_brings_the_cell_that_it_is_taken_against(copied, capsys):
    folder, outputs = copied
    gain = {"mIoU": {"metric": "delta(table1: wide)", "decimals": 1}}
    write_table(folder, [row("deep", "head.width=24"), row("deeper", "head.width=20")], key="table2", columns=gain)
    plan = plan_for(folder, outputs, "table=mine/table2")
    assert states_by_row(plan) == {"deep": TO_DO, "deeper": TO_DO, "wide": DONE}
    assert [item.measurement.address.row for item in plan.wanted if item.is_reference] == ["wide"]
    assert sweep(folder, outputs, "table=mine/table2") == 0
    assert "and 1 of other tables" in capsys.readouterr().out

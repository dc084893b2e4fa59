"""The command as a whole on trainings of a second each, in this process."""

import shutil

import pytest
import yaml

from repro.engine import train as training_module
from repro.store.run_folder import RunFolder, run_folders
from repro.store.runs_csv import recorded, runs_csv
from repro.sweep.plan.plan import BLOCKED, DONE, FAILED, NOT_NEEDED, RECORDED, TO_DO, TO_EVALUATE
from tests.one_second_paper import TRAINING, row, sweep, write_ledger, write_table
from tests.sweep.planning import plan_for, states_by_row, sweep_for

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
    monkeypatch.setattr("repro.run.session.train", lambda job: pytest.fail("trained again"))


def weights_times(outputs):
    return {folder.run_id: (folder.path / "weights.pt").stat().st_mtime_ns for folder in run_folders(outputs / "runs")}


def test_a_plan_shows_and_does_nothing(tmp_path, capsys):
    folder = write_table(tmp_path / "sweeps", ROWS)
    assert sweep(folder, tmp_path / "outputs") == 0
    text = capsys.readouterr().out
    assert "  narrow  to do\n  wide    to do\n  twin    to do\n" in text
    assert "trainings   2 distinct, with 2 evaluations; one for each cell would be 3" in text
    assert "no basis" in text
    assert "operations" in text
    assert "submit=true carries out 2 (one after the other, in this process)" in text.splitlines()[-1]
    assert not (tmp_path / "outputs").exists()


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
    assert set(plan.jobs) == {run.run_id for run in run_folders(outputs / "runs")}
    for job in plan.jobs.values():
        assert {record.evaluation_id for record in RunFolder(outputs / "runs", job.run_id).records()} == set(
            job.evaluations
        )


def test_a_lost_record_is_measured_again_and_nothing_else(copied, no_training, capsys):
    folder, outputs = copied
    before = weights_times(outputs)
    plan = plan_for(folder, outputs)
    lost = RunFolder(outputs / "runs", list(plan.jobs)[1])
    lost.record_path(lost.records()[0].evaluation_id).unlink()
    assert states_by_row(plan_for(folder, outputs)) == {"narrow": DONE, "wide": TO_EVALUATE, "twin": DONE}
    assert sweep(folder, outputs, "submit=true") == 0
    assert "[1/1] mine/table1: wide" in capsys.readouterr().out
    assert weights_times(outputs) == before
    assert states_by_row(plan_for(folder, outputs)) == {"narrow": DONE, "wide": DONE, "twin": DONE}


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
    assert states_by_row(plan) == {"narrow": DONE, "wide": DONE, "twin": DONE, "mirrored": TO_EVALUATE}
    assert len(plan.jobs) == 2
    assert sweep(folder, outputs, "submit=true") == 0


def test_what_the_list_of_records_holds_needs_no_run_folder(finished, tmp_path, capsys):
    folder, outputs = finished
    records = [record for run in run_folders(outputs / "runs") for record in run.records()]
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


def test_a_broken_row_stops_no_other_and_is_named_at_the_end(tmp_path, capsys):
    rows = [row("hungry", "schedule.batch_size=32"), row("narrow"), row("rough", "head.dropout=7")]
    folder = write_table(tmp_path / "sweeps", rows)
    assert sweep(folder, tmp_path / "outputs", "submit=true") == 1
    text = capsys.readouterr().out
    assert states_by_row(plan_for(folder, tmp_path / "outputs")) == {"hungry": FAILED, "narrow": DONE, "rough": FAILED}
    closing = text.partition("\nfailed\n")[2]
    assert "fewer than one batch" in closing
    assert "dropout" in closing
    assert "1 of 3 done now, 2 of 3 trainings still open" in closing
    assert "action=retry repeats what failed" in closing.splitlines()[-1]
    assert "Traceback" not in text
    assert sweep(folder, tmp_path / "outputs", "submit=true") == 1
    assert "nothing to do" not in capsys.readouterr().out


def test_an_error_of_the_program_is_kept_with_its_trace_and_retried(tmp_path, capsys, monkeypatch):
    folder, outputs = write_table(tmp_path / "sweeps", ROWS), tmp_path / "outputs"
    step = training_module.training_step

    def breaks(job, image, label):
        if next(job.state.model.head.parameters()).shape[0] == 16:
            raise ZeroDivisionError("of nothing")
        return step(job, image, label)

    monkeypatch.setattr(training_module, "training_step", breaks)
    assert sweep(folder, outputs, "submit=true") == 1
    text = capsys.readouterr().out
    assert "Traceback" in text
    assert "failed: ZeroDivisionError: of nothing" in text
    states = {"narrow": FAILED, "wide": DONE, "twin": FAILED}
    assert states_by_row(plan_for(folder, outputs)) == states
    times = weights_times_of_finished(outputs)
    monkeypatch.setattr(training_module, "training_step", step)
    assert sweep(folder, outputs, "action=retry") == 0
    assert set(states_by_row(plan_for(folder, outputs)).values()) == {DONE}
    assert times.items() <= weights_times(outputs).items()
    assert "all 2 trainings are done" in capsys.readouterr().out
    assert sweep(folder, outputs, "action=retry") == 0


def weights_times_of_finished(outputs):
    return {folder.run_id: (folder.path / "weights.pt").stat().st_mtime_ns
            for folder in run_folders(outputs / "runs") if (folder.path / "weights.pt").exists()}  # fmt: skip


STAGES = {
    "first": {"run": ["schedule.learning_rate=0.01"]},
    "second": {"after": "first", "run": ["schedule.learning_rate=0.02"]},
}
CHAINED = [row("long", after="second"), row("short", after="first"), row("fresh")]


@pytest.mark.slow
def test_a_chain_of_three_trains_each_stage_once_upstream_first(tmp_path, capsys):
    folder, outputs = write_table(tmp_path / "sweeps", CHAINED, stages=STAGES), tmp_path / "outputs"
    plan = plan_for(folder, outputs)
    assert len(plan.jobs) == 5
    assert plan.trainings_per_cell == 6
    assert sweep(folder, outputs, "submit=true") == 0
    last = next(job for job in plan.jobs.values() if job.cells == ("mine/table1: long @ mIoU",))
    runs = {run.run_id: run for run in run_folders(outputs / "runs")}
    assert runs.keys() == plan.jobs.keys()
    middle = yaml.safe_load(runs[last.run_id].read_config())["init"]["from"].removeprefix("run:")
    first = yaml.safe_load(runs[middle].read_config())["init"]["from"].removeprefix("run:")
    assert (last.upstream, plan.jobs[middle].upstream, plan.jobs[first].upstream) == (middle, first, None)
    assert set(states_by_row(plan_for(folder, outputs)).values()) == {DONE}
    shutil.rmtree(runs[first].path)
    assert plan_for(folder, outputs).jobs[first].state == NOT_NEEDED
    capsys.readouterr()
    assert sweep(folder, outputs, "submit=true") == 0
    assert "nothing to do" in capsys.readouterr().out


def test_a_failed_stage_blocks_what_starts_from_it(tmp_path, capsys):
    stages = {**STAGES, "first": {"run": ["schedule.batch_size=32"]}}
    rows = [row("long", "schedule.batch_size=4", after="second"), *CHAINED[1:]]
    stages["second"] = {"after": "first", "run": ["schedule.batch_size=4", "schedule.learning_rate=0.02"]}
    folder, outputs = write_table(tmp_path / "sweeps", rows, stages=stages), tmp_path / "outputs"
    assert sweep(folder, outputs, "submit=true") == 1
    text = capsys.readouterr().out
    assert states_by_row(plan_for(folder, outputs)) == {"long": BLOCKED, "short": BLOCKED, "fresh": DONE}
    blocked = text.rpartition("\nblocked\n")[2]
    assert blocked.count("failed: ") == 3
    assert "fewer than one batch" in blocked
    assert sweep(folder, outputs, "action=status") == 0
    assert "long   blocked" in capsys.readouterr().out


@pytest.mark.slow
def test_retry_takes_up_what_was_blocked(tmp_path, monkeypatch, capsys):
    folder, outputs = write_table(tmp_path / "sweeps", CHAINED[:2], stages=STAGES), tmp_path / "outputs"
    with monkeypatch.context() as patch:
        patch.setattr("repro.run.session.train", lambda job: 1 / 0)
        assert sweep(folder, outputs, "submit=true") == 1
    assert set(states_by_row(plan_for(folder, outputs)).values()) == {BLOCKED}
    retried = sweep_for(folder, outputs)
    assert len(retried.to_retry(retried.plan())) == 4
    assert sweep(folder, outputs, "action=retry") == 0
    assert set(states_by_row(plan_for(folder, outputs)).values()) == {DONE}


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


def test_an_unknown_kind_of_cluster_is_a_sentence(finished, capsys):
    assert sweep(*finished, "submit=true", "cluster.kind=cloud") == 2
    assert "cluster.kind is 'cloud'; it can be inline, local" in capsys.readouterr().err


def test_a_difference_brings_the_cell_that_it_is_taken_against(copied, capsys):
    folder, outputs = copied
    gain = {"mIoU": {"metric": "delta(table1: wide)", "decimals": 1}}
    write_table(folder, [row("deep", "head.width=24"), row("deeper", "head.width=20")], key="table2", columns=gain)
    plan = plan_for(folder, outputs, "table=mine/table2")
    assert states_by_row(plan) == {"deep": TO_DO, "deeper": TO_DO, "wide": DONE}
    assert [item.measurement.address.row for item in plan.wanted if item.is_reference] == ["wide"]
    assert sweep(folder, outputs, "table=mine/table2") == 0
    assert "and 1 of other tables" in capsys.readouterr().out

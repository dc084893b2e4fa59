"""Sweeps in which something breaks: what it stops, what it does not, and how it is taken up again."""

import shutil

from repro.config.configuration import Configuration
from repro.engine import train as training_module
from repro.store.outputs import Outputs
from repro.sweep.plan.job import JobState
from tests.one_second_paper import row, sweep, write_table
from tests.sweep.planning import plan_for, states_by_row, sweep_for, weights_times

BLOCKED, DONE, FAILED, NOT_NEEDED = JobState.BLOCKED, JobState.DONE, JobState.FAILED, JobState.NOT_NEEDED
ROWS = [row("narrow"), row("wide", "head.width=32"), row("twin")]


def test_a_broken_row_stops_no_other_and_is_named_at_the_end(tmp_path, capsys):
    rows = [row("hungry", "schedule.batch_size=32"), row("narrow"), row("rough", "head.dropout=7")]
    folder = write_table(tmp_path / "sweeps", rows)
    assert sweep(folder, tmp_path / "outputs", "submit=true") == 1
    text = capsys.readouterr().out
    assert states_by_row(plan_for(folder, tmp_path / "outputs")) == {
        "hungry": FAILED,
        "narrow": DONE,
        "rough": FAILED,
    }
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

    def breaks(learner, image, label):
        if next(learner.state.model.head.parameters()).shape[0] == 16:
            raise ZeroDivisionError("of nothing")
        return step(learner, image, label)

    monkeypatch.setattr(training_module, "training_step", breaks)
    assert sweep(folder, outputs, "submit=true") == 1
    text = capsys.readouterr().out
    assert "Traceback" in text
    assert "failed: ZeroDivisionError: of nothing" in text
    states = {"narrow": FAILED, "wide": DONE, "twin": FAILED}
    assert states_by_row(plan_for(folder, outputs)) == states
    times = weights_times(outputs)
    monkeypatch.setattr(training_module, "training_step", step)
    assert sweep(folder, outputs, "action=retry") == 0
    assert set(states_by_row(plan_for(folder, outputs)).values()) == {DONE}
    assert times.items() <= weights_times(outputs).items()
    assert "all 2 trainings are done" in capsys.readouterr().out
    assert sweep(folder, outputs, "action=retry") == 0


STAGES = {
    "first": {"run": ["schedule.learning_rate=0.01"]},
    "second": {"after": "first", "run": ["schedule.learning_rate=0.02"]},
}
CHAINED = [row("long", after="second"), row("short", after="first"), row("fresh")]


def started_from(run):
    frozen = Configuration.from_yaml(run.read_config(), run.config_path)
    return frozen.settings.init.source.removeprefix("run:")


def test_a_chain_of_three_trains_each_stage_once_upstream_first(tmp_path, capsys):
    folder, outputs = write_table(tmp_path / "sweeps", CHAINED, stages=STAGES), tmp_path / "outputs"
    plan = plan_for(folder, outputs)
    assert len(plan.jobs) == 5
    assert plan.trainings_per_cell == 6
    assert sweep(folder, outputs, "submit=true") == 0
    last = next(job for job in plan.jobs.values() if job.cells == ("mine/table1: long @ mIoU",))
    runs = {run.run_id: run for run in Outputs(outputs).runs()}
    assert runs.keys() == plan.jobs.keys()
    middle = started_from(runs[last.run_id])
    first = started_from(runs[middle])
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
    assert states_by_row(plan_for(folder, outputs)) == {
        "long": BLOCKED,
        "short": BLOCKED,
        "fresh": DONE,
    }
    blocked = text.rpartition("\nblocked\n")[2]
    assert blocked.count("failed: ") == 3
    assert "fewer than one batch" in blocked
    assert sweep(folder, outputs, "action=status") == 0
    assert "long   blocked" in capsys.readouterr().out


def test_retry_takes_up_what_was_blocked(tmp_path, monkeypatch, capsys):
    folder, outputs = write_table(tmp_path / "sweeps", CHAINED[:2], stages=STAGES), tmp_path / "outputs"
    with monkeypatch.context() as patch:
        patch.setattr("repro.run.session.train_network", lambda *_: 1 / 0)
        assert sweep(folder, outputs, "submit=true") == 1
    assert set(states_by_row(plan_for(folder, outputs)).values()) == {BLOCKED}
    retried = sweep_for(folder, outputs)
    assert len(retried.to_retry(retried.plan())) == 4
    assert sweep(folder, outputs, "action=retry") == 0
    assert set(states_by_row(plan_for(folder, outputs)).values()) == {DONE}

"""A chain of runs of which one is trained anew: what started from its weights reads stale, and is mended in turn."""

import pytest
import torch

from repro.errors import DataError, StoreError
from repro.run import session
from repro.run.command import main
from repro.run.lifecycle import run
from repro.run.repetition import told_if_stale
from repro.store.outputs import Outputs
from repro.store.status import RunState
from repro.sweep.clusters.execute import frozen
from repro.sweep.clusters.jobs import Ending, carry_out
from repro.sweep.plan.job import Job, JobState
from repro.sweep.plan.observe import observe
from repro.sweep.plan.plan import make_plan
from tests.tiny import TINIEST
from tests.tiny_runs import tiniest

SHORT = ["schedule.length=2 steps", "evaluation.panels=0"]


@pytest.fixture
def outputs(tmp_path):
    return Outputs(tmp_path)


@pytest.fixture
def chain(outputs):
    """Three runs, each after the one that it starts from, none of them carried out."""
    first = tiniest(outputs.root, *SHORT)
    second = tiniest(outputs.root, *SHORT, f"init.from=run:{first.run_id}")
    third = tiniest(outputs.root, *SHORT, f"init.from=run:{second.run_id}")
    return first, second, third


@pytest.fixture
def other_weights(monkeypatch):
    """From when it is called on trainings end elsewhere, as on another GPU."""
    train = session.train_network

    def trained(job, *others):
        with torch.no_grad():
            for parameter in job.learner.state.model.parameters():
                parameter += 0.1
        train(job, *others)

    return lambda: monkeypatch.setattr(session, "train_network", trained)


@pytest.fixture
def plan(outputs, chain):
    """What a sweep of the chain's last run would do now, by what is on disk."""
    first, second, third = chain
    jobs = [
        Job(first.run_id, first),
        Job(second.run_id, second, upstream=first.run_id),
        Job(third.run_id, third, upstream=second.run_id, evaluations={third.evaluation_id: third}),
    ]

    def planned():
        wanted = {job.run_id: job for job in jobs}
        return list(make_plan([], [0], wanted, observe(outputs, wanted), []).jobs.values())

    return planned


def forced(configuration):
    return run(configuration.forced())


def test_what_started_from_weights_that_were_trained_anew_is_stale_until_it_is_too(
    outputs, chain, plan, other_weights, capsys
):
    first, second, _ = chain
    for configuration in chain:
        run(configuration)
    forced(first)
    assert [job.state for job in plan()] == [JobState.DONE] * 3, "the same weights, bit for bit"
    other_weights()
    assert forced(first).record.provenance["repeated"]["same_weights"] is False
    assert [job.state for job in plan()] == [JobState.DONE, JobState.STALE, JobState.STALE]
    told = (
        f"stale: run {first.run_id}, which run {second.run_id} has started from, has been trained anew since; "
        "force=true trains that one anew too"
    )
    assert [told_if_stale(configuration, outputs) for configuration in chain] == ["", told, told]
    assert main([*TINIEST, *SHORT, f"outputs={outputs.root}", f"init.from=run:{second.run_id}"]) == 0
    assert f"warning: {told}" in capsys.readouterr().out, "although there is nothing to do"
    for job in plan()[1:]:
        assert carry_out(frozen(job), print).ending is Ending.DONE
    assert [job.state for job in plan()] == [JobState.DONE] * 3
    assert not any(told_if_stale(configuration, outputs) for configuration in chain)


def test_a_failed_further_evaluation_hides_nothing_that_is_stale(outputs, chain, plan, other_weights, monkeypatch):
    for configuration in chain:
        run(configuration)
    other_weights()
    forced(chain[0])
    monkeypatch.setattr(session, "record_evaluation", lambda *_: (_ for _ in ()).throw(StoreError("no room")))
    for configuration in chain[:2]:
        with pytest.raises(StoreError):
            run(configuration.with_evaluation(flip=True))
    assert [job.state for job in plan()][2] is JobState.STALE


def test_a_repetition_that_cannot_be_carried_out_loses_no_number(outputs, chain):
    first, second, _ = chain
    before = [run(configuration).record for configuration in (first, second)]
    outputs.run(first.run_id).weights_path.unlink()
    with pytest.raises(DataError, match=r"which has no weights at .*; repeat it with force=true"):
        forced(second)
    folder = outputs.run(second.run_id)
    assert folder.records() == [before[1]]
    assert folder.has_weights
    again = forced(first)
    assert again.folder.has_weights
    assert again.record.confusion_sha256 == before[0].confusion_sha256


def test_weights_that_were_removed_are_trained_anew_by_a_sweep_that_needs_them(outputs, chain, plan):
    for configuration in chain:
        run(configuration)
    outputs.run(chain[1].run_id).weights_path.unlink()
    outputs.run(chain[2].run_id).record_path(chain[2].evaluation_id).unlink()
    outputs.run(chain[2].run_id).weights_path.unlink()
    done, *todo = plan()
    assert (done.state, [job.state for job in todo]) == (JobState.DONE, [JobState.TO_DO] * 2)
    for job in todo:
        assert carry_out(frozen(job), print).ending is Ending.DONE
    assert [job.state for job in plan()] == [JobState.DONE] * 3


def test_a_training_that_is_interrupted_while_a_record_of_before_is_there_is_not_finished(outputs, chain, monkeypatch):
    first = chain[0]
    for flip in (False, True):
        run(first.with_evaluation(flip=flip))
    monkeypatch.setattr(session, "train_network", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        forced(first)
    folder = outputs.run(first.run_id)
    assert folder.read_status().state is RunState.INTERRUPTED
    assert not run(first.with_evaluation(flip=True)).fresh
    assert folder.read_status().state is RunState.INTERRUPTED
    monkeypatch.undo()
    assert run(first).record.provenance["repeated"]["same_weights"]


def test_what_a_run_started_from_is_known_although_its_journal_is_lost_afterwards(outputs, chain):
    first, second, _ = chain
    records = [run(configuration).record for configuration in (first, second)]
    outputs.run(second.run_id).journal_path.write_bytes(b"torn")
    again = run(second.with_evaluation(flip=True)).record
    assert again.provenance["start"] == records[1].provenance["start"]
    assert again.provenance["start"]["sha256"] == records[0].weights_sha256

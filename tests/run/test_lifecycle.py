"""One run from its configuration to its record: what is left on disk, what is not done again, how it ends."""

import logging

import pytest

from repro.config.configuration import Configuration
from repro.engine.meter import Diverged
from repro.errors import ConfigError, StoreError
from repro.run.lifecycle import run
from repro.store.journal import read_journal
from repro.store.outputs import Outputs
from repro.store.status import RunState
from tests.tiny_runs import folder_of


@pytest.fixture
def no_training(monkeypatch):
    """Called when what is there must be enough: from then on, whoever trains fails."""

    def forbid(name="session.train_network"):
        monkeypatch.setattr(f"repro.run.{name}", lambda *_: pytest.fail("worked again"))

    return forbid


def test_a_run_leaves_its_frozen_configuration_its_state_and_no_checkpoint(configure):
    configuration = configure("evaluation.masks=true")
    outcome = run(configuration)
    folder = outcome.folder
    assert outcome.fresh
    assert folder.read_status().state is RunState.FINISHED
    assert folder.read_status().step == outcome.record.steps == 6
    frozen = Configuration.from_yaml(folder.read_config(), folder.config_path)
    assert (frozen.run_id, frozen.evaluation_id) == (folder.run_id, outcome.record.evaluation_id)
    assert frozen.choices == configuration.choices
    assert [run_folder.run_id for run_folder in Outputs(configuration.settings.outputs).runs()] == [folder.run_id]
    events = [event.kind for event in read_journal(folder.journal_path).events]
    assert events == ["started", "checkpoint", "evaluated"]
    assert folder.checkpoints.files() == []
    assert folder.has_weights


def test_what_is_done_is_not_done_again(configure, no_training):
    first = run(configure())
    no_training()
    again = run(configure())
    assert first.fresh
    assert not again.fresh
    assert again.record == first.record
    other_protocol = run(configure("evaluation.flip=true"))
    assert other_protocol.fresh
    assert other_protocol.folder.path == first.folder.path
    assert len(first.folder.records()) == 2


def test_a_lost_record_is_measured_again_without_training(configure, no_training):
    first = run(configure())
    first.folder.record_path(first.record.evaluation_id).write_text('{"half": ')
    no_training()
    assert run(configure()).record.scores == first.record.scores


def test_pictures_asked_for_later_are_made_without_training(configure, no_training):
    first = run(configure("evaluation.panels=0"))
    no_training()
    again = run(configure("evaluation.masks=true"))
    assert again.record.confusion_sha256 == first.record.confusion_sha256
    assert len(list(first.folder.masks_path(first.record.evaluation_id).iterdir())) == 5
    assert not run(configure("evaluation.masks=true")).fresh


def test_a_kill_between_record_and_status_is_mended_without_work(configure, no_training):
    first = run(configure())
    first.folder.write_status(RunState.RUNNING, message="evaluating")
    no_training("lifecycle.work")
    assert not run(configure()).fresh
    assert first.folder.read_status().state is RunState.FINISHED


def test_a_loss_that_is_no_number_stops_the_run_and_says_so(configure):
    configuration = configure("schedule.learning_rate=1e30", "schedule.length=20 steps")
    with pytest.raises(Diverged, match="between steps"):
        run(configuration)
    folder = folder_of(configuration)
    assert folder.read_status().state is RunState.FAILED
    assert "the loss is" in folder.read_status().message
    assert not folder.has_weights
    assert [event.kind for event in read_journal(folder.journal_path).events][-1] == "failed"


def test_scores_that_are_no_numbers_stop_the_run_and_say_so(configure, monkeypatch):
    nan = float("nan")
    monkeypatch.setattr("repro.engine.evaluate.predict", lambda model, pixels, _: model(pixels.float())["main"] * nan)
    configuration = configure()
    with pytest.raises(Diverged, match="scores for image '0-val-00000' of split 'val' of 'shapes' are no finite"):
        run(configuration)
    folder = folder_of(configuration)
    assert folder.read_status().state is RunState.FAILED
    assert "nothing can be measured" in folder.read_status().message
    assert not folder.evaluation_ids()


def test_a_failed_second_evaluation_leaves_the_run_finished(configure):
    first = run(configure())
    with pytest.raises(ConfigError):
        run(configure("evaluation.output_stride=12"))
    assert first.folder.read_status().state is RunState.FINISHED
    assert "evaluation.output_stride" in first.folder.read_status().message
    assert not run(configure()).fresh


def test_two_processes_cannot_hold_one_run(configure):
    configuration = configure()
    with folder_of(configuration).lock(), pytest.raises(StoreError, match="is held by pid"):
        run(configuration)


def test_a_process_that_lost_its_lock_writes_nothing(configure, monkeypatch):
    configuration = configure("runtime.checkpoint_seconds=0")
    monkeypatch.setattr("repro.store.lock.FolderLock.is_ours", lambda self: False)
    with pytest.raises(StoreError, match="taken over"):
        run(configuration)
    folder = folder_of(configuration)
    assert folder.read_status().state is RunState.RUNNING
    assert [event.kind for event in read_journal(folder.journal_path).events] == ["started"]


def test_an_edited_frozen_config_is_refused(configure):
    outcome = run(configure())
    text = outcome.folder.config_path.read_text()
    outcome.folder.config_path.write_text(text.replace("momentum: 0.9", "momentum: 0.8"))
    with pytest.raises(StoreError, match="was edited"):
        run(configure("evaluation.flip=true"))
    assert outcome.folder.read_status().state is RunState.FAILED


def test_the_threads_of_the_first_start_stay(configure, monkeypatch):
    monkeypatch.setattr("repro.provenance.available_cores", lambda: 2)
    told = []
    monkeypatch.setattr("repro.run.session.torch.set_num_threads", told.append)
    run(configure("runtime.threads=null"))
    monkeypatch.setattr("repro.provenance.available_cores", lambda: 64)
    run(configure("runtime.threads=null", "evaluation.flip=true"))
    run(configure("runtime.threads=1", "evaluation.masks=true"))
    assert told == [2, 2, 1]
    folder = folder_of(configure())
    frozen = Configuration.from_yaml(folder.read_config(), folder.config_path)
    assert frozen.leaves["runtime.threads"] == 2


def test_the_run_log_holds_what_was_said_during_the_run(configure, monkeypatch):
    log = logging.getLogger("repro.somewhere")
    monkeypatch.setattr("repro.run.session.check_output_stride", lambda *_: log.warning("during it"))
    outcome = run(configure())
    log.warning("afterwards")
    text = outcome.folder.log_path.read_text()
    assert "WARNING repro.somewhere: during it" in text
    assert "afterwards" not in text

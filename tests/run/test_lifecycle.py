"""One run from its configuration to its record: what is left on disk, what is not done again, how it ends."""

import dataclasses
import itertools
import logging
import os
import signal
import threading

import pytest
import torch

from repro.config.configuration import Configuration
from repro.engine.meter import Diverged
from repro.engine.stop import Interrupted
from repro.errors import ConfigError, StoreError
from repro.run import session
from repro.run.lifecycle import run
from repro.store.journal import read_journal
from repro.store.outputs import Outputs
from repro.store.status import RunState
from tests.faults import flipped
from tests.tiny_runs import final_weights, folder_of, same_weights


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
    path = first.folder.record_path(first.record.evaluation_id)
    path.write_text('{"half": ')
    no_training()
    assert run(configure()).record.scores == first.record.scores
    assert path.with_name(f"{path.name}.damaged").read_text() == '{"half": ', "set aside and told"
    path.with_suffix(".npz").unlink()
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


def test_a_job_that_comes_again_waits_for_a_living_holder(configure, monkeypatch, caplog):
    monkeypatch.setattr("repro.store.lock.WAIT_SECONDS", 0.1)
    configuration = configure()
    old = folder_of(configuration).lock()
    leaving = threading.Timer(1.0, old.release)
    leaving.start()
    assert run(configuration, unattended=True).fresh
    assert "waiting for it, up to 600 s" in caplog.text


def test_a_job_that_waits_for_a_living_holder_ends_at_a_notice_and_leaves_its_status_alone(configure):
    configuration = configure()
    with folder_of(configuration).lock():
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGUSR2)).start()
        with pytest.raises(Interrupted, match="stopped by SIGUSR2 while waiting for who holds the run"):
            run(configuration, unattended=True)
    assert folder_of(configuration).read_status() is None


def test_who_lost_its_lock_before_the_first_write_writes_nothing(configure, monkeypatch):
    monkeypatch.setattr("repro.store.lock.FolderLock.is_ours", lambda self: False)
    with pytest.raises(StoreError, match="taken over"):
        run(configure())
    folder = folder_of(configure())
    assert folder.read_status() is None
    assert not folder.config_path.exists()
    assert read_journal(folder.journal_path).events == ()


def test_a_process_that_lost_its_lock_writes_nothing_more(configure, monkeypatch):
    configuration = configure("runtime.checkpoint_seconds=0")
    answers = itertools.chain([True], itertools.repeat(False))
    monkeypatch.setattr("repro.store.lock.FolderLock.is_ours", lambda self: next(answers))
    with pytest.raises(StoreError, match="taken over"):
        run(configuration)
    folder = folder_of(configuration)
    assert folder.read_status().state is RunState.RUNNING
    assert [event.kind for event in read_journal(folder.journal_path).events] == ["started"]


def test_a_frozen_config_of_another_run_whose_code_is_gone_is_set_aside(configure, no_training, caplog):
    folder = run(configure()).folder
    folder.config_path.write_text(folder.read_config().replace("repro.nn.FCN", "gone.Head"))
    no_training()
    assert run(configure("evaluation.flip=true")).fresh
    assert "it describes another run; it is set aside" in caplog.text


@pytest.mark.parametrize("kind", ["of another run", "of another form"])
def test_a_record_that_is_not_ours_is_set_aside_and_measured_anew(configure, no_training, caplog, kind):
    first = run(configure())
    path = first.folder.record_path(first.record.evaluation_id)
    other = run(configure("seed=1")) if kind == "of another run" else None
    path.write_text(other.folder.record_path(other.record.evaluation_id).read_text() if other else '{"mine": 1}')
    no_training()
    assert run(configure()).record.scores == first.record.scores
    assert f"it is set aside as {path.name}.damaged" in caplog.text
    assert path.with_name(f"{path.name}.damaged").exists()


@pytest.mark.parametrize("digested", [True, False])
def test_an_edited_frozen_config_is_set_aside_and_told(configure, no_training, caplog, digested):
    folder = run(configure()).folder
    text = folder.config_path.read_text() if digested else folder.read_config()
    edited = text.replace("momentum: 0.9", "momentum: 0.8")
    folder.config_path.write_text(edited)
    no_training()
    assert run(configure("evaluation.flip=true")).fresh
    assert "was edited" in caplog.text
    assert "is set aside as config.yaml." in caplog.text
    (aside,) = folder.path.glob("config.yaml.*")
    assert aside.read_text() == edited
    assert Configuration.from_yaml(folder.read_config(), folder.config_path).run_id == folder.run_id
    assert "set_aside" in [event.kind for event in read_journal(folder.journal_path).events]


def test_a_torn_status_of_a_finished_run_is_mended(configure, no_training):
    folder = run(configure()).folder
    folder.status_path.write_text('{"state": "FIN')
    no_training()
    assert not run(configure()).fresh
    assert folder.read_status().state is RunState.FINISHED


@pytest.mark.parametrize("damage", ["torn", "flipped", "another run's"])
def test_unusable_weights_of_a_finished_run_are_set_aside_and_made_anew(configure, damage, tmp_path, caplog):
    first = run(configure())
    weights, sound = first.folder.weights_path, final_weights(first.folder)
    content = weights.read_bytes()
    if damage == "another run's":
        content = run(configure("seed=1")).folder.weights_path.read_bytes()
    weights.write_bytes({"torn": content[:3000], "flipped": flipped(content)}.get(damage, content))
    again = run(configure("evaluation.flip=true"))
    assert again.folder.path == first.folder.path
    assert "it is set aside as weights.pt." in caplog.text
    assert same_weights(final_weights(first.folder), sound)
    assert again.record.weights_sha256 == first.record.weights_sha256, "so that the first record is still of them"
    assert len(first.folder.records()) == 2


def test_damaged_weights_are_rewritten_from_a_checkpoint_of_the_last_step(configure, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("repro.engine.checkpoint.CheckpointFolder.clear", lambda self: None)
        folder = run(configure()).folder
    sound = final_weights(folder)
    folder.weights_path.write_bytes(b"torn")
    monkeypatch.setattr("repro.engine.train.training_step", lambda *_: pytest.fail("trained again"))
    run(configure("evaluation.flip=true"))
    assert same_weights(final_weights(folder), sound)


def test_records_of_other_weights_are_set_aside(configure):
    first = run(configure())
    other = dataclasses.replace(first.record, evaluation_id="0" * 16, weights_sha256="of others")
    images = first.folder.read_image_confusions(first.record)
    first.folder.write_record(other, images.total(), images)
    run(configure("evaluation.flip=true"))
    assert "0" * 16 not in first.folder.evaluation_ids()
    assert first.folder.record_path("0" * 16).with_name(f"{'0' * 16}.json.other-weights").exists()


def test_weights_from_before_digests_are_used_and_read_undigested(configure, no_training, caplog):
    first = run(configure())
    content = torch.load(first.folder.weights_path, weights_only=True)
    del content["run"], content["sha256"]
    torch.save(content, first.folder.weights_path)
    no_training()
    again = run(configure("evaluation.flip=true"))
    assert "weights.pt is undigested" in caplog.text
    assert again.record.provenance["training"]["weights_file"] == "undigested"
    assert again.record.weights_sha256 == first.record.weights_sha256


def test_if_all_checkpoints_are_damaged_the_run_begins_with_the_weights_that_it_is_to_begin_with(
    configure, break_off, monkeypatch
):
    configuration = configure("runtime.checkpoint_seconds=0")
    break_off(configuration, 3)
    for file in folder_of(configuration).checkpoints.files():
        file.write_bytes(b"torn")
    asked, build = [], session.build_model

    def built(*arguments, pretrained):
        asked.append(pretrained)
        return build(*arguments, pretrained=pretrained)

    monkeypatch.setattr(session, "build_model", built)
    run(configuration)
    assert asked == [True]


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

"""What of a run folder is shown elsewhere, worked out without MLflow."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.errors import StoreError
from repro.store.journal import Journal
from repro.store.record import Names
from repro.store.run_folder import RunFolder
from repro.store.status import RunState
from repro.track import take_snapshot
from repro.track.snapshot import LONGEST_VALUE, clean_key
from tests.example_runs import CONFIG, MATRIX, example_record, example_run


def test_what_a_finished_run_shows(tmp_path: Path) -> None:
    folder = example_run(tmp_path)
    (folder.evaluations_path / "00000000000000ee").mkdir()
    (folder.evaluations_path / "00000000000000ee" / "panels.png").write_bytes(b"png")
    folder.checkpoints.write(folder.checkpoints.file(40), b"weights")
    shot = take_snapshot(folder)
    assert (shot.run_id, shot.state, shot.name) == (folder.run_id, RunState.FINISHED, "vortex-shapes-seed3")
    assert shot.params["head.rates"] == "[1, 3, 9]"
    assert shot.params["schedule.length"] == "40 steps"
    assert "tracking.kind" not in shot.params
    assert shot.tags["repro.run_id"] == folder.run_id
    assert shot.tags["repro.head"] == "vortex"
    assert shot.tags["repro.commit"] == "c0ffee"
    assert [point.step for point in shot.points if point.key == "loss"] == list(range(1, 41))
    scores = {point.key: point.value for point in shot.points if point.key.startswith("whole")}
    assert scores == {
        "whole/miou_percent": 86.4,
        "whole/pixel_accuracy_percent": 92.8,
        "whole/iou_percent/background": 87.7,
        "whole/iou_percent/disc": 85.1,
    }
    places = {f"{place}/{path.name}".lstrip("/") for path, place in shot.artifacts}
    assert places == {
        "config.yaml",
        "evaluations/00000000000000ee.json",
        "evaluations/00000000000000ee.npz",
        "evaluations/00000000000000ee/panels.png",
    }


def test_images_that_served_twice_are_a_tag(tmp_path: Path) -> None:
    folder = example_run(tmp_path)
    assert "repro.images" not in take_snapshot(folder).tags
    for number, images in enumerate(({"measured_trained": 5}, {"measured_trained": 5, "unknown": ["file:aa"]})):
        record = example_record(folder.run_id, evaluation_id=f"{number:016x}")
        record.provenance["images"] = images
        folder.write_record(record, MATRIX)
    assert take_snapshot(folder).tags["repro.images"] == (
        "5 of the measured images were trained on; which images are behind the weights of file:aa is unknown"
    )


def test_a_run_that_may_resume_shows_points_up_to_its_newest_checkpoint(tmp_path: Path) -> None:
    folder = example_run(tmp_path, steps=40, checkpoint=30, state=RunState.RUNNING)
    steps = [point.step for point in take_snapshot(folder).points if point.key == "loss"]
    assert steps == list(range(1, 31))
    assert {point.step for point in take_snapshot(folder, upto_step=10).points} == set(range(1, 11))
    assert {point.step for point in take_snapshot(folder, state=RunState.FINISHED).points} == set(range(1, 41))


def test_without_a_checkpoint_nothing_is_shown_yet(tmp_path: Path) -> None:
    folder = example_run(tmp_path, steps=0, checkpoint=0, state=RunState.RUNNING)
    with Journal(folder.journal_path) as journal:
        journal.point(1, loss=1.0)
    assert take_snapshot(folder).points == ()


def test_numbers_that_are_none_are_named_instead_of_sent(tmp_path: Path) -> None:
    folder = example_run(tmp_path, steps=3, state=RunState.FAILED)
    with Journal(folder.journal_path) as journal:
        journal.point(4, loss=float("nan"), speed=1.0)
        journal.event("checkpoint", step=4)
    shot = take_snapshot(folder)
    assert shot.tags["repro.non_finite_metrics"] == "loss"
    assert [point.step for point in shot.points if point.key == "loss"] == [1, 2, 3]
    assert [point.step for point in shot.points if point.key == "speed"] == [4]


def test_the_reason_of_a_failure_is_a_tag(tmp_path: Path) -> None:
    folder = example_run(tmp_path, state=RunState.FAILED)
    folder.write_status(RunState.FAILED, message="the loss is nan at step 7")
    assert take_snapshot(folder).tags["repro.message"] == "the loss is nan at step 7"


def test_two_protocols_of_one_name_keep_apart_and_the_first_keeps_its_name(tmp_path: Path) -> None:
    folder = example_run(tmp_path)
    later = example_record(folder.run_id, "00000000000000dd", created="2026-05-01T00:00:00+00:00")
    folder.write_record(later, MATRIX)
    other = Names("resnet18", "vortex", "shapes", "tiny", "multi_scale_flip")
    folder.write_record(example_record(folder.run_id, "00000000000000ff", names=other), MATRIX)
    keys = {point.key for point in take_snapshot(folder).points}
    assert {"whole/miou_percent", "whole.00000000/miou_percent", "multi_scale_flip/miou_percent"} <= keys


def test_the_fingerprint_changes_with_anything_new_and_with_nothing_else(tmp_path: Path) -> None:
    folder = example_run(tmp_path)
    first = take_snapshot(folder).fingerprint
    folder.write_status(RunState.FINISHED)
    assert take_snapshot(folder).fingerprint == first
    folder.write_record(example_record(folder.run_id, "00000000000000dd"), MATRIX)
    assert take_snapshot(folder).fingerprint != first
    assert take_snapshot(folder, state=RunState.FAILED).fingerprint != first


def test_long_values_are_cut_visibly(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, "aa")
    folder.freeze_config(yaml.safe_dump(CONFIG | {"note": "x" * 9000}))
    value = take_snapshot(folder).params["note"]
    assert len(value) == LONGEST_VALUE
    assert value.endswith("(cut; whole in config.yaml)")


@pytest.mark.parametrize("text", ["", "just text", "[1, 2]", "a: [1", "a: {b: .nan}\nseed: 1"])
def test_a_damaged_config_is_named_unless_it_still_reads(tmp_path: Path, text: str) -> None:
    folder = RunFolder(tmp_path, "aa")
    folder.freeze_config(text)
    if text.startswith("a: {"):
        assert take_snapshot(folder).params["a.b"] == "NaN"
    else:
        with pytest.raises(StoreError, match=r"config\.yaml"):
            take_snapshot(folder)


@settings(deadline=None)  # the first example imports MLflow
@given(st.text(max_size=300))
def test_every_key_is_one_that_mlflow_accepts(text: str) -> None:
    from mlflow.utils.validation import _validate_metric_name, _validate_param_name

    key = clean_key(text)
    _validate_metric_name(key)
    _validate_param_name(key)
    assert len(key) <= 250
    assert clean_key(key) == key

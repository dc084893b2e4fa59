"""The measurement of a run: the record agrees with the matrix beside it, and the pictures are those asked for."""

import numpy as np
import pytest
from PIL import Image

from repro.build import build_dataset, build_model, parameter_count
from repro.engine.fold import fold_batch_norm
from repro.metrics import SCORES, iou_percent, miou_percent
from repro.run import evaluation
from repro.run.evaluation import describe_split
from repro.run.lifecycle import run
from repro.store.journal import read_journal


def test_the_scores_are_those_of_the_matrix(configure):
    outcome = run(configure())
    record, matrix = outcome.record, outcome.folder.read_confusion(outcome.record)
    assert 0.9 * 5 * 64 * 64 < matrix.sum() <= 5 * 64 * 64
    assert record.scores.miou_percent == pytest.approx(miou_percent(matrix))
    assert {name: getattr(record.scores, name) for name in SCORES} == pytest.approx(
        {name: float(score(matrix)) for name, score in SCORES.items()}
    )
    classes = [np.nan if value is None else value for value in record.per_class_iou_percent.values()]
    np.testing.assert_allclose(classes, iou_percent(matrix))


@pytest.mark.parametrize("protocol", [[], ["evaluation.scales=[0.5,1.0]", "evaluation.flip=true"],
                                      ["evaluation.window=48"]])  # fmt: skip
def test_the_matrices_of_the_images_are_those_of_their_masks(configure, protocol):
    configuration = configure("evaluation.masks=true", *protocol)
    outcome = run(configuration)
    images = outcome.folder.read_image_confusions(outcome.record)
    assert images.sha256() == outcome.record.image_confusions_sha256
    np.testing.assert_array_equal(images.total(), outcome.folder.read_confusion(outcome.record))
    dataset = build_dataset(configuration, "val")
    assert len(images) == len(dataset)
    for index, name in enumerate(dataset.ids):
        label = dataset[index][1].numpy()
        with Image.open(outcome.folder.masks_path(outcome.record.evaluation_id) / f"{name}.png") as picture:
            mask = np.asarray(picture)
        expected = np.zeros((dataset.num_classes,) * 2, dtype=np.int64)
        np.add.at(expected, (label[label != 255], mask[label != 255]), 1)
        np.testing.assert_array_equal(images.matrix(index), expected)


def test_the_record_says_what_was_measured_and_how(configure):
    configuration = configure("seed=3", "runtime.log_every_steps=1")
    outcome = run(configuration)
    record, provenance = outcome.record, outcome.record.provenance
    measured, trained_on = build_dataset(configuration, "val"), build_dataset(configuration, "train")
    assert (record.run_id, record.evaluation_id) == (configuration.run_id, configuration.evaluation_id)
    assert (record.config, record.evaluation_config) == (configuration.science, configuration.protocol)
    assert (record.names.head, record.names.dataset, record.names.evaluation) == ("fcn", "shapes", "whole")
    assert (record.seed, record.scale, record.steps, record.gpu_seconds) == (3, "paper", 6, 0.0)
    assert record.parameters == parameter_count(build_model(configuration, measured.num_classes)[0])
    assert provenance["command"] == ["python", "-m", "repro", *configuration.overrides]
    assert provenance["evaluated_split"] == describe_split(measured)
    assert provenance["training"]["split"] == describe_split(trained_on)
    assert provenance["training"]["batch_norm_samples"] == 4
    assert provenance["restarts"] == 0
    assert provenance["batch_norm"] == {"folded": 6, "kept": 0}
    assert record.wall_seconds > 0
    points = read_journal(outcome.folder.journal_path).points
    assert [point.step for point in points] == [1, 2, 3, 4, 5, 6]
    assert all({"loss", "learning_rate", "images_per_second"} <= point.metrics.keys() for point in points)


def test_batch_norm_is_folded_where_it_is_exact_and_wanted_and_nothing_else_moves(configure):
    said, measured = [], []
    for overrides in ([], ["runtime.fold_batch_norm=false"], ["precision=bf16"]):
        record = run(configuration := configure("seed=4", "force=true", *overrides)).record
        said.append(record.provenance["batch_norm"]["folded"] > 0)
        measured.append((configuration.run_id, record.evaluation_id, record.weights_sha256))
    assert said == [True, False, False]
    assert measured[0] == measured[1]


def test_validations_fold_nothing(configure, monkeypatch):
    folded = []
    monkeypatch.setattr(evaluation, "fold_batch_norm", lambda *given: folded.append(given) or fold_batch_norm(*given))
    run(configure("seed=5", 'validation.every="3 steps"'))
    assert len(folded) == 1


def test_a_split_is_told_by_name_size_and_ids(configure):
    train, val = (build_dataset(configure(), split) for split in ("train", "val"))
    assert describe_split(val) == {"name": "val", "images": 5, "sha256": val.split_sha256()}
    assert describe_split(train)["sha256"] != describe_split(val)["sha256"]


def test_the_pictures_are_those_asked_for(configure):
    outcome = run(configure("evaluation.masks=true", "evaluation.panels=2"))
    folder, evaluation_id = outcome.folder, outcome.record.evaluation_id
    with Image.open(folder.panels_path(evaluation_id)) as panels:
        assert panels.size == (64 * 4 + 12, 64 * 2 + 4)
    masks = sorted(folder.masks_path(evaluation_id).iterdir())
    assert len(masks) == 5
    with Image.open(masks[0]) as mask:
        assert mask.size == (64, 64)
        assert np.asarray(mask).max() < len(outcome.record.per_class_iou_percent)


def test_without_a_wish_there_are_no_pictures(configure):
    outcome = run(configure("evaluation.panels=0"))
    assert not (outcome.folder.evaluations_path / outcome.record.evaluation_id).exists()

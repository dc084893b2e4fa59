"""A VOC folder from raw files to a record, and real photographs, through the command that the README shows."""

import shutil

import numpy as np
import pytest
from PIL import Image

from repro.data import VOC, CamVid
from repro.store.outputs import Outputs
from tests.data.voc_folder import make_voc, save_palette_mask

SMALL = [
    "backbone.weights=null", "backbone=resnet18", "backbone._target_=tests.tiny_network.Small",
    "schedule.length=3 steps", "schedule.batch_size=2", "schedule.augmentation.crop_size=65",
    "tracking=none", "runtime.progress=false", "runtime.workers=1", "runtime.threads=1",
]  # fmt: skip


@pytest.fixture
def run(tmp_path, runs):
    """Carries out a run in a folder of the test's own; returns its record and what it printed."""

    def carried_out(*overrides):
        done = runs.finish([*overrides, *SMALL], tmp_path)
        assert done.returncode == 0, done.stderr
        (folder,) = Outputs(tmp_path / "outputs").runs()
        (record,) = folder.records()
        return record, done.stdout

    return carried_out


def test_head_vortex_dataset_voc_from_raw_files_to_record(tmp_path, run):
    make_voc(tmp_path / "voc")
    record, output = run(
        "head=vortex", "dataset=voc", f"dataset.root={tmp_path / 'voc'}", "dataset.split_sha256=null",
        "dataset.expected_images=null", "evaluation.pad_to=97", "evaluation.masks=true",
    )  # fmt: skip
    assert "vortex-voc-seed0: mIoU" in output
    assert next(iter(record.per_class_iou_percent)) == "background"
    assert len(record.per_class_iou_percent) == 21
    assert record.config["dataset"]["train_split"] == "trainaug"
    assert record.evaluation_config["evaluation"]["output_stride"] == 16
    assert record.provenance["evaluated_split"]["images"] == 4
    masks = list((tmp_path / "outputs").rglob("masks/*.png"))
    assert {mask.stem for mask in masks} == set(ids_of(tmp_path / "voc", "val"))
    dataset = VOC("val", root=tmp_path / "voc")
    assert labels_of(tmp_path, record) == [labels_in(dataset[index][1], 21) for index in range(4)]


def labels_of(folder, record):
    """Pixels of every class in every image, as the matrices beside the record have them."""
    images = Outputs(folder / "outputs").run(record.run_id).read_image_confusions(record)
    return [images.matrix(index).sum(1).tolist() for index in range(len(images))]


def labels_in(label, num_classes):
    """Pixels of every class in one label."""
    return np.bincount(label.flatten(), minlength=256)[:num_classes].tolist()


def test_two_folders_without_declared_hashes_are_two_runs_and_a_copy_is_none(tmp_path, runs):
    ids = make_voc(tmp_path / "one")
    for other in ("copy", "edited"):
        shutil.copytree(tmp_path / "one", tmp_path / other)
    mask = tmp_path / "edited" / "VOCdevkit" / "VOC2012" / "SegmentationClass" / f"{ids['train'][0]}.png"
    save_palette_mask(mask, np.zeros_like(np.array(Image.open(mask))))
    undeclared = ["dataset=voc", "dataset.split_sha256=null", "dataset.expected_images=null", "schedule.length=1 steps"]
    said = []
    for folder in ("one", "copy", "edited"):
        leaves = [leaf for leaf in SMALL if not leaf.startswith("schedule.length")]
        done = runs.finish([*undeclared, f"dataset.root={tmp_path / folder}", *leaves, "evaluation=whole"], tmp_path)
        assert done.returncode == 0, done.stderr
        said.append("nothing to do" in done.stdout)
    assert said == [False, True, False]
    assert len(list(Outputs(tmp_path / "outputs").runs())) == 2


def ids_of(root, split):
    return (root / "VOCdevkit" / "VOC2012" / "ImageSets" / "Segmentation" / f"{split}.txt").read_text().split()


def test_the_official_lists_are_demanded_unless_told_otherwise(tmp_path, runs):
    make_voc(tmp_path / "voc")
    done = runs.finish(["dataset=voc", f"dataset.root={tmp_path / 'voc'}", *SMALL], tmp_path)
    assert done.returncode == 2
    assert "1449" in done.stderr
    assert "Traceback" not in done.stderr


def test_real_photographs_from_raw_files_to_record(tmp_path, camvid_root, run):
    record, _ = run(
        "head=aspp", "head.width=16", "dataset=camvid", f"dataset.root={camvid_root}", "evaluation.split=val",
        "dataset.train_split=train", "evaluation.batch_size=2",
    )  # fmt: skip
    assert record.provenance["evaluated_split"]["images"] == 101
    assert record.config["dataset"]["train_split"] == "train"
    assert len(record.per_class_iou_percent) == 11
    labels, dataset = labels_of(tmp_path, record), CamVid("val", root=camvid_root)
    assert len(labels) == 101
    assert [labels[index] for index in (0, 50, 100)] == [labels_in(dataset[index][1], 11) for index in (0, 50, 100)]

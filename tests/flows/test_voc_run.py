"""A VOC folder from raw files to a record, and real photographs, through the command that the README shows."""

import os
import subprocess
import sys

import pytest

from repro.store.record import Record
from tests.data.voc_folder import make_voc

SMALL = [
    "backbone.weights=null", "backbone=resnet18", "schedule.length=3 steps", "schedule.batch_size=2",
    "schedule.augmentation.crop_size=65", "tracking=none", "runtime.progress=false",
    "runtime.workers=1",
]  # fmt: skip


def run(cwd, *overrides):
    done = subprocess.run(
        [sys.executable, "-m", "repro", *overrides, *SMALL],
        cwd=cwd, capture_output=True, text=True, check=False, timeout=400, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    files = list((cwd / "outputs" / "runs").glob("*/evaluations/*.json"))
    assert len(files) == 1
    return Record.from_json(files[0].read_text(), str(files[0])), done.stdout


def test_head_vortex_dataset_voc_from_raw_files_to_record(tmp_path):
    make_voc(tmp_path / "voc")
    record, output = run(
        tmp_path, "head=vortex", "dataset=voc", f"dataset.root={tmp_path / 'voc'}", "dataset.split_sha256=null",
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


def ids_of(root, split):
    return (root / "VOCdevkit" / "VOC2012" / "ImageSets" / "Segmentation" / f"{split}.txt").read_text().split()


def test_the_official_lists_are_demanded_unless_told_otherwise(tmp_path):
    make_voc(tmp_path / "voc")
    done = subprocess.run(
        [sys.executable, "-m", "repro", "dataset=voc", f"dataset.root={tmp_path / 'voc'}", *SMALL],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode != 0
    assert "1449" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_real_photographs_from_raw_files_to_record(tmp_path, camvid_root):
    record, _ = run(
        tmp_path, "head=aspp", "dataset=camvid", f"dataset.root={camvid_root}", "evaluation.split=val",
        "evaluation.batch_size=2",
    )  # fmt: skip
    assert record.provenance["evaluated_split"]["images"] == 101
    assert record.config["dataset"]["train_split"] == "trainval"
    assert len(record.per_class_iou_percent) == 11

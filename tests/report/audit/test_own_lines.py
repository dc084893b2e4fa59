"""One line against itself, its command, its scale and its data set: what is right must not be blamed."""

from dataclasses import replace

import pytest

from repro.papers import Scale
from repro.report.audit.contradiction import OwnKind
from repro.report.audit.own_lines import Known, contradictions
from repro.store.record import Names, Scores
from tests.report.audit.made_lines import KNOWN, altered, lines

LINE = lines()[0]
CAMVID = replace(
    LINE, names=Names("resnet34", "aspp", "camvid", "camvid_90_epochs", "whole"), scale="paper",
    split="test", images=233, steps=90 * (468 // 8),
    split_sha256="0e16de8062fab588bb4582ee6aa9468975d5a3dc38088473036ec09d5862f6cd",
    command="python -m repro head=aspp dataset=camvid",
)  # fmt: skip


def told(line, known=KNOWN):
    return {item.column: item.right for item in contradictions(line, known)}


@pytest.mark.parametrize(
    "line",
    [
        LINE,
        CAMVID,
        replace(LINE, scores=Scores(None, None), per_class_iou_percent=dict.fromkeys(LINE.per_class_iou_percent)),
        replace(LINE, split_sha256="", images=None, weights_digest="", science_code="", commit="", determinism="",
                threads=None, batch_norm_samples=None),
        replace(LINE, scale="a scale that is gone"),
        replace(CAMVID, steps=3, command=f"{CAMVID.command} schedule.length='3 steps'"),
        replace(CAMVID, steps=3, command=f"{CAMVID.command} selection=best 'validation.every=1 epochs'"),
        replace(CAMVID, steps=0, wall_seconds=0.0, command=f"{CAMVID.command} 'schedule.length=0 epochs'"),
        replace(CAMVID, steps=7, command=f"{CAMVID.command} 'dataset.duplicate=[car]'"),
        replace(CAMVID, images=7, split_sha256="ab" * 32,
                command=f"{CAMVID.command} dataset.expected_images.test=7 dataset.split_sha256.test={'ab' * 32}"),
        replace(CAMVID, split="val", images=101, command=f"{CAMVID.command} evaluation.split=val",
                split_sha256="76fa530e818b0bb8716bb9d9ebfdde4e908e8ee9c8850ff65af4e512bb233481"),
        replace(CAMVID, steps=5, images=7, names=replace(CAMVID.names, dataset="mine"),
                command="python -m repro --config-dir 'my conf' head=aspp dataset=mine"),
        replace(CAMVID, start_digest="ab" * 32, command=f"{CAMVID.command} init.from=run:0123456789abcdef"),
        replace(CAMVID, command=""),
    ],
    ids=range(14),
)  # fmt: skip
def test_what_is_right_is_not_blamed(line):
    assert told(line) == {}


def test_a_declared_split_is_held_against_its_file():
    found = told(replace(CAMVID, images=232, split_sha256="ab" * 32))
    assert found["images"] == "the split test of camvid is declared with 233 images"
    assert found["split_sha256"].startswith("the split test of camvid is declared with 0e16de80")


def test_a_length_in_epochs_is_so_many_steps():
    assert told(replace(CAMVID, steps=5000)) == {"steps": "its command trains 90 epochs, 5220 steps"}
    best = replace(CAMVID, steps=5221, command=f"{CAMVID.command} selection=best")
    assert told(best) == {"steps": "its command trains at most 90 epochs, 5220 steps"}


def test_the_accuracy_lies_where_the_classes_allow():
    half = replace(LINE, per_class_iou_percent={"a": 50.0, "b": 50.0}, scores=Scores(50.0, 200 / 3))
    assert told(half) == {}
    assert told(altered(half, pixel_accuracy_percent=66.0)) == {
        "pixel_accuracy_percent": "the scores of its classes allow 66.67 to 66.67"
    }


def test_a_scale_is_held_against_its_command():
    known = Known({"short": Scale("short", "", set={"schedule.batch_size": 4}, map={"head": {"*": "fcn"}})})
    line = replace(LINE, scale="short", command=LINE.command.replace("batch_size=8", "batch_size=4"),
                   batch_norm_samples=4, names=replace(LINE.names, head="fcn"))  # fmt: skip
    line = replace(line, command=line.command.replace("head=aspp", "head=fcn"))
    assert told(line, known) == {}
    kinds = {item.column: item.kind for item in contradictions(replace(LINE, scale="short"), known)}
    assert kinds == {"head": OwnKind.SCALE, "scale": OwnKind.SCALE}
    bare = replace(CAMVID, scale="short", names=replace(CAMVID.names, head="fcn"),
                   command="python -m repro head=fcn dataset=camvid")  # fmt: skip
    assert told(bare, known) == {"scale": "its command sets nothing of what this scale sets"}


def test_an_older_recipe_is_no_contradiction_and_a_newer_one_is():
    older = replace(LINE, command=f"{LINE.command} recipe=3", recipe=3)
    assert told(older) == {}
    assert told(replace(LINE, recipe=2)) == {"recipe": "its command means 1"}

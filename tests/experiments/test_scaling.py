import re

import pytest

from repro.errors import ConfigError
from repro.experiments.scaling import check_scale, multiplied, scaled
from repro.papers import Factor, Scale
from tests.composed import COMPOSER, papers

PAPER = ("backbone=resnet50", "backbone.output_stride=8", "head=aspp", "dataset=voc", "dataset.train_split=trainval",
         "schedule=deeplabv3_30k", "evaluation=whole_513")  # fmt: skip


@pytest.mark.parametrize(
    ("value", "factor", "result"),
    [
        ("30000 steps", Factor({"steps": 0.005, "epochs": 1}, multiple_of=1), "150 steps"),
        ("80 epochs", Factor({"steps": 1, "epochs": 0.01}, multiple_of=1, minimum=1), "1 epochs"),
        ("80 epochs", Factor(0.5), "40 epochs"),
        (513, Factor(0.625, multiple_of=8, plus=1), 321),
        (16, Factor(0.5, multiple_of=1), 8),
        (6, Factor(0.05, multiple_of=1, minimum=2), 2),
        (832, Factor(0.5, maximum=160), 160),
        (0.007, Factor(8), 0.056),
    ],
)
def test_a_value_times_a_factor_is_rounded_by_its_rule(value, factor, result):
    found = multiplied(value, factor)
    assert found == (pytest.approx(result) if isinstance(result, float) else result)
    assert type(found) is type(result)


def test_the_paper_scale_changes_nothing():
    assert scaled(PAPER, Scale("paper", ""), COMPOSER) == PAPER


def test_groups_are_mapped_and_what_described_the_other_data_set_is_dropped():
    scale = Scale("s", "", map={"dataset": {"*": "shapes"}, "backbone": {"resnet50": "resnet34"}})
    overrides = scaled(PAPER, scale, COMPOSER)
    assert "dataset=shapes" in overrides
    assert "backbone=resnet34" in overrides
    assert "backbone.output_stride=8" in overrides
    assert not any(item.startswith("dataset.") for item in overrides)


def test_a_data_set_that_stays_keeps_its_leaves():
    scale = Scale("s", "", map={"dataset": {"voc": "voc"}}, set={"schedule.batch_size": 2})
    overrides = scaled(PAPER, scale, COMPOSER)
    assert "dataset.train_split=trainval" in overrides
    assert "schedule.batch_size=2" in overrides


def test_leaves_are_mapped_by_their_value_and_multiplied_from_the_papers():
    scale = Scale(
        "s", "",
        map={"backbone.output_stride": {"8": 16}, "backbone.multi_grid": {"[1, 2, 4]": [1, 2]}},
        multiply={"schedule.learning_rate": Factor(2), "schedule.nothing": Factor(2), "evaluation.pad_to": Factor(0.5)},
        set={"dataset.size": 64},
    )  # fmt: skip
    leaves = COMPOSER.compose(scaled((*PAPER, "backbone.multi_grid=[1,2,4]"), scale, COMPOSER)).leaves
    assert leaves["backbone.output_stride"] == 16
    assert leaves["backbone.multi_grid"] == [1, 2]
    assert leaves["schedule.learning_rate"] == pytest.approx(0.014)
    assert leaves["evaluation.pad_to"] == 256.5
    assert "dataset.size" not in leaves


@pytest.mark.parametrize(
    ("value", "factor", "sentence"),
    [
        (513, Factor({"steps": 0.5}), "multiplies the.leaf by {'steps': 0.5}, which does not fit its value 513"),
        ("80 epochs", Factor({"steps": 0.5}), "has no factor for 80 epochs"),
        ([1, 2], Factor(0.5), "does not fit its value"),
        (True, Factor(0.5), "does not fit its value True"),
        ("poly", Factor(0.5), "does not fit its value"),
    ],
)  # fmt: skip
def test_a_factor_that_does_not_fit_is_a_sentence(value, factor, sentence):
    with pytest.raises(ConfigError, match=re.escape(sentence)):
        multiplied(value, factor, "the.leaf")


@pytest.mark.parametrize("scale", papers().scales.values(), ids=lambda scale: scale.name)
def test_our_scales_name_only_what_there_is(scale):
    check_scale(scale, COMPOSER)


@pytest.mark.parametrize("part", ["map", "multiply", "set"])
def test_a_scale_that_names_what_no_configuration_has_is_a_sentence(part):
    value = {"map": {"*": 1}, "multiply": Factor(2), "set": 1}[part]
    with pytest.raises(ConfigError) as caught:
        check_scale(Scale("mine", "", **{part: {"schedule.lenght": value}}), COMPOSER)
    assert str(caught.value) == (
        "the scale mine names schedule.lenght, which no configuration has; did you mean schedule.length?"
    )

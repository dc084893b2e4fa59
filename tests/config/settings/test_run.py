from pathlib import Path

import pytest

from repro.config.settings import Determinism, Init, Layout, Precision, Selection, TrackingKind
from repro.errors import ConfigError
from tests.composed import composed


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["precision=fp64"], "precision"),
        (["tracking.kind=paper"], "tracking.kind"),
        (["selection=best"], 'selection=best needs validation.every, such as validation.every="200 steps"'),
        (["validation.every=5"], "validation.every is '5'; it needs a count and a unit"),
        (["schedule.length=0 steps"], "schedule.length is 0 steps, but init names no weights to evaluate"),
        (["schedule=none"], "init names no weights to evaluate"),
        (["init=gald"], "init.layout is gald, which is for init.from=file:<path>; init.from is null"),
    ],
)
def test_a_value_out_of_its_range_is_one_sentence(overrides, sentence):
    with pytest.raises(ConfigError) as caught:
        _ = composed(*overrides).settings
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_run_is_typed():
    settings = composed("precision=bf16", "determinism=strict", "outputs=there", "name=mine").settings
    assert (settings.precision, settings.determinism) == (Precision.bf16, Determinism.strict)
    assert (settings.outputs, settings.name, settings.seed) == (Path("there"), "mine", 0)
    assert settings.selection is Selection.last
    assert settings.tracking.kind is TrackingKind.mlflow
    assert composed("tracking=none").settings.tracking.kind is TrackingKind.none


def test_splits_are_those_of_the_data_set_unless_told_otherwise():
    customary = composed("dataset=voc").settings
    assert (customary.dataset.train_split, customary.dataset.evaluation_split) == ("trainaug", "val")
    assert customary.evaluation_split == customary.validation_split == "val"
    told = composed("dataset=voc", "evaluation.split=test", "validation.split=train").settings
    assert (told.evaluation_split, told.validation_split) == ("test", "train")


def test_what_trains_and_what_only_evaluates():
    assert composed().settings.trains
    untrained = composed("init=torchvision:fcn_resnet50").settings
    assert not untrained.trains
    assert untrained.init.source == "torchvision:fcn_resnet50"


def test_a_layout_is_that_of_a_file():
    for known in (Init("file:a.pth", layout=Layout.gald), Init("torchvision:fcn_resnet50", layout=Layout.torchvision)):
        assert known.layout is not Layout.ours
    for source in (None, "run:0123456789abcdef", "torchvision:fcn_resnet50"):
        with pytest.raises(ConfigError, match=r"init\.layout is mmsegmentation, which is for init\.from=file:<path>"):
            Init(source, layout=Layout.mmsegmentation)


@pytest.mark.parametrize(
    ("init", "replaced"),
    [
        (Init(), False),
        (Init("run:0123456789abcdef"), True),
        (Init("run:0123456789abcdef", ["head"]), True),
        (Init("run:0123456789abcdef", ["head", "backbone.res5"]), False),
    ],
)
def test_the_backbones_own_weights_are_superfluous_only_where_all_of_them_are_replaced(init, replaced):
    assert init.replaces_backbone == replaced

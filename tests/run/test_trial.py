"""The pass of blank images: whom it tries, with which size, and that it leaves everything as it was."""

import pytest
import torch

from repro.build import build_dataset, build_model
from repro.errors import ConfigError
from repro.nn import FCN, Aggregation
from repro.run.trial import try_network
from tests.nn.heads.checks import head_from_yaml


@pytest.fixture
def made(configure):
    def make(*overrides):
        configuration = configure(*overrides)
        dataset = build_dataset(configuration, "val")
        return configuration, build_model(configuration, dataset.num_classes)[0], dataset

    return make


@pytest.mark.parametrize(("overrides", "size"), [([], (64, 64)), (["schedule.augmentation.crop_size=33"], (33, 33))])
def test_the_images_have_the_size_of_a_crop_or_of_the_first_image(made, overrides, size):
    configuration, model, dataset = made(*overrides, "auxiliary=fcn", "auxiliary.source=res4")
    seen = []
    for part in (model.backbone, model.head, model.auxiliary):
        part.register_forward_hook(lambda part, given, _: seen.append((part, given[0])))
    try_network(configuration, model, dataset)
    assert [part for part, _ in seen] == [model.backbone, model.head, model.auxiliary]
    assert seen[0][1].shape == (2, 3, *size)


def test_parts_of_ours_are_not_tried(made, monkeypatch):
    configuration, model, dataset = made("backbone._target_=repro.nn.ResNet")
    monkeypatch.setattr(type(model.backbone), "forward", lambda *_: pytest.fail("tried"))
    try_network(configuration, model, dataset)


@pytest.mark.parametrize("training", [True, False])
def test_weights_statistics_streams_and_mode_stay(made, training):
    configuration, model, dataset = made("head.dropout=0.5")
    model.train(training)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    stream = torch.get_rng_state()
    try_network(configuration, model, dataset)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), stream)
    assert model.training is training


def test_a_head_that_gives_other_classes_is_refused(made):
    configuration, model, dataset = made("schedule.augmentation.crop_size=33")
    dataset.class_names = dataset.class_names[:5]
    with pytest.raises(ConfigError, match=r"^head: repro\.nn\.heads\.fcn\.FCN \(.*\): forward gave .*\[2, 5, height"):
        try_network(configuration, model, dataset)


class Deeper(FCN):
    """A head that names another output than it reads."""

    def forward(self, features):
        return super().forward({self.source: features["res5"]})


class Broken(FCN):
    """A head whose own table lacks a key."""

    def forward(self, features):
        return {}["res5"]


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        (Deeper, r"reads 'res5', which was not built, since .* end with 'res3'; name it in the sources of the head$"),
        (Broken, r"fails: KeyError: 'res5' \(.*test_trial\.py, line \d+\)$"),
    ],
)
def test_a_key_that_a_head_misses_is_told_by_its_cause(made, head, sentence):
    overrides = ["backbone._target_=repro.nn.ResNet", f"head._target_={__name__}.{head.__name__}", "head.source=res3"]
    configuration, model, dataset = made(*overrides, "schedule.augmentation.crop_size=33")
    with pytest.raises(ConfigError, match=sentence):
        try_network(configuration, model, dataset)


class Halved(Aggregation):
    """A context that gives fewer channels than it tells."""

    def __init__(self):
        super().__init__()
        self.out_channels = 8

    def forward(self, features):
        return features[:, :4]


def test_a_part_of_ones_own_in_a_head_of_ours_is_tried(made):
    configuration, model, dataset = made("schedule.augmentation.crop_size=33")
    widths = {"width": 8, "ga.width": 8, "ga": "convolution", "ld": "none"}
    model.head = head_from_yaml("gald", model.backbone.channels, dataset.num_classes, **widths)
    model.head.ga = Halved()
    with pytest.raises(
        ConfigError, match=r"^head: tests\.run\.test_trial\.Halved \(.*\) fails: RuntimeError: .*channels"
    ):
        try_network(configuration, model, dataset)

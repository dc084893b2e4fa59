"""The pass of blank images: whom it tries, with which size, and that it leaves everything as it was."""

import pytest
import torch

from repro.build import build_dataset, build_model
from repro.errors import ConfigError
from repro.run.trial import try_network


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

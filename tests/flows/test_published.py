"""torchvision's published networks as runs of their own: its logits, its scores, from its file, without training."""

import functools
import os
import urllib.error

import numpy as np
import pytest
import torch
import torchvision

from repro.config.compose import compose
from repro.data import normalise
from repro.errors import ConfigError, DataError
from repro.metrics import ConfusionMatrix
from repro.run.lifecycle import run
from tests.data.voc_folder import make_voc
from tests.nn.test_resnet import randomise_norms

FILES = {
    "deeplabv3_resnet50": "deeplabv3_resnet50_coco-cd0a2569.pth",
    "fcn_resnet50": "fcn_resnet50_coco-1167a1af.pth",
}


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """A machine without network; gives the folder in which torch.hub keeps files."""

    def refuse(*_, **__):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)
    monkeypatch.setattr("torch.hub._hub_dir", str(tmp_path / "hub"))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def settings(tmp_path, name, *overrides):
    return compose([
        f"init=torchvision:{name}", "dataset=voc", f"dataset.root={tmp_path / 'voc'}", "dataset.split_sha256=null",
        "dataset.expected_images=null", "tracking=none", "runtime.progress=false", "runtime.workers=0",
        f"outputs={tmp_path / 'outputs'}", *overrides,
    ])  # fmt: skip


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Makes networks of torchvision with weights that answer differently from pixel to pixel, and their files, once."""
    folder = tmp_path_factory.mktemp("published")

    @functools.cache
    def network(name):
        torch.manual_seed(2)
        build = getattr(torchvision.models.segmentation, name)
        made = build(weights=None, weights_backbone=None, aux_loss=True, num_classes=21)
        randomise_norms(made)
        torch.save(made.state_dict(), folder / FILES[name])
        return made.eval()

    def publish(cache, name):
        made = network(name)
        os.link(folder / FILES[name], cache / FILES[name])
        return made

    return publish


@pytest.mark.parametrize("name", FILES)
def test_the_run_scores_as_torchvisions_network_does(tmp_path, cache, published, name):
    make_voc(tmp_path / "voc", val=2)
    theirs = published(cache, name)
    outcome = run(settings(tmp_path, name))
    matrix = ConfusionMatrix(21, ignore_index=255)
    dataset = torchvision.datasets.VOCSegmentation
    with torch.inference_mode():
        for image, label in voc_images(tmp_path / "voc", dataset):
            prediction = theirs(normalise(image.unsqueeze(0)))["out"].argmax(1)[0].to(torch.uint8)
            matrix.update(prediction, label)
    ours = outcome.folder.read_confusion(outcome.record)
    assert np.abs(ours - matrix.numpy()).sum() <= 0.002 * matrix.numpy().sum()  # ties on the edge of two classes
    assert len(set(np.flatnonzero(matrix.numpy().sum(0)))) > 1
    assert (outcome.record.steps, outcome.record.config["init"]["from"]) == (0, f"torchvision:{name}")


def voc_images(root, dataset):
    """The validation images as uint8 `[3, H, W]` and their labels, read by torchvision's own class."""
    for image, label in dataset(str(root), year="2012", image_set="val"):
        yield torchvision.transforms.functional.pil_to_tensor(image), torch.from_numpy(np.array(label))


def test_without_network_and_cache_one_sentence_says_what_to_put_where(tmp_path, cache):
    make_voc(tmp_path / "voc", val=2)
    with pytest.raises(DataError) as caught:
        run(settings(tmp_path, "deeplabv3_resnet50"))
    assert "deeplabv3_resnet50_coco-cd0a2569.pth" in str(caught.value)
    assert str(cache) in str(caught.value)
    assert "set init=none" in str(caught.value)


def test_a_mismatch_lists_what_is_missing_and_what_is_unexpected(tmp_path, cache, published):
    make_voc(tmp_path / "voc", val=2)
    published(cache, "fcn_resnet50")
    with pytest.raises(DataError) as caught:
        run(settings(tmp_path, "fcn_resnet50", "head=aspp_torchvision"))
    message = str(caught.value)
    assert "torchvision's fcn_resnet50 does not fit" in message
    assert "missing: head.context" in message
    assert "unexpected: head.hidden" in message


def test_objects_in_the_file_are_not_unpickled(tmp_path, cache):
    make_voc(tmp_path / "voc", val=2)
    torch.save(torch.nn.Linear(1, 1), cache / FILES["fcn_resnet50"])
    with pytest.raises(DataError, match="holds more than tensors"):
        run(settings(tmp_path, "fcn_resnet50"))


def test_an_auxiliary_head_is_left_out_where_there_is_none(tmp_path, cache, published):
    make_voc(tmp_path / "voc", val=2)
    published(cache, "deeplabv3_resnet50")
    assert run(settings(tmp_path, "deeplabv3_resnet50", "auxiliary=none")).record.steps == 0


def test_an_unknown_name_is_answered_with_the_names(tmp_path):
    make_voc(tmp_path / "voc", val=2)
    with pytest.raises(ConfigError, match="the names are deeplabv3_resnet101, deeplabv3_resnet50, fcn_resnet101"):
        run(settings(tmp_path, "fcn_resnet50", "init.from=torchvision:lraspp"))

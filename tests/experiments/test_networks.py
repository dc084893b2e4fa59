"""Every network that an own row of a table describes: it builds, and every parameter of it learns."""

import functools
import json

import pytest
import torch
from torch import nn

from repro.build import build_model, dataset_class
from repro.engine.losses import segmentation_loss
from repro.experiments import measurements
from repro.papers import load_papers

LIBRARY = load_papers()
UNKNOWN_CLASSES = 19  # of data sets that are not built
NETWORK = ("backbone", "head", "auxiliary", "align_corners")


@functools.cache
def networks():
    """The parts of a configuration that make a network -> configuration and the cells that it serves."""
    found = {}
    for address, item in measurements(LIBRARY, list(LIBRARY.tables.values()), LIBRARY.scale("paper")).items():
        if item.paper_chain and not LIBRARY.tables[address.table].rows[address.row].same_as:
            for stage in item.paper_chain:
                config = stage.config
                key = json.dumps([classes(config), *(config[part] for part in NETWORK)], sort_keys=True)
                found.setdefault(key, (config, []))[1].append(str(address))
    return found


def classes(config):
    return UNKNOWN_CLASSES if "missing" in config["dataset"] else len(dataset_class(config).class_names)


def test_no_row_lacks_a_head_or_a_backbone():
    lacking = [
        f"{cells[0]}: {group}"
        for config, cells in networks().values()
        for group in ("backbone", "head", "auxiliary")
        if "missing" in config[group]
    ]
    assert lacking == []
    assert len(networks()) > 60


@pytest.mark.slow
@pytest.mark.parametrize("number", range(8))
def test_every_parameter_of_every_row_learns(number):
    """Forward and backward pass on two images of odd size."""
    image, label = torch.randn(2, 3, 65, 97), torch.randint(0, 11, (2, 65, 97))
    dead = []
    for config, cells in list(networks().values())[number::8]:
        model, weight = build_model(config, classes(config), pretrained=False)
        model.train()
        segmentation_loss(model(image), label, weight).backward()
        none = [name for name, parameter in model.named_parameters() if parameter.grad is None]
        infinite = [
            name
            for name, parameter in model.named_parameters()
            if parameter.grad is not None and not parameter.grad.isfinite().all()
        ]
        dead += [f"{cells[0]}: {name}" for name in (*none, *infinite, *unmoved(model))]
    assert dead == []


def unmoved(model: nn.Module) -> list[str]:
    """Parameters whose gradient is zero everywhere."""
    return [
        name for name, parameter in model.named_parameters() if parameter.grad is not None and not parameter.grad.any()
    ]

"""Every network that an own row of a table describes: it builds, and every parameter of it learns.

Many rows share a backbone and differ in the head, so that a backbone is computed once: a head gets the outputs of the
backbone, and gives it the gradient of the loss with respect to them; the backbone passes each distinct kind of such a
gradient on to its parameters.
"""

import itertools
import json
import math
from dataclasses import dataclass, field, replace
from functools import cache

import pytest
import torch
from hydra.utils import get_class
from torch import Tensor, nn

from repro.build import build_model, dataset_class
from repro.config.configuration import Configuration
from repro.engine.losses import segmentation_losses, weighted_mean
from repro.nn import resnet
from tests.composed import measured, papers

UNKNOWN_CLASSES = 19  # of data sets that are not built
PARTS = ("backbone", "head", "auxiliary")
SHARES = 8
MOST_BLOCKS = 7


class Computed(nn.Module):
    """In place of a backbone: gives the outputs that one of the same settings has computed.

    Args:
        settings: of the backbone, as JSON, its `_target_` included.
    """

    def __init__(self, settings: str) -> None:
        super().__init__()
        backbone, features = computed(settings)
        self.channels, self.output_stride = backbone.channels, backbone.output_stride
        self.outputs = {name: feature.detach().requires_grad_() for name, feature in features.items()}

    def set_output_stride(self, output_stride: int) -> None:
        assert output_stride == self.output_stride

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return self.outputs


@dataclass
class Network:
    """A network, and the cells whose rows describe it."""

    configuration: Configuration
    cells: list[str] = field(default_factory=list)

    @property
    def classes(self) -> int:
        unknown = "missing" in self.configuration.tree["dataset"]
        return UNKNOWN_CLASSES if unknown else len(dataset_class(self.configuration).class_names)

    @property
    def backbone(self) -> str:
        node = self.configuration.tree["backbone"]
        return json.dumps(
            {
                key: value
                for key, value in node.items()
                if key not in ("weights", "weights_of_other_strides", "first_draw")
            },
            sort_keys=True,
        )


@cache
def networks() -> list[list[Network]]:
    """Every distinct network of an own row, those of one backbone together."""
    found: dict[str, Network] = {}
    for address, item in measured().items():
        if not papers().tables[address.table].rows[address.row].same_as:
            for link in item.paper_chain.links:
                network = Network(link.configuration)
                if item.cell.is_wanted and any("missing" in link.configuration.tree[part] for part in PARTS):
                    continue  # never printed, and not written
                key = f"{network.classes} {link.configuration.key(*PARTS, 'align_corners')}"
                found.setdefault(key, network).cells.append(str(address))
    families: dict[str, list[Network]] = {}
    for network in found.values():
        families.setdefault(network.backbone, []).append(network)
    return [families[backbone] for backbone in sorted(families)]


@cache
def images() -> tuple[Tensor, Tensor]:
    """Two images of an odd size and their labels."""
    generator = torch.Generator().manual_seed(0)
    label = torch.randint(0, 11, (2, 33, 49), generator=generator)
    return torch.randn(2, 3, 33, 49, generator=generator), label


@cache
def initial_weights(target: str, depth: int) -> dict[str, Tensor]:
    """Initial weights of a backbone with all the blocks that any row adds; strides and rates do not change them."""
    weights: dict[str, Tensor] = get_class(target)(depth=depth, blocks=MOST_BLOCKS).state_dict()
    return weights


def computed(settings: str) -> tuple[nn.Module, dict[str, Tensor]]:
    """A backbone in training mode, and its outputs on the images; the last one is kept for the next network."""
    if settings not in _COMPUTED:
        node = json.loads(settings)
        target = node.pop("_target_")
        with torch.device("meta"):
            backbone = get_class(target)(**node)
        weights = initial_weights(target, node["depth"])
        backbone.load_state_dict({name: weights[name] for name in backbone.state_dict()}, assign=True)
        backbone.train()
        _COMPUTED.clear()
        _COMPUTED[settings] = (backbone, backbone(images()[0]))
    return _COMPUTED[settings]


_COMPUTED: dict[str, tuple[nn.Module, dict[str, Tensor]]] = {}


def unmoved(gradients: dict[str, Tensor | None]) -> list[str]:
    """Names of what gets no gradient, one that is zero everywhere, or one that is not finite somewhere."""
    largest = {name: math.nan if one is None else one.abs().max().item() for name, one in gradients.items()}
    return [name for name, value in largest.items() if not 0 < value < math.inf]


def test_no_row_lacks_a_head_or_a_backbone():
    lacking = [
        f"{network.cells[0]}: {group}"
        for network in itertools.chain(*networks())
        for group in PARTS
        if "missing" in network.configuration.tree[group]
    ]
    assert lacking == []
    assert sum(map(len, networks())) > 60


@pytest.fixture(params=[8, pytest.param(1, marks=pytest.mark.real)], ids=["thin", "as they are"])
def narrowed(request, monkeypatch):
    """Divides the channels of the backbones' stages, which the heads read, by a number."""
    monkeypatch.setattr(resnet, "STAGE_WIDTHS", tuple(width // request.param for width in resnet.STAGE_WIDTHS))
    initial_weights.cache_clear()
    _COMPUTED.clear()


@pytest.mark.slow
@pytest.mark.usefixtures("narrowed")
@pytest.mark.parametrize("share", range(SHARES))
def test_every_parameter_of_every_row_learns(share):
    dead, passed_on = [], set()
    for network in itertools.chain(*networks()[share::SHARES]):
        node = {"_target_": f"{__name__}.Computed", "settings": network.backbone}
        configuration = network.configuration
        configuration = replace(configuration, tree={**configuration.tree, "backbone": node})
        model, weight = build_model(configuration, network.classes, pretrained=False)
        model.train()
        weighted_mean(segmentation_losses(model(images()[0]), images()[1]), weight).backward()
        outputs = {name: output.grad for name, output in model.backbone.outputs.items() if output.grad is not None}
        parameters = {name: parameter.grad for name, parameter in model.named_parameters()}
        dead += [f"{network.cells[0]}: {name}" for name in unmoved({**parameters, **outputs})]
        assert outputs, f"{network.cells[0]}: the backbone learns nothing"
        if (network.backbone, *outputs) not in passed_on:
            passed_on.add((network.backbone, *outputs))
            backbone, features = computed(network.backbone)
            backbone.zero_grad()
            torch.autograd.backward([features[name] for name in outputs], list(outputs.values()), retain_graph=True)
            gradients = {name: parameter.grad for name, parameter in backbone.named_parameters()}
            dead += [f"{network.cells[0]}: backbone.{name}" for name in unmoved(gradients)]
    assert dead == []

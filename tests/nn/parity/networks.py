"""What is compared with the installed torchvision: backbones, its heads, and a published network as it is composed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torchvision
from torch import Tensor, nn
from torchvision.models.segmentation.deeplabv3 import DeepLabHead
from torchvision.models.segmentation.fcn import FCNHead

from repro.build import build_model
from repro.nn import ResNet, from_torchvision
from tests.composed import composed
from tests.nn.heads.checks import CHANNELS, head_from_yaml
from tests.nn.parity.compare import Case, Outputs, Reference, Values
from tests.nn.parity.sizes import CLASSES, MAPS, RATES


class _Installed:
    """A module of torchvision with our weights; `rename` takes a state dict of its names to one of ours."""

    def __init__(self, theirs: nn.Module, ours: nn.Module, rename: Callable[[dict[str, Tensor]], dict[str, Tensor]]):
        state = theirs.state_dict(keep_vars=True)
        renamed = rename(state)
        assert renamed.keys() == ours.state_dict().keys()
        for name, value in ours.state_dict().items():
            renamed[name].data.copy_(value)
        self.parameters = {name: renamed[name] for name, _ in ours.named_parameters()}
        self.statistics = {name: renamed[name] for name, _ in ours.named_buffers()}
        self.zeros: dict[str, Tensor] = {}


def _installed(
    make: Callable[[], nn.Module],
    rename: Callable[[dict[str, Tensor]], dict[str, Tensor]],
    take: Callable[..., Outputs] = lambda theirs, maps: theirs(maps["res5"]),
) -> Reference:
    def reference(module: nn.Module, training: bool) -> tuple[Values, Callable[..., Outputs]]:
        theirs = make().double().train(training)
        return _Installed(theirs, module, rename), partial(take, theirs)

    return reference


def _of_the_head(state: dict[str, Tensor], ours: str = "head.", theirs: str = "classifier.") -> dict[str, Tensor]:
    renamed = from_torchvision({f"{theirs}{key}": value for key, value in state.items()})
    return {key.removeprefix(ours): value for key, value in renamed.items()}


def _without_classifier(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: value for key, value in state.items() if not key.startswith("fc.")}


def _stages(network: nn.Module, image: Tensor) -> dict[str, Tensor]:
    features = network.maxpool(network.relu(network.bn1(network.conv1(image))))
    outputs = {}
    for number in range(1, 5):
        outputs[f"res{number + 1}"] = features = getattr(network, f"layer{number}")(features)
    return outputs


def _backbones() -> Iterator[Case]:
    for depth, output_stride, dilate in (
        (18, 32, (False, False, False)),
        (50, 32, (False, False, False)),
        (50, 16, (False, False, True)),
    ):
        options = {} if depth < 50 else {"replace_stride_with_dilation": dilate}
        yield Case(
            f"ResNet-{depth} at output stride {output_stride}",
            f"torchvision, resnet{depth}",
            partial(ResNet, depth, output_stride=output_stride, first_unit="contracted"),
            _installed(
                partial(torchvision.models.get_model, f"resnet{depth}", weights=None, **options),
                _without_classifier,
                _stages,
            ),
            {"image": (2, 3, 49, 33)},
        )


def _network() -> Iterator[Case]:
    """As its files compose it, auxiliary head included: what goes on training from published weights."""
    name = "deeplabv3_resnet50"
    options = {"weights": None, "weights_backbone": None, "num_classes": CLASSES, "aux_loss": True}
    yield Case(
        f"init=torchvision:{name}, whole",
        f"torchvision, {name}",
        lambda: build_model(composed(f"init=torchvision:{name}"), CLASSES, pretrained=False)[0],
        _installed(partial(torchvision.models.get_model, name, **options), from_torchvision, _logits),
        {"image": (2, 3, 49, 33)},
    )


def _logits(theirs: nn.Module, image: Tensor) -> dict[str, Tensor]:
    logits = theirs(image)
    return {"main": logits["out"]} | ({"auxiliary": logits["aux"]} if theirs.training else {})


def _heads() -> Iterator[Case]:
    width = CHANNELS["res5"]
    for choice, theirs, switches in (
        ("aspp_torchvision", partial(DeepLabHead, width, CLASSES, RATES), {"rates": RATES}),
        ("fcn", partial(FCNHead, width, CLASSES), {"width": width // 4}),
    ):
        make = partial(head_from_yaml, choice, CHANNELS, CLASSES, **switches)
        yield Case(choice, f"torchvision, {theirs.func.__name__}", make, _installed(theirs, _of_the_head), MAPS)


NETWORKS = (*_backbones(), *_network(), *_heads())

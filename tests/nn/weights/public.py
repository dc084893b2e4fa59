"""Networks of public code, transcribed plainly: their names, their shapes and what they compute.

mmsegmentation's and GALD's backbones are torchvision's with other stems; their heads are written out.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

CLASSES = 7


def residual_network(stem: str, in_channels: int = 64) -> nn.Module:
    """torchvision's ResNet-50 at output stride 8 with mmsegmentation's stem, or with GALD's under its names."""
    network = torchvision.models.resnet50(weights=None, replace_stride_with_dilation=[False, True, True])
    del network.fc, network.avgpool
    if stem == "v1c":
        del network.conv1, network.bn1
        network.stem = nn.Sequential(*deep_stem(32, 64), nn.BatchNorm2d(64), nn.ReLU())
    elif stem == "deep":
        network.conv1, network.bn1 = nn.Sequential(*deep_stem(64, 128)), nn.BatchNorm2d(128)
        network.layer1[0].conv1 = nn.Conv2d(128, 64, 1, bias=False)
        network.layer1[0].downsample[0] = nn.Conv2d(128, 256, 1, bias=False)
    return network


def deep_stem(width: int, last: int) -> list[nn.Module]:
    def layer(inside: int, outside: int, stride: int = 1) -> nn.Module:
        return nn.Conv2d(inside, outside, 3, stride, 1, bias=False)

    first = [layer(3, width, 2), nn.BatchNorm2d(width), nn.ReLU()]
    return [*first, layer(width, width), nn.BatchNorm2d(width), nn.ReLU(), layer(width, last)]


def stages(network: nn.Module, image: Tensor) -> tuple[Tensor, Tensor]:
    """The maps of layer3 and layer4."""
    found = network.stem(image) if hasattr(network, "stem") else F.relu(network.bn1(network.conv1(image)))
    third = network.layer3(network.layer2(network.layer1(network.maxpool(found))))
    return third, network.layer4(third)


class ConvModule(nn.Module):
    """mmcv's convolution, with batch normalisation and without, with ReLU and without."""

    def __init__(self, inside: int, outside: int, size: int, rate: int = 1, *, norm: bool = True, relu: bool = True):
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, size, padding=rate * (size // 2), dilation=rate, bias=not norm)
        if norm:
            self.bn = nn.BatchNorm2d(outside)
        self.relu = relu

    def forward(self, features: Tensor) -> Tensor:
        found = self.conv(features)
        found = self.bn(found) if hasattr(self, "bn") else found
        return F.relu(found) if self.relu else found


def enlarged(features: Tensor, like: Tensor, align_corners: bool = False) -> Tensor:
    return F.interpolate(features, like.shape[-2:], mode="bilinear", align_corners=align_corners)


class DeepLabV3(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv_seg = nn.Conv2d(512, CLASSES, 1)
        self.image_pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), ConvModule(2048, 512, 1))
        self.aspp_modules = nn.ModuleList(ConvModule(2048, 512, 1 if r == 1 else 3, r) for r in (1, 12, 24, 36))
        self.bottleneck = ConvModule(5 * 512, 512, 3)

    def forward(self, features: Tensor) -> Tensor:
        image = enlarged(self.image_pool(features), features)
        return self.conv_seg(self.bottleneck(torch.cat([image, *(part(features) for part in self.aspp_modules)], 1)))


class PSPNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv_seg = nn.Conv2d(512, CLASSES, 1)
        self.psp_modules = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(count), ConvModule(2048, 512, 1)) for count in (1, 2, 3, 6)
        )
        self.bottleneck = ConvModule(2048 + 4 * 512, 512, 3)

    def forward(self, features: Tensor) -> Tensor:
        levels = [enlarged(level(features), features) for level in self.psp_modules]
        return self.conv_seg(self.bottleneck(torch.cat([features, *levels], 1)))


class NonLocalBlock(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.g, self.theta, self.phi = (ConvModule(512, 256, 1, norm=False, relu=False) for _ in range(3))
        self.conv_out = ConvModule(256, 512, 1, relu=False)

    def forward(self, features: Tensor) -> Tensor:
        g, theta, phi = (part(features).flatten(2) for part in (self.g, self.theta, self.phi))
        weights = (theta.mT @ phi / 256**0.5).softmax(-1)
        return features + self.conv_out((weights @ g.mT).mT.unflatten(2, features.shape[-2:]))


class FCN(nn.Module):
    """Two convolutions and what they read beside their result; between them a non-local block, or nothing."""

    def __init__(self, block: Callable[[], nn.Module] | None = None) -> None:
        super().__init__()
        self.conv_seg = nn.Conv2d(512, CLASSES, 1)
        self.convs = nn.Sequential(ConvModule(2048, 512, 3), ConvModule(512, 512, 3))
        self.conv_cat = ConvModule(2048 + 512, 512, 3)
        if block is not None:
            self.nl_block = block()

    def forward(self, features: Tensor) -> Tensor:
        found = self.convs[0](features)
        found = self.convs[1](self.nl_block(found) if hasattr(self, "nl_block") else found)
        return self.conv_seg(self.conv_cat(torch.cat([features, found], 1)))


class Short(nn.Module):
    """One convolution: mmsegmentation's auxiliary head, and its FCN where it is told so."""

    def __init__(self, inside: int, width: int) -> None:
        super().__init__()
        self.conv_seg = nn.Conv2d(width, CLASSES, 1)
        self.convs = nn.Sequential(ConvModule(inside, width, 3))

    def forward(self, features: Tensor) -> Tensor:
        return self.conv_seg(self.convs(features))


class Mmsegmentation(nn.Module):
    """One of mmsegmentation's networks; gives the logits of both heads at the size of the image."""

    def __init__(self, head: nn.Module, stem: str = "v1c") -> None:
        super().__init__()
        self.backbone = residual_network(stem)
        self.decode_head = head
        self.auxiliary_head = Short(1024, 256)

    def forward(self, image: Tensor) -> list[Tensor]:
        third, fourth = stages(self.backbone, image)
        return [enlarged(logits, image) for logits in (self.decode_head(fourth), self.auxiliary_head(third))]


class CGNL(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.t, self.p, self.g = (nn.Conv2d(512, 256, 1, bias=False) for _ in range(3))
        self.z = nn.Conv2d(256, 512, 1, groups=8, bias=False)
        self.gn = nn.GroupNorm(8, 512)

    def forward(self, features: Tensor) -> Tensor:
        parts = zip(*(layer(features).chunk(8, 1) for layer in (self.t, self.p, self.g)), strict=True)
        return self.gn(self.z(torch.cat([t * (p * g).sum((1, 2, 3), keepdim=True) for t, p, g in parts], 1))) + features


def halving() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(512, 512, 3, groups=512, stride=2), nn.BatchNorm2d(512), nn.ReLU())


class LocalAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.dconv1, self.dconv2, self.dconv3 = halving(), halving(), halving()

    def forward(self, features: Tensor) -> Tensor:
        mask = enlarged(self.dconv3(self.dconv2(self.dconv1(features))), features, align_corners=True).sigmoid()
        return features + features * mask


class GALDBlock(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down, self.long_relation, self.local_attention = halving(), CGNL(), LocalAttention()

    def forward(self, features: Tensor) -> Tensor:
        found = enlarged(self.long_relation(self.down(features)), features, align_corners=True)
        return self.local_attention(found) + found


class GALDHead(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conva = nn.Sequential(nn.Conv2d(2048, 512, 3, padding=1, bias=False), nn.BatchNorm2d(512), nn.ReLU())
        self.a2block = GALDBlock()
        self.convb = nn.Sequential(nn.Conv2d(512, 512, 3, padding=1, bias=False), nn.BatchNorm2d(512), nn.ReLU())
        last = nn.Conv2d(2560, 512, 3, padding=1, bias=False)
        self.bottleneck = nn.Sequential(last, nn.BatchNorm2d(512), nn.ReLU(), nn.Conv2d(512, CLASSES, 1))

    def forward(self, features: Tensor) -> Tensor:
        return self.bottleneck(torch.cat([features, self.convb(self.a2block(self.conva(features)))], 1))


class GALDNet(nn.Module):
    """GALD's network of its public code, whose backbone lies at the top; gives the logits of both heads."""

    def __init__(self) -> None:
        super().__init__()
        for name, part in residual_network("deep").named_children():
            self.add_module(name, part)
        self.maxpool = nn.MaxPool2d(3, 2, 1, ceil_mode=True)
        for stage, rate, grid in ((self.layer3, 2, (1, 1, 1)), (self.layer4, 4, (1, 2, 4))):
            for index, unit in enumerate(stage):
                each = rate * grid[index % len(grid)]
                unit.conv2.dilation = unit.conv2.padding = (each, each)
        self.head = GALDHead()
        first = nn.Conv2d(1024, 512, 3, padding=1)
        self.dsn = nn.Sequential(first, nn.BatchNorm2d(512), nn.ReLU(), nn.Dropout2d(0.1), nn.Conv2d(512, CLASSES, 1))

    def forward(self, image: Tensor) -> list[Tensor]:
        third, fourth = stages(self, image)
        return [enlarged(logits, image, align_corners=True) for logits in (self.head(fourth), self.dsn(third))]


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "mmsegmentation_deeplabv3": lambda: Mmsegmentation(DeepLabV3()),
    "mmsegmentation_pspnet": lambda: Mmsegmentation(PSPNet()),
    "mmsegmentation_fcn": lambda: Mmsegmentation(FCN()),
    "mmsegmentation_nonlocal": lambda: Mmsegmentation(FCN(NonLocalBlock)),
    "gald": GALDNet,
}
"""What the choices of the group `init` are for."""

_HEADS = {
    "mmsegmentation_deeplabv3": {
        "image_pool.1": (2048, 512, 1),
        "aspp_modules.0": (2048, 512, 1),
        "aspp_modules.1": (2048, 512, 3),
        "aspp_modules.2": (2048, 512, 3),
        "aspp_modules.3": (2048, 512, 3),
        "bottleneck": (2560, 512, 3),
    },
    "mmsegmentation_pspnet": {f"psp_modules.{level}.1": (2048, 512, 1) for level in range(4)}
    | {"bottleneck": (4096, 512, 3)},
    "mmsegmentation_fcn": {"convs.0": (2048, 512, 3), "convs.1": (512, 512, 3), "conv_cat": (2560, 512, 3)},
}
_HEADS["mmsegmentation_nonlocal"] = _HEADS["mmsegmentation_fcn"] | {"nl_block.conv_out": (256, 512, 1)}

Shapes = dict[str, list[int]]


def listing(name: str) -> Shapes:
    """The heads' entries and shapes as the public code's own modules give them, from their widths alone."""
    if name == "gald":
        return _gald_listing()
    found: Shapes = {}
    for part, (inside, outside, size) in _HEADS[name].items():
        found |= _conv_bn(f"decode_head.{part}", "conv", "bn", [outside, inside, size, size])
    for part in ("g", "theta", "phi") if name.endswith("nonlocal") else ():
        found |= _with_bias(f"decode_head.nl_block.{part}.conv", [256, 512, 1, 1])
    found |= _with_bias("decode_head.conv_seg", [CLASSES, 512, 1, 1])
    found |= _conv_bn("auxiliary_head.convs.0", "conv", "bn", [256, 1024, 3, 3])
    return found | _with_bias("auxiliary_head.conv_seg", [CLASSES, 256, 1, 1])


def _gald_listing() -> Shapes:
    found = _conv_bn("head.conva", "0", "1", [512, 2048, 3, 3]) | _conv_bn("head.convb", "0", "1", [512, 512, 3, 3])
    block = "head.a2block"
    for part in ("down", *(f"local_attention.dconv{number}" for number in (1, 2, 3))):
        found |= _conv_bn(f"{block}.{part}", "0", "1", [512, 1, 3, 3]) | {f"{block}.{part}.0.bias": [512]}
    found |= {f"{block}.long_relation.{part}.weight": [256, 512, 1, 1] for part in "tpg"}
    found |= {f"{block}.long_relation.z.weight": [512, 32, 1, 1]}
    found |= {f"{block}.long_relation.gn.{leaf}": [512] for leaf in ("weight", "bias")}
    found |= _conv_bn("head.bottleneck", "0", "1", [512, 2560, 3, 3])
    found |= _with_bias("head.bottleneck.3", [CLASSES, 512, 1, 1])
    found |= _conv_bn("dsn", "0", "1", [512, 1024, 3, 3]) | {"dsn.0.bias": [512]}
    return found | _with_bias("dsn.4", [CLASSES, 512, 1, 1])


def _conv_bn(name: str, convolution: str, norm: str, shape: list[int]) -> Shapes:
    norms = {f"{name}.{norm}.{leaf}": shape[:1] for leaf in ("weight", "bias", "running_mean", "running_var")}
    return {f"{name}.{convolution}.weight": shape} | norms | {f"{name}.{norm}.num_batches_tracked": []}


def _with_bias(name: str, shape: list[int]) -> Shapes:
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}

"""The smallest backbones that keep the contract of one."""

from torch import Tensor, nn

CHANNELS = 8


class Small(nn.Module):
    """A stem of stride 4 and four 3x3 convolutions, so that a step takes milliseconds and a checkpoint a few kilobytes.

    Args:
        output_stride: 8, 16 or 32; what is not strided is dilated, as in the ResNets.
        others: the settings of a ResNet, which mean nothing here.
    """

    channels = dict.fromkeys(("res2", "res3", "res4", "res5"), CHANNELS)

    def __init__(self, output_stride: int = 16, **others: object) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, CHANNELS, 7, stride=4, padding=3, bias=False), nn.BatchNorm2d(CHANNELS), nn.ReLU()
        )
        self.stages = nn.ModuleDict(
            {
                name: nn.Sequential(nn.Conv2d(CHANNELS, CHANNELS, 3, bias=False), nn.BatchNorm2d(CHANNELS), nn.ReLU())
                for name in self.channels
            }
        )
        self.set_output_stride(output_stride)

    def set_output_stride(self, output_stride: int) -> None:
        """Strides and rates for an output stride; the weights stay."""
        if output_stride not in (8, 16, 32):
            raise ValueError(f"the output stride is 8, 16 or 32, not {output_stride}")
        self.output_stride = output_stride
        reached, rate = 4, 1
        for name, stage in self.stages.items():
            convolution = stage[0]
            wanted = 1 if name == "res2" else 2
            stride = wanted if reached * wanted <= output_stride else 1
            convolution.stride, convolution.dilation, convolution.padding = (stride,) * 2, (rate,) * 2, (rate,) * 2
            reached, rate = reached * stride, rate * wanted // stride

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        found, features = {}, self.stem(image)
        for name, stage in self.stages.items():
            found[name] = features = stage(features)
        return found


class Bare(nn.Module):
    """One convolution, whose map stands for every stage."""

    channels = Small.channels
    output_stride = 16

    def __init__(self, **others: object) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, CHANNELS, 16, stride=16)

    def set_output_stride(self, output_stride: int) -> None:
        if output_stride != self.output_stride:
            raise ValueError(f"the output stride is {self.output_stride}, not {output_stride}")

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return dict.fromkeys(self.channels, self.convolution(image))

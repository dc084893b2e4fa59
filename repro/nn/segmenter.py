"""The whole network: backbone, head and, in training, an auxiliary head."""

from __future__ import annotations

from typing import Protocol, cast

from torch import Tensor, nn

from repro.errors import ConfigError
from repro.nn.context.pooling import refuse_single_image
from repro.nn.layers import enlarged
from repro.nn.tensors import is_recorded_or_compiled


class _Strided(Protocol):
    """A backbone or a head: a module that follows a change of the output stride."""

    output_stride: int

    def set_output_stride(self, output_stride: int) -> None: ...


class Segmenter(nn.Module):
    """Joins backbone and heads, and is the only place where logits are resized to the image.

    Args:
        backbone: Maps an image to a dict of feature maps; has `output_stride` and `set_output_stride`.
        head: Maps that dict to logits; has `set_output_stride`.
        auxiliary: A second head, used in training mode only.
        align_corners: The one decision on how bilinear upsampling places pixels. False as in torchvision;
            DeepLab's TensorFlow code and GALD's take true.
        upsample_logits: Whether logits are resized in training too; if not, the loss has to take them as they are.

    Raises:
        ValueError: The head cannot run at the backbone's output stride.
    """

    def __init__(
        self,
        backbone: nn.Module,
        head: nn.Module,
        auxiliary: nn.Module | None = None,
        *,
        align_corners: bool = False,
        upsample_logits: bool = True,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.auxiliary = auxiliary
        self.align_corners = align_corners
        self.upsample_logits = upsample_logits
        self.set_output_stride(self.output_stride)

    @property
    def output_stride(self) -> int:
        """Input size over the size of the backbone's last map, as it runs now."""
        return cast(_Strided, self.backbone).output_stride

    def set_output_stride(self, output_stride: int) -> None:
        """Takes backbone and heads to another output stride; weights stay. All of them change, or none.

        Raises:
            ValueError: The backbone or a head cannot run at this output stride.
        """
        before = self.output_stride
        parts = [cast(_Strided, part) for part in (self.backbone, self.head, self.auxiliary) if part is not None]
        changed: list[_Strided] = []
        try:
            for part in parts:
                part.set_output_stride(output_stride)
                changed.append(part)
        except ValueError:
            if output_stride != before:
                for part in changed:
                    part.set_output_stride(before)
            raise

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Maps a normalised image `[B, 3, H, W]` to logits `[B, num_classes, H, W]`, in float32 under autocast too.

        In training without `upsample_logits` they keep their heads' size.

        Returns:
            `main`, and `auxiliary` in training mode when there is an auxiliary head.

        Raises:
            ConfigError: What is given are no such images; or a single one in training, so small that one position of
                it remains and batch normalisation would see one value per channel.
        """
        if not is_recorded_or_compiled():
            _check_images(image)
            if self.training and image.shape[0] == 1:
                self._check_position(image)
        features: dict[str, Tensor] = self.backbone(image)
        logits = {"main": self._resized(self.head(features), image)}
        if self.auxiliary is not None and self.training:
            logits["auxiliary"] = self._resized(self.auxiliary(features), image)
        return logits

    def _check_position(self, image: Tensor) -> None:
        """Refuses a single image of which one position remains, if a batch normalisation of this process trains."""
        stride = getattr(self.backbone, "last_stride", self.output_stride)
        if max(image.shape[-2:]) > stride:
            return
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                what = f"a map reduced to one position ({image.shape[-2]}x{image.shape[-1]} pixels at stride {stride})"
                refuse_single_image(image, module, what, "use larger crops")

    def _resized(self, logits: Tensor, image: Tensor) -> Tensor:
        # Along a border two classes differ by little, and half precision would round that away.
        logits = logits.float() if logits.itemsize < 4 else logits
        if self.training and not self.upsample_logits:
            return logits
        return enlarged(logits, image, align_corners=self.align_corners)


def _check_images(image: Tensor) -> None:
    if image.dim() != 4 or image.shape[1] != 3 or image.numel() == 0 or not image.is_floating_point():
        raise ConfigError(
            f"a network takes normalised images [B, 3, H, W], at least one and none without pixels; it was given "
            f"{list(image.shape)} of {str(image.dtype).removeprefix('torch.')}"
        )

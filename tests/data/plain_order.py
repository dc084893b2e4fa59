"""The customary order of augmentation - scale, pad, crop, flip - written plainly, to compare ours with."""

import torch
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional

from repro.data.spec import IGNORE, PAD_COLOUR
from repro.data.transforms import Window


def scale_pad_crop_flip(image: Tensor, label: Tensor, window: Window, crop: int) -> tuple[Tensor, Tensor]:
    """Does to image [3, H, W] and label [H, W] what `window` describes, but scales the whole image first."""
    height, width = label.shape
    scaled = [round(height * window.height / window.rows), round(width * window.width / window.columns)]
    image = functional.resize_image(image, scaled, interpolation=InterpolationMode.BILINEAR, antialias=True)
    label = functional.resize_image(label[None], scaled, interpolation=InterpolationMode.NEAREST_EXACT)[0]
    padded_size = [max(side, crop) for side in scaled]
    colour = torch.tensor(PAD_COLOUR, dtype=torch.uint8)
    padded = colour[:, None, None].repeat(1, *padded_size)
    padded[:, : scaled[0], : scaled[1]] = image
    padded_label = torch.full(padded_size, IGNORE, dtype=torch.uint8)
    padded_label[: scaled[0], : scaled[1]] = label
    top = min(round(window.top * window.height / window.rows), padded_size[0] - crop)
    left = min(round(window.left * window.width / window.columns), padded_size[1] - crop)
    image, label = padded[:, top : top + crop, left : left + crop], padded_label[top : top + crop, left : left + crop]
    return (image.flip(-1), label.flip(-1)) if window.flip else (image, label)


def example(height: int, width: int, seed: int = 0, num_classes: int = 21) -> tuple[Tensor, Tensor]:
    """A picture with soft regions in several colours and the label of those regions: image [3, H, W], label [H, W]."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn((1, num_classes, max(height // 60, 2), max(width // 60, 2)), generator=generator)
    fields = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bicubic")[0]
    label = fields.argmax(dim=0).to(torch.uint8)
    colours = torch.rand((num_classes, 3), generator=generator) * 200
    shade = torch.rand((height, width, 1), generator=generator) * 30 + 12 * fields.amax(dim=0)[..., None].clamp(0, 2)
    image = (colours[label.long()] + shade).clamp(0, 255).to(torch.uint8)
    return image.permute(2, 0, 1), label

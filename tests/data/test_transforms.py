"""Tests of the augmentation against its customary order, and of normalisation."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional

from repro.data.spec import IGNORE, IMAGENET_MEAN, IMAGENET_STD, PAD_COLOUR
from repro.data.transforms import Augmentation, Window, normalise
from repro.errors import ConfigError
from tests.data.plain_order import example, scale_pad_crop_flip


def _generator(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    crop=st.integers(1, 70),
    low=st.floats(0.1, 1.5),
    span=st.floats(0, 2),
    seed=st.integers(0, 1000),
)
@settings(max_examples=100, deadline=None)
def test_any_image_becomes_a_crop(height: int, width: int, crop: int, low: float, span: float, seed: int) -> None:
    image, label = example(height, width, seed)
    augmentation = Augmentation(crop, (low, low + span))
    new_image, new_label = augmentation(image, label, _generator(seed))
    assert (new_image.shape, new_image.dtype) == ((3, crop, crop), torch.uint8)
    assert (new_label.shape, new_label.dtype) == ((crop, crop), torch.uint8)
    assert set(new_label.unique().tolist()) <= {*label.unique().tolist(), IGNORE}
    window = augmentation.draw(height, width, _generator(seed))
    assert 0 <= window.top <= window.top + window.rows <= height
    assert 0 <= window.left <= window.left + window.columns <= width
    padding = torch.ones((crop, crop), dtype=torch.bool)
    padding[: window.height, : window.width] = False
    padding = padding.flip(-1) if window.flip else padding
    assert bool((new_label[padding] == IGNORE).all())
    assert bool((new_label[~padding] != IGNORE).all())
    assert bool((new_image[:, padding] == torch.tensor(PAD_COLOUR)[:, None]).all())


@given(size=st.tuples(st.integers(60, 140), st.integers(60, 140)), scale=st.floats(0.5, 2.0), seed=st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_close_to_the_customary_order(size: tuple[int, int], scale: float, seed: int) -> None:
    image, label = example(*size, seed)
    augmentation = Augmentation(97, (scale, scale))
    window = augmentation.draw(*size, _generator(seed))
    ours, our_label = augmentation.apply(image, label, window)
    plain, plain_label = scale_pad_crop_flip(image, label, window, 97)
    grey_levels = (ours.float() - plain.float()).abs().mean()
    differing = (our_label != plain_label).float().mean()
    assert float(grey_levels) < 8
    assert float(differing) < 0.04


def test_close_to_the_customary_order_on_average() -> None:
    augmentation = Augmentation(257, (0.5, 2.0))
    grey_levels, differing = [], []
    for seed in range(12):
        image, label = example(188, 250, seed)
        window = augmentation.draw(188, 250, _generator(seed))
        ours, our_label = augmentation.apply(image, label, window)
        plain, plain_label = scale_pad_crop_flip(image, label, window, 257)
        grey_levels.append(float((ours.float() - plain.float()).abs().mean()))
        differing.append(float((our_label != plain_label).float().mean()))
    assert np.mean(grey_levels) < 3
    assert np.mean(differing) < 0.01


@given(seed=st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_without_scaling_it_is_a_plain_crop(seed: int) -> None:
    image, label = example(50, 60, seed)
    augmentation = Augmentation(40, flip=False)
    window = augmentation.draw(50, 60, _generator(seed))
    ours, our_label = augmentation(image, label, _generator(seed))
    rows, columns = slice(window.top, window.top + 40), slice(window.left, window.left + 40)
    assert torch.equal(ours, image[:, rows, columns])
    assert torch.equal(our_label, label[rows, columns])


def test_resized_window_equals_torchvision() -> None:
    """The whole image as the window: nothing is left to differ."""
    image, label = example(100, 100)
    ours, our_label = Augmentation(150, (1.5, 1.5), flip=False)(image, label, _generator(0))
    assert torch.equal(ours, functional.resize_image(image, [150, 150], antialias=True))
    nearest = functional.resize_image(label[None], [150, 150], interpolation=InterpolationMode.NEAREST_EXACT)[0]
    assert torch.equal(our_label, nearest)


def plain_bilinear(image: torch.Tensor, size: tuple[int, int]) -> np.ndarray:
    """Every pixel from the four nearest ones around its centre, whatever lies between them."""
    source = image.numpy().astype(np.float64)
    for axis, target in ((1, size[0]), (2, size[1])):
        length = source.shape[axis]
        place = np.clip((np.arange(target) + 0.5) * length / target - 0.5, 0, length - 1)
        low = np.minimum(place.astype(int), length - 2)
        share = (place - low).reshape([-1 if other == axis else 1 for other in range(3)])
        source = source.take(low, axis) * (1 - share) + source.take(low + 1, axis) * share
    return source


@pytest.mark.parametrize("scale", [0.35, 0.5, 0.8, 1.7])
def test_without_antialiasing_pixels_between_the_nearest_ones_do_not_count(scale: float) -> None:
    image, label = example(100, 120)
    size = (round(100 * scale), round(120 * scale))
    plain, plain_label = Augmentation(size[1], (scale, scale), flip=False, antialias=False)(image, label, _generator(0))
    smooth, smooth_label = Augmentation(size[1], (scale, scale), flip=False)(image, label, _generator(0))
    assert np.abs(plain[:, : size[0]].numpy() - plain_bilinear(image, size)).max() < 1.01
    assert torch.equal(plain_label, smooth_label)
    energies = [float(one[:, : size[0]].float().diff(dim=-1).square().mean()) for one in (plain, smooth)]
    assert torch.equal(plain, smooth) == (scale > 1)
    assert (energies[1] < 0.9 * energies[0]) == (scale < 1)


@pytest.mark.parametrize("scale", [0.35, 0.5, 0.8, 1.7])
def test_labels_from_corners_are_up_to_half_a_pixel_up_and_left(scale: float) -> None:
    image, _ = example(100, 100)
    rows = torch.arange(100, dtype=torch.uint8)[:, None].expand(100, 100)
    side = round(100 * scale)
    augmentation = Augmentation(side, (scale, scale), flip=False, label_from_corner=True)
    _, label = augmentation(image, rows, _generator(0))
    assert label[:, 0].tolist() == [int(index * 100 / side) for index in range(side)]
    opencv = torch.nn.functional.interpolate(rows[None, None].float(), size=(side, side), mode="nearest")[0, 0]
    assert torch.equal(label, opencv.to(torch.uint8))


def test_whole_image_is_only_flipped() -> None:
    image, label = example(20, 30)
    seen = set()
    for seed in range(20):
        new_image, new_label = Augmentation()(image, label, _generator(seed))
        flipped = torch.equal(new_label, label.flip(-1))
        assert torch.equal(new_label, label.flip(-1) if flipped else label)
        assert torch.equal(new_image, image.flip(-1) if flipped else image)
        seen.add(flipped)
    assert seen == {True, False}
    assert torch.equal(Augmentation(flip=False)(image, label, _generator(0))[0], image)


def test_draws_cover_scales_places_and_flips() -> None:
    generator = _generator(0)
    augmentation = Augmentation(100, (0.5, 2.0))
    windows = [augmentation.draw(375, 500, generator) for _ in range(2000)]
    scales = np.array([window.height / window.rows for window in windows])
    assert scales.min() < 0.51
    assert scales.max() > 1.98
    assert abs(np.mean(scales) - 1.25) < 0.03
    assert abs(np.mean([window.flip for window in windows]) - 0.5) < 0.04
    assert min(window.top for window in windows) == 0
    assert max(window.top + window.rows for window in windows) == 375
    assert max(window.left + window.columns for window in windows) == 500


def test_scale_steps() -> None:
    generator = _generator(0)
    augmentation = Augmentation(1000, (0.5, 2.0), scale_step=0.25)
    heights = {augmentation.draw(400, 400, generator).height for _ in range(400)}
    assert heights == {200, 300, 400, 500, 600, 700, 800}


def test_settings_as_lists_and_the_same_number_of_draws() -> None:
    generators = [_generator(3), _generator(3)]
    image, label = example(30, 30)
    Augmentation()(image, label, generators[0])
    Augmentation(16, [0.5, 2.0], 0.5)(image, label, generators[1])  # type: ignore[arg-type]
    assert generators[0].random() == generators[1].random()


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"scale_range": (0.5, 2.0)}, "needs a crop_size"),
        ({"crop_size": 0}, "crop_size is 0"),
        ({"crop_size": 9, "scale_range": (2.0, 0.5)}, "least and the greatest factor"),
        ({"crop_size": 9, "scale_range": (0.0, 0.5)}, "least and the greatest factor"),
        ({"crop_size": 9, "scale_range": (1.0,)}, "least and the greatest factor"),
        ({"crop_size": 9, "scale_range": (0.5, 2.0), "scale_step": 0.4}, "does not lead from 0.5 to 2.0"),
        ({"crop_size": 9, "scale_range": (0.5, 2.0), "scale_step": 0.0}, "does not lead from 0.5 to 2.0"),
    ],
)
def test_contradictions_are_refused(settings_: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Augmentation(**settings_)  # type: ignore[arg-type]


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_normalise(memory_format: torch.memory_format) -> None:
    images = torch.randint(0, 256, (2, 3, 5, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    result = normalise(images.contiguous(memory_format=memory_format))
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    torch.testing.assert_close(result, (images / 255 - mean) / std, rtol=1e-5, atol=1e-6)
    assert result.dtype == torch.float32
    assert result.is_contiguous(memory_format=memory_format)


def test_padding_is_nearly_zero_after_normalisation() -> None:
    padded, _ = Augmentation(20)(*example(4, 4), _generator(0))
    assert float(normalise(padded[None])[..., 10:, :].abs().max()) < 0.01


def test_window_is_what_apply_does() -> None:
    image, label = example(40, 40)
    _, new_label = Augmentation(30).apply(image, label, Window(5, 7, 10, 20, 10, 20, False))
    assert torch.equal(new_label[:10, :20], label[5:15, 7:27])
    assert bool((new_label[10:] == IGNORE).all())

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from repro.config.settings import Average, ScaledSize
from repro.data import SegmentationDataset, normalise
from repro.engine.evaluate import batched, evaluate, predict
from repro.engine.meter import Diverged
from repro.engine.team import ALONE
from tests.composed import composed
from tests.engine.teams import by_all

CLASSES = 4


class Pointwise(nn.Module):
    """A network that sees one pixel: padding, batching and windows cannot change what it says of a pixel."""

    def __init__(self, kernel_size=1):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, CLASSES, kernel_size, padding=kernel_size // 2)
        self.backbone = SimpleNamespace(output_stride=16)
        self.strides = []
        self.align_corners = False
        self.sizes = []

    def set_output_stride(self, output_stride):
        self.strides.append(output_stride)

    def forward(self, image):
        self.sizes.append(tuple(image.shape[-2:]))
        return {"main": self.conv(image)}


class Photographs(SegmentationDataset):
    """Random images of two sizes."""

    name = "photographs"
    class_names = ("a", "b", "c", "d")
    palette = ((0, 0, 0),) * CLASSES

    def __init__(self, sizes):
        super().__init__("val", [str(index) for index in range(len(sizes))])
        self.sizes = sizes

    def load(self, index):
        generator = torch.Generator().manual_seed(index)
        height, width = self.sizes[index]
        image = torch.randint(0, 256, (3, height, width), generator=generator, dtype=torch.uint8)
        label = torch.randint(0, CLASSES + 1, (height, width), generator=generator, dtype=torch.uint8)
        label[label == CLASSES] = 255
        return image, label


SIZES = [(20, 30)] * 3 + [(30, 20)] * 2 + [(20, 30)]


def configured(**changes):
    result = composed("runtime.workers=0", "runtime.progress=false", "precision=fp32").settings
    return dataclasses.replace(result, evaluation=dataclasses.replace(result.evaluation, **changes))


def plain_matrices(model, dataset):
    matrices = np.zeros((len(dataset), CLASSES, CLASSES), dtype=np.int64)
    for index, matrix in enumerate(matrices):
        image, label = dataset[index]
        with torch.no_grad():
            prediction = model.conv(normalise(image[None]))[0].argmax(0)
        for truth, predicted in zip(label.flatten().tolist(), prediction.flatten().tolist(), strict=True):
            if truth != 255:
                matrix[truth, predicted] += 1
    return matrices


@pytest.mark.parametrize("batch_size", [1, 2, 8])
@pytest.mark.parametrize("pad_to", [None, 25, 40])
def test_the_matrices_equal_a_plain_loop_whatever_the_batch_and_padding(batch_size, pad_to):
    model, dataset = Pointwise(), Photographs(SIZES)
    found = evaluate(
        model, dataset, configured(batch_size=batch_size, pad_to=pad_to), torch.device("cpu"), title="evaluation"
    )
    plain = plain_matrices(model, dataset)
    np.testing.assert_array_equal([found.matrix(index) for index in range(len(found))], plain)
    np.testing.assert_array_equal(found.total(), sum(plain))
    if pad_to:
        assert set(model.sizes) == {(max(height, pad_to), max(width, pad_to)) for height, width in SIZES}


def test_observers_see_every_image_in_order():
    seen = []
    evaluate(
        Pointwise(), dataset := Photographs(SIZES), configured(batch_size=2), torch.device("cpu"), title="evaluation",
        observer=lambda index, image, label, prediction: seen.append((index, image, label, prediction)),
    )  # fmt: skip
    assert [index for index, *_ in seen] == list(range(len(SIZES)))
    for index, image, label, prediction in seen:
        assert torch.equal(image, dataset[index][0])
        assert torch.equal(label, dataset[index][1])
        assert prediction.shape == label.shape
        assert prediction.dtype == torch.uint8


@pytest.mark.parametrize("average", list(Average))
@pytest.mark.parametrize("antialias", [False, True])
def test_scales_and_mirrors_are_averaged_as_written_out(average, antialias):
    model = Pointwise(kernel_size=3).eval()
    images = torch.randint(0, 256, (2, 3, 21, 33), dtype=torch.uint8)
    protocol = configured(scales=[0.5, 1.0, 1.5], flip=True, average=average, antialias=antialias).evaluation
    pixels, expected = normalise(images), 0
    with torch.no_grad():
        for scale in (0.5, 1.0, 1.5):
            scaled = functional.interpolate(
                pixels, size=(round(21 * scale), round(33 * scale)), mode="bilinear", antialias=antialias
            )
            for mirrored in (False, True):
                view = scaled.flip(-1) if mirrored else scaled
                logits = functional.interpolate(model.conv(view), size=(21, 33), mode="bilinear")
                logits = logits.flip(-1) if mirrored else logits
                expected = expected + (logits.softmax(1) if average is Average.probabilities else logits) / 6
        torch.testing.assert_close(predict(model, images, protocol), expected, rtol=1e-4, atol=1e-5)


def aligned(values, height, width):
    """`[B, C, H, W]` resized so that corner pixels stay corner pixels, each from the four nearest ones."""
    for dim, target in ((2, height), (3, width)):
        length = values.shape[dim]
        place = torch.arange(target, dtype=torch.float64) * (length - 1) / max(target - 1, 1)
        low = place.long().clamp(max=max(length - 2, 0))
        share = (place - low).float().view([-1 if other == dim else 1 for other in range(4)])
        high = (low + 1).clamp(max=length - 1)
        values = values.index_select(dim, low) * (1 - share) + values.index_select(dim, high) * share
    return values


@pytest.mark.parametrize("size", [(33, 25), (20, 31), (30, 40)])
def test_the_views_of_public_deeplab_code_are_those_written_out(size):
    """Padded, mirrored with the padding, scaled to `int(scale * (side - 1)) + 1`, corners aligned on both ways."""
    model = Pointwise(kernel_size=3).eval()
    model.align_corners = True
    images = torch.randint(0, 256, (2, 3, *size), dtype=torch.uint8)
    protocol = configured(
        scales=[0.5, 0.75, 1.0, 1.75], flip=True, pad_to=33, pad_first=True, scaled_size=ScaledSize.plus_one
    ).evaluation
    sides = [max(side, 33) for side in size]
    padded = torch.zeros(2, 3, *sides)
    padded[..., : size[0], : size[1]] = normalise(images)
    expected = 0
    with torch.no_grad():
        for scale in protocol.scales:
            for mirrored in (False, True):
                view = padded.flip(-1) if mirrored else padded
                logits = model.conv(aligned(view, *(int(scale * (side - 1)) + 1 for side in sides)))
                logits = aligned(logits, *sides)
                logits = logits.flip(-1) if mirrored else logits
                expected = expected + logits.softmax(1)[..., : size[0], : size[1]] / 8
        torch.testing.assert_close(predict(model, images, protocol), expected, rtol=1e-4, atol=1e-5)
    assert [height for height, _ in model.sizes[::2]] == [17, 25, 33, 57]


@pytest.mark.parametrize("told", [None, False, True])
@pytest.mark.parametrize("of_the_logits", [False, True])
def test_the_corners_of_scaled_views_are_those_of_the_logits_unless_told_otherwise(told, of_the_logits):
    model, seen = Pointwise(), []
    model.align_corners = of_the_logits
    model.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    images = torch.randint(0, 256, (1, 3, 33, 33), dtype=torch.uint8)
    halved = configured(scales=[0.5], scaled_size=ScaledSize.plus_one, scaled_align_corners=told).evaluation
    predict(model, images, halved)
    every_second = normalise(images)[..., ::2, ::2]  # 17 of 33 pixels, if the corners are aligned
    assert torch.allclose(seen[0], every_second, atol=1e-5) == (of_the_logits if told is None else told)


@pytest.mark.parametrize("pad_first", [False, True])
def test_windows_pad_to_themselves_alone(pad_first):
    model, images = Pointwise(), torch.zeros(1, 3, 21, 30, dtype=torch.uint8)
    predict(model, images, configured(scales=[1.5], pad_to=60, pad_first=pad_first, window=50).evaluation)
    assert model.sizes == [(50, 50)]


def test_the_evaluation_stride_is_set_and_taken_back_even_after_an_error():
    model = Pointwise()
    evaluate(model, Photographs(SIZES), configured(output_stride=8), torch.device("cpu"), title="evaluation")
    assert model.strides == [8, 16]
    with pytest.raises(ZeroDivisionError):
        evaluate(
            model, Photographs(SIZES), configured(output_stride=4), torch.device("cpu"), title="evaluation",
            observer=lambda *_: 1 / 0,
        )  # fmt: skip
    assert model.strides == [8, 16, 4, 16]


class NotFinite(Pointwise):
    """A network whose scores of one class are spoilt in one pixel of what is red in a corner."""

    def __init__(self, value):
        super().__init__()
        self.value = value

    def forward(self, image):
        scores = self.conv(image)
        spoilt = image[:, 0, 0, 0] > normalise(RED)[0, 0, 0, 0] - 0.01
        scores[spoilt, 1, 0, 0] = self.value
        return {"main": scores}


RED = torch.tensor([255, 0, 0], dtype=torch.uint8).view(1, 3, 1, 1)


class OneIsRed(Photographs):
    """Of random images the third one is red."""

    def load(self, index):
        image, label = super().load(index)
        return (RED[0].expand_as(image), label) if index == 2 else (image.clamp(max=200), label)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize(
    "protocol",
    [{"batch_size": 1}, {"batch_size": 2}, {"scales": [1.0, 2.0], "flip": True}, {"flip": True, "average": "logits"},
     {"window": 30}],
)  # fmt: skip
def test_scores_that_are_no_numbers_stop_the_evaluation_and_name_the_image(value, protocol):
    settings = configured(**{**protocol, "average": Average(protocol.get("average", "probabilities"))})
    with pytest.raises(Diverged, match="scores for image '2' of split 'val' of 'photographs' are no finite numbers"):
        evaluate(NotFinite(value), OneIsRed(SIZES), settings, torch.device("cpu"), title="evaluation")


def test_only_consecutive_images_of_one_size_share_a_batch():
    samples = [(index, *Photographs(SIZES)[index]) for index in range(len(SIZES))]
    assert [indices for indices, *_ in batched(samples, 2)] == [[0, 1], [2], [3, 4], [5]]


@pytest.mark.parametrize("size", [(40, 56), (33, 24), (20, 70), (24, 24)])
@pytest.mark.parametrize("average", list(Average))
def test_windows_are_averaged_where_they_overlap(size, average):
    model = Pointwise(kernel_size=5)
    images = torch.randint(0, 256, (2, 3, *size), dtype=torch.uint8)
    protocol = configured(window=24, window_stride=10, average=average).evaluation
    height, width = (max(side, 24) for side in size)
    pixels = functional.pad(normalise(images), (0, width - size[1], 0, height - size[0]))
    total, count = torch.zeros(2, CLASSES, height, width), torch.zeros(height, width)
    with torch.no_grad():
        for top in sorted({min(top, height - 24) for top in range(0, height, 10)}):
            for left in sorted({min(left, width - 24) for left in range(0, width, 10)}):
                logits = model.conv(pixels[..., top : top + 24, left : left + 24])
                scores = logits.softmax(1) if average is Average.probabilities else logits
                total[..., top : top + 24, left : left + 24] += scores
                count[top : top + 24, left : left + 24] += 1
        expected = (total / count)[..., : size[0], : size[1]]
        torch.testing.assert_close(predict(model, images, protocol), expected, rtol=1e-5, atol=1e-5)


def test_windows_stand_two_thirds_apart_unless_told_otherwise():
    model, images = Pointwise(), torch.zeros(1, 3, 30, 30, dtype=torch.uint8)
    predict(model, images, configured(window=20).evaluation)
    assert len(model.sizes) == 4
    assert set(model.sizes) == {(20, 20)}
    predict(model, images, configured(window=20, window_stride=5).evaluation)
    assert len(model.sizes) == 4 + 9


def scored(team, size):
    """Every image's matrix, and the images that this process has seen."""
    seen = []
    settings = composed("evaluation.batch_size=2", "runtime.progress=false", "runtime.workers=0").settings
    found = evaluate(
        Pointwise(), Photographs((SIZES * 2)[:size]), settings, torch.device("cpu"), title="",
        observer=lambda index, *_: seen.append(index), team=team,
    )  # fmt: skip
    return found.sha256(), found.total(), seen


@pytest.mark.parametrize("size", [7, 1])
def test_processes_share_the_images_and_each_has_all_matrices(size, tmp_path):
    digest, total, seen = scored(ALONE, size)
    found = by_all(3, tmp_path, scored, size)
    for own_digest, own_total, _ in found:
        assert own_digest == digest
        assert np.array_equal(own_total, total)
    assert sorted(index for _, _, own in found for index in own) == seen == list(range(size))

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.config.settings import HardPixels
from repro.engine.losses import (
    ImageLosses,
    cross_entropy,
    hard_pixel_cross_entropy,
    joined,
    labelled_pixels,
    segmentation_losses,
    thinned,
    weighted_mean,
)


def plain_cross_entropy(logits, label):
    """Pixel by pixel, in double precision."""
    values = []
    for image, truth in zip(logits.double(), label, strict=True):
        for row in range(truth.shape[0]):
            for column in range(truth.shape[1]):
                if truth[row, column] != 255:
                    scores = image[:, row, column]
                    values.append(torch.logsumexp(scores, 0) - scores[truth[row, column]])
    return torch.stack(values).mean()


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_cross_entropy_equals_the_plain_loop(seed):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 5, 3, 4, generator=generator)
    label = torch.randint(0, 5, (2, 3, 4), generator=generator)
    label[0, :2] = 255
    torch.testing.assert_close(
        cross_entropy(logits, label).mean().double(), plain_cross_entropy(logits, label), rtol=1e-5, atol=1e-6
    )


def test_an_image_without_labels_has_no_loss_and_no_gradient():
    logits = torch.randn(1, 3, 4, 4, requires_grad=True)
    loss = cross_entropy(logits, torch.full((1, 4, 4), 255)).mean()
    loss.backward()
    assert loss.item() == 0
    assert torch.count_nonzero(logits.grad) == 0


def test_the_auxiliary_loss_is_added_with_its_weight():
    logits = {"main": torch.randn(1, 3, 4, 4), "auxiliary": torch.randn(1, 3, 4, 4)}
    label = torch.randint(0, 3, (1, 4, 4), dtype=torch.uint8)
    main, auxiliary = (cross_entropy(logits[name], label.long()).mean() for name in ("main", "auxiliary"))
    torch.testing.assert_close(weighted_mean(segmentation_losses(logits, label), 0.4), main + 0.4 * auxiliary)


def test_low_precision_logits_give_a_loss_in_fp32():
    logits = torch.randn(1, 3, 4, 4, dtype=torch.bfloat16)
    assert cross_entropy(logits, torch.zeros(1, 4, 4, dtype=torch.long)).sums.dtype == torch.float32


def test_the_deterministic_form_is_the_same_loss():
    logits = torch.randn(2, 5, 6, 7)
    label = torch.randint(0, 5, (2, 6, 7))
    label[0, :2] = 255
    plain = cross_entropy(logits, label).sums
    try:
        torch.use_deterministic_algorithms(True)
        torch.testing.assert_close(cross_entropy(logits, label).sums, plain)
    finally:
        torch.use_deterministic_algorithms(False)


def plain_hard_pixels(logits, label, hard):
    """Image by image: sorts the losses, takes those asked for, averages over all of them."""
    kept = []
    for image, truth in zip(logits.double(), label, strict=True):
        losses = []
        for row, column in (truth != 255).nonzero().tolist():
            scores = image[:, row, column]
            losses.append((torch.logsumexp(scores, 0) - scores[truth[row, column]]).item())
        losses.sort(reverse=True)
        for rank, loss in enumerate(losses):
            improbable = hard.threshold is not None and torch.exp(torch.tensor(-loss)) <= hard.threshold
            if rank < hard.kept_pixels or improbable:
                kept.append(loss)
    return sum(kept) / max(len(kept), 1)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from([None, 0.2, 0.7]), st.sampled_from([1, 5, 12, 100]))
def test_hard_pixels_equal_the_plain_loop(seed, threshold, kept_pixels):
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(2, 5, 3, 4, generator=generator)
    label = torch.randint(0, 5, (2, 3, 4), generator=generator)
    label[0, :2] = 255
    hard = HardPixels(threshold, kept_pixels)
    expected = plain_hard_pixels(logits, label, hard)
    assert hard_pixel_cross_entropy(logits, label, hard).mean().item() == pytest.approx(expected, rel=1e-5)


def test_hard_pixels_in_an_image_with_few_labels_are_all_of_them():
    logits, label = torch.randn(1, 3, 4, 4), torch.full((1, 4, 4), 255)
    label[0, 0, :2] = 1
    hard = HardPixels(threshold=None, kept_pixels=10)
    hardest, every = hard_pixel_cross_entropy(logits, label, hard), cross_entropy(logits, label)
    assert torch.equal(hardest.counts, every.counts)
    torch.testing.assert_close(hardest.sums, every.sums)
    assert hard_pixel_cross_entropy(logits, torch.full((1, 4, 4), 255), hard).mean().item() == 0


def test_only_the_main_loss_mines():
    logits = {"main": torch.randn(1, 3, 4, 4), "auxiliary": torch.randn(1, 3, 4, 4)}
    label, hard = torch.randint(0, 3, (1, 4, 4)), HardPixels(None, 2)
    losses = segmentation_losses(logits, label, hard)
    assert (losses["main"].counts.item(), losses["auxiliary"].counts.item()) == (2, 16)
    expected = hard_pixel_cross_entropy(logits["main"], label, hard).sums / 2
    torch.testing.assert_close(losses["main"].mean(), expected.squeeze())


@pytest.mark.parametrize("size", [(64, 64), (65, 97), (513, 375), (33, 16)])
@pytest.mark.parametrize("stride", [1, 8, 16])
@pytest.mark.parametrize("align_corners", [False, True])
def test_labels_are_thinned_out_to_where_an_evaluation_puts_the_logits(size, stride, align_corners):
    height, width = size
    logits = torch.zeros(1, 2, -(-height // stride), -(-width // stride))
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    for places, count, axis in ((rows, logits.shape[2], 1), (columns, logits.shape[3], 2)):
        chosen = thinned(places[None], logits, align_corners=align_corners)
        assert chosen.shape == (1, *logits.shape[2:])
        size_here = (height, width)[axis - 1]
        index = torch.arange(count, dtype=torch.float64)
        centres = (
            index * (size_here - 1) / max(count - 1, 1) if align_corners else (index + 0.5) * size_here / count - 0.5
        )
        assert (chosen.select(3 - axis, 0)[0] - centres).abs().max() <= 0.5


def test_what_is_no_number_is_seen_among_hard_pixels():
    label = torch.randint(0, 3, (2, 4, 4))
    for bad in (float("nan"), float("inf")):
        for pixels in (slice(0, 1), slice(None)):
            logits = torch.randn(2, 3, 4, 4)
            logits[:, 0, pixels] = bad
            assert not hard_pixel_cross_entropy(logits, label, HardPixels(0.7, 3)).mean().isfinite()


def plain_mean(values_of_images, images):
    """Of lists of pixel losses, image by image: means of so many images each, averaged."""
    firsts = range(0, len(values_of_images), images)
    groups = [list(itertools.chain(*values_of_images[first : first + images])) for first in firsts]
    return sum(sum(group) / len(group) if group else 0.0 for group in groups) / len(groups)


@settings(max_examples=40)
@given(
    st.lists(st.lists(st.floats(0, 9, width=32), max_size=5), min_size=4, max_size=4),
    st.sampled_from([(1, 1), (1, 2), (1, 4), (2, 2), (2, 4), (4, 1), (4, 2), (4, 4)]),
)
def test_means_are_those_written_out_whole_or_in_parts(values, images_and_part):
    images, part = images_and_part
    sums = torch.tensor([sum(one) for one in values])
    counts = torch.tensor([len(one) for one in values])
    expected = pytest.approx(plain_mean(values, images), rel=1e-5, abs=1e-6)
    assert ImageLosses(sums, counts).mean(images).item() == expected
    parts = [ImageLosses(*both) for both in zip(sums.split(part), counts.split(part), strict=True)]
    known = counts if images > part else None
    assert sum(one.mean(images, 4, known).item() for one in parts) == expected
    assert weighted_mean(joined({"main": one} for one in parts), 0.4, images).item() == expected


def test_the_three_averages_differ_where_void_is_uneven():
    logits = torch.randn(4, 5, 6, 6, generator=torch.Generator().manual_seed(0))
    logits *= torch.arange(1, 5).view(4, 1, 1, 1)
    label = torch.zeros(4, 6, 6, dtype=torch.long)
    for image in range(4):
        label[image, : image + 1] = 255
    for loss in (cross_entropy, lambda *both: hard_pixel_cross_entropy(*both, HardPixels(0.7, 3))):
        means = [loss(logits, label).mean(images).item() for images in (4, 2, 1)]
        assert len({round(mean, 3) for mean in means}) == 3


def test_the_labelled_pixels_are_those_of_the_thinned_label_for_each_head():
    label = torch.randint(0, 3, (3, 32, 32), dtype=torch.uint8)
    label[1, :16] = 255
    logits = {"main": torch.zeros(1, 3, 8, 8), "auxiliary": torch.zeros(1, 3, 32, 32)}
    counts = {name: found.tolist() for name, found in labelled_pixels(logits, label).items()}
    assert counts == {"main": [64, 32, 64], "auxiliary": [1024, 512, 1024]}

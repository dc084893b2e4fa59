import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.config.settings import HardPixels
from repro.engine.losses import cross_entropy, hard_pixel_cross_entropy, segmentation_loss, thinned


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
        cross_entropy(logits, label).double(), plain_cross_entropy(logits, label), rtol=1e-5, atol=1e-6
    )


def test_an_image_without_labels_has_no_loss_and_no_gradient():
    logits = torch.randn(1, 3, 4, 4, requires_grad=True)
    loss = cross_entropy(logits, torch.full((1, 4, 4), 255))
    loss.backward()
    assert loss.item() == 0
    assert torch.count_nonzero(logits.grad) == 0


def test_the_auxiliary_loss_is_added_with_its_weight():
    logits = {"main": torch.randn(1, 3, 4, 4), "auxiliary": torch.randn(1, 3, 4, 4)}
    label = torch.randint(0, 3, (1, 4, 4), dtype=torch.uint8)
    expected = cross_entropy(logits["main"], label.long()) + 0.4 * cross_entropy(logits["auxiliary"], label.long())
    torch.testing.assert_close(segmentation_loss(logits, label, 0.4), expected)


def test_low_precision_logits_give_a_loss_in_fp32():
    logits = torch.randn(1, 3, 4, 4, dtype=torch.bfloat16)
    assert cross_entropy(logits, torch.zeros(1, 4, 4, dtype=torch.long)).dtype == torch.float32


def test_the_deterministic_form_is_the_same_loss():
    logits = torch.randn(2, 5, 6, 7)
    label = torch.randint(0, 5, (2, 6, 7))
    label[0, :2] = 255
    plain = cross_entropy(logits, label)
    try:
        torch.use_deterministic_algorithms(True)
        torch.testing.assert_close(cross_entropy(logits, label), plain)
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
    assert hard_pixel_cross_entropy(logits, label, hard).item() == pytest.approx(expected, rel=1e-5)


def test_hard_pixels_in_an_image_with_few_labels_are_all_of_them():
    logits, label = torch.randn(1, 3, 4, 4), torch.full((1, 4, 4), 255)
    label[0, 0, :2] = 1
    hard = HardPixels(threshold=None, kept_pixels=10)
    torch.testing.assert_close(hard_pixel_cross_entropy(logits, label, hard), cross_entropy(logits, label))
    assert hard_pixel_cross_entropy(logits, torch.full((1, 4, 4), 255), hard).item() == 0


def test_only_the_main_loss_mines():
    logits = {"main": torch.randn(1, 3, 4, 4), "auxiliary": torch.randn(1, 3, 4, 4)}
    label, hard = torch.randint(0, 3, (1, 4, 4)), HardPixels(None, 2)
    expected = hard_pixel_cross_entropy(logits["main"], label, hard) + 0.4 * cross_entropy(logits["auxiliary"], label)
    torch.testing.assert_close(segmentation_loss(logits, label, 0.4, hard), expected)


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
            assert not hard_pixel_cross_entropy(logits, label, HardPixels(0.7, 3)).isfinite()

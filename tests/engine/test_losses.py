import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.engine.losses import cross_entropy, segmentation_loss


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

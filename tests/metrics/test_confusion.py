"""The matrix against naive loops, and what it refuses."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import Tensor

from repro.errors import DataError
from repro.metrics import ConfusionMatrix

IGNORE = 255
INTEGER_TYPES = (torch.uint8, torch.int16, torch.int32, torch.int64)


def naive_matrix(prediction: np.ndarray, label: np.ndarray, num_classes: int) -> np.ndarray:
    matrix = np.zeros((num_classes, num_classes), dtype=np.int64)
    for predicted, true in zip(prediction.ravel().tolist(), label.ravel().tolist(), strict=True):
        if true != IGNORE:
            matrix[true, predicted] += 1
    return matrix


@st.composite
def pairs(draw: st.DrawFn) -> tuple[int, np.ndarray, np.ndarray]:
    """A number of classes, a prediction [H, W] and a label [H, W] with ignored pixels."""
    num_classes = draw(st.sampled_from((1, 2, 5, 19, 21, 127, 128, 129, 150, 254, 255)))
    shape = draw(st.tuples(st.integers(1, 7), st.integers(1, 7)))
    classes = st.integers(0, num_classes - 1)
    prediction = draw(hnp.arrays(np.uint8, shape, elements=classes))
    label = draw(hnp.arrays(np.uint8, shape, elements=st.one_of(classes, st.just(IGNORE))))
    return num_classes, prediction, label


@given(pairs(), st.sampled_from(INTEGER_TYPES), st.sampled_from(INTEGER_TYPES))
def test_equals_naive_loops_for_every_integer_type(
    pair: tuple[int, np.ndarray, np.ndarray], prediction_type: torch.dtype, label_type: torch.dtype
) -> None:
    num_classes, prediction, label = pair
    confusion = ConfusionMatrix(num_classes, ignore_index=IGNORE)
    confusion.update(torch.from_numpy(prediction).to(prediction_type), torch.from_numpy(label).to(label_type))
    assert confusion.numpy().dtype == np.int64
    np.testing.assert_array_equal(confusion.numpy(), naive_matrix(prediction, label, num_classes))


def random_pair(num_classes: int, shape: tuple[int, ...], seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    prediction = torch.randint(num_classes, shape, generator=generator, dtype=torch.uint8)
    label = torch.randint(num_classes, shape, generator=generator, dtype=torch.uint8)
    label[torch.rand(shape, generator=generator) < 0.1] = IGNORE
    return prediction, label


def test_hand_worked_matrix() -> None:
    confusion = ConfusionMatrix(3, ignore_index=IGNORE)
    confusion.update(torch.tensor([[0, 1, 1], [2, 2, 0]]), torch.tensor([[0, 1, 0], [2, 255, 1]]))
    assert confusion.numpy().tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]


def test_sum_over_images_equals_batch_and_merged_parts() -> None:
    prediction, label = random_pair(19, (4, 9, 11))
    whole, one_by_one, first, second = (ConfusionMatrix(19, ignore_index=IGNORE) for _ in range(4))
    whole.update(prediction, label)
    for index in range(4):
        one_by_one.update(prediction[index], label[index])
    first.update(prediction[:1], label[:1])
    second.update(prediction[1:], label[1:])
    first.merge(second)
    np.testing.assert_array_equal(whole.numpy(), one_by_one.numpy())
    np.testing.assert_array_equal(whole.numpy(), first.numpy())
    assert whole.numpy().sum() == int((label != IGNORE).sum())


def test_inputs_stay_as_they_are_and_need_not_be_contiguous() -> None:
    prediction, label = random_pair(5, (6, 8))
    kept = prediction.clone(), label.clone()
    confusion, transposed = ConfusionMatrix(5, ignore_index=IGNORE), ConfusionMatrix(5, ignore_index=IGNORE)
    confusion.update(prediction, label)
    transposed.update(prediction.T, label.T)
    np.testing.assert_array_equal(confusion.numpy(), transposed.numpy())
    assert torch.equal(prediction, kept[0])
    assert torch.equal(label, kept[1])
    wide_label = label.to(torch.int16)
    confusion.update(prediction, wide_label)
    assert torch.equal(wide_label, label.to(torch.int16))


def test_ignored_and_empty_images_count_nothing() -> None:
    confusion = ConfusionMatrix(2, ignore_index=IGNORE)
    confusion.update(torch.zeros(3, 3, dtype=torch.uint8), torch.full((3, 3), IGNORE, dtype=torch.uint8))
    confusion.update(torch.zeros(0, 3, dtype=torch.uint8), torch.zeros(0, 3, dtype=torch.uint8))
    assert confusion.numpy().sum() == 0


@pytest.mark.parametrize(
    ("value", "dtype"), [(19, torch.uint8), (255, torch.uint8), (19, torch.int64), (-1, torch.int64)]
)
def test_prediction_outside_the_classes_is_refused(value: int, dtype: torch.dtype) -> None:
    prediction, label = random_pair(19, (5, 5))
    prediction = prediction.to(dtype)
    prediction[2, 3] = value
    confusion = ConfusionMatrix(19, ignore_index=IGNORE)
    with pytest.raises(ValueError, match=rf"{value}.*the classes are 0 to 18"):
        confusion.update(prediction, label)
    assert confusion.numpy().sum() == 0


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (19, torch.uint8),
        (254, torch.uint8),
        (254, torch.int64),
        (256, torch.int64),
        (-1, torch.int64),
        (65536 + 3, torch.int64),
    ],
)
def test_label_outside_the_classes_is_refused(value: int, dtype: torch.dtype) -> None:
    prediction, label = random_pair(19, (5, 5))
    label = label.to(dtype)
    label[2, 3] = value
    confusion = ConfusionMatrix(19, ignore_index=IGNORE)
    with pytest.raises(DataError, match=rf"value {value}; labels hold the classes 0 to 18, and 255"):
        confusion.update(prediction, label)
    assert confusion.numpy().sum() == 0


def test_an_update_gives_its_own_counts_which_later_ones_leave_alone() -> None:
    confusion = ConfusionMatrix(4, ignore_index=IGNORE)
    parts = [confusion.update(*random_pair(4, (3, 5))), confusion.update(*random_pair(4, (0, 5)))]
    before = parts[0].copy()
    parts.append(confusion.update(*random_pair(4, (7, 2))))
    np.testing.assert_array_equal(parts[0], before)
    np.testing.assert_array_equal(sum(parts), confusion.numpy())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bool])
def test_scores_in_place_of_classes_are_refused(dtype: torch.dtype) -> None:
    prediction, label = random_pair(2, (3, 3))
    with pytest.raises(ValueError, match=r"prediction has type .* must be integers"):
        ConfusionMatrix(2, ignore_index=IGNORE).update(prediction.to(dtype), label)
    with pytest.raises(ValueError, match=r"label has type .* must be integers"):
        ConfusionMatrix(2, ignore_index=IGNORE).update(prediction, label.to(dtype))


def test_shapes_and_class_counts_must_match() -> None:
    with pytest.raises(ValueError, match=r"\(2, 3\) and label of shape \(3, 2\)"):
        ConfusionMatrix(2, ignore_index=IGNORE).update(
            torch.zeros(2, 3, dtype=torch.uint8), torch.zeros(3, 2, dtype=torch.uint8)
        )
    with pytest.raises(ValueError, match="2 and 3 classes"):
        ConfusionMatrix(2, ignore_index=IGNORE).merge(ConfusionMatrix(3, ignore_index=IGNORE))


def test_another_value_may_stand_for_ignored_pixels() -> None:
    confusion = ConfusionMatrix(3, ignore_index=11)
    confusion.update(torch.tensor([0, 1, 2, 2]), torch.tensor([0, 11, 11, 1]))
    assert confusion.numpy().tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 0]]
    with pytest.raises(DataError, match=r"value 7; labels hold the classes 0 to 2, and 11 for ignored pixels"):
        confusion.update(torch.tensor([0]), torch.tensor([7]))
    with pytest.raises(ValueError, match="12 classes: 1 to 11"):
        ConfusionMatrix(12, ignore_index=11)


@pytest.mark.parametrize("num_classes", [0, 256])
def test_class_count_must_fit_8_bit_labels(num_classes: int) -> None:
    with pytest.raises(ValueError, match="1 to 255"):
        ConfusionMatrix(num_classes, ignore_index=IGNORE)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("num_classes", [19, 150])
@pytest.mark.parametrize("label_device", ["cpu", "cuda"])
def test_gpu_counts_equal_cpu_counts(num_classes: int, label_device: str) -> None:
    prediction, label = random_pair(num_classes, (2, 65, 129))
    for dtype in INTEGER_TYPES:
        on_cpu, on_gpu = (
            ConfusionMatrix(num_classes, ignore_index=IGNORE),
            ConfusionMatrix(num_classes, ignore_index=IGNORE),
        )
        on_cpu.update(prediction, label)
        on_gpu.update(prediction.to("cuda", dtype), label.to(label_device, dtype))
        np.testing.assert_array_equal(on_cpu.numpy(), on_gpu.numpy())
    with pytest.raises(ValueError, match="the classes are"):
        ConfusionMatrix(5, ignore_index=IGNORE).update(prediction.cuda(), label.cuda())

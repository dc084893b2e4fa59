"""The sparse matrices of images: nothing is lost, and what is not what the record names is said."""

import dataclasses
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from repro.errors import DamagedError, StoreError
from repro.store.matrices import ImageConfusions, confusion_from_npz, entries_of, images_from_npz, to_npz
from repro.store.record import Record, confusion_sha256
from tests.example_runs import MATRIX, example_record

CLASSES = 3
FIRST = np.array([[50, 0, 0], [0, 0, 0], [0, 0, 0]])
EMPTY = np.zeros((CLASSES, CLASSES), dtype=np.int64)
SPLIT = [FIRST, EMPTY, MATRIX - FIRST]


def sparse(matrices: list[np.ndarray] | np.ndarray, num_classes: int = CLASSES) -> ImageConfusions:
    return ImageConfusions.of(num_classes, [entries_of(matrix) for matrix in matrices])


def named(images: ImageConfusions, **changes: object) -> Record:
    values = {"confusion_sha256": confusion_sha256(MATRIX), "image_confusions_sha256": images.sha256()}
    return example_record(**(values | changes))


@given(
    st.integers(1, 6).flatmap(
        lambda size: st.tuples(st.integers(0, 5), st.just(size), st.just(size)).flatmap(
            lambda shape: arrays.arrays(np.int64, shape, elements=st.sampled_from([0, 0, 0, 1, 7, 2**32 - 1]))
        )
    )
)
def test_every_matrix_comes_back_from_the_archive(matrices: np.ndarray) -> None:
    images = sparse(matrices, matrices.shape[1])
    whole = matrices.sum(0)
    record = named(images, confusion_sha256=confusion_sha256(whole))
    content = to_npz(record, whole, images)
    np.testing.assert_array_equal(confusion_from_npz(content, record, "a file"), whole)
    read = images_from_npz(content, record, "a file")
    assert read is not None
    assert len(read) == len(matrices)
    for index, matrix in enumerate(matrices):
        np.testing.assert_array_equal(read.matrix(index), matrix)
    np.testing.assert_array_equal(read.total(), whole)
    assert read.sha256() == images.sha256()
    assert (read.images == np.repeat(range(len(matrices)), np.count_nonzero(matrices, axis=(1, 2)))).all()


def test_the_digest_is_of_the_matrices_and_their_order() -> None:
    others = [sparse(SPLIT[::-1]), sparse(SPLIT[:2]), sparse([FIRST, MATRIX - FIRST, EMPTY]), sparse([MATRIX])]
    assert len({images.sha256() for images in [sparse(SPLIT), *others]}) == 5
    narrow = sparse([matrix.astype(np.int32) for matrix in SPLIT])
    assert narrow.sha256() == sparse(SPLIT).sha256()


def test_the_archive_of_255_classes_has_room_for_every_code() -> None:
    matrix = np.zeros((255, 255), dtype=np.int64)
    matrix[254, 254], matrix[0, 254] = 2**32 - 1, 1
    images = sparse([matrix], 255)
    record = named(images, confusion_sha256=confusion_sha256(matrix))
    read = images_from_npz(to_npz(record, matrix, images), record, "a file")
    assert read is not None
    np.testing.assert_array_equal(read.matrix(0), matrix)


def test_a_record_from_before_they_were_kept_is_read() -> None:
    record = example_record()
    content = to_npz(record, MATRIX, None)
    np.testing.assert_array_equal(confusion_from_npz(content, record, "a file"), MATRIX)
    assert images_from_npz(content, record, "a file") is None


def test_matrices_that_the_record_does_not_name_are_not_written() -> None:
    images = sparse(SPLIT)
    with pytest.raises(StoreError, match="names another confusion matrix"):
        to_npz(named(images), MATRIX + 1, images)
    for record, given_images in ((named(images), None), (named(images), sparse([MATRIX])), (example_record(), images)):
        with pytest.raises(StoreError, match="names other confusion matrices of the images"):
            to_npz(record, MATRIX, given_images)


def of_split(number: int) -> dict[str, object]:
    return {"evaluated_split": {"name": "val", "images": number, "sha256": "ab" * 32}}


@pytest.mark.parametrize(
    ("matrices", "provenance", "words"),
    [
        (SPLIT[:2], {}, "do not sum to the whole one"),
        ([MATRIX + EMPTY], of_split(3), "matrices of 1 images, and 3 were measured"),
        ([EMPTY + 2**32], {}, "more than 4,294,967,295 pixels"),
    ],
)
def test_matrices_that_are_not_those_of_the_split_are_not_written(matrices, provenance, words) -> None:
    images = sparse(matrices)
    with pytest.raises(StoreError, match=words):
        to_npz(named(images, provenance=provenance), MATRIX, images)


def archive(**changes: np.ndarray) -> bytes:
    images = sparse(SPLIT)
    content = {
        "confusion": MATRIX,
        "image_entries": images.entries.astype("<u2"),
        "image_codes": images.codes.astype("<u2"),
        "image_pixels": images.pixels.astype("<u4"),
    }
    stream = io.BytesIO()
    np.savez(stream, **(content | changes))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (archive(image_pixels=np.array([49, 3, 5, 40], "<u4")), "does not hold the confusion matrices of the images"),
        (archive(image_entries=np.array([4, 0, 0], "<u2")), "does not hold the confusion matrices of the images"),
        (archive(image_codes=np.array([0, 1, 3, 4], "<i8")), "in a form that is none of ours"),
        (archive(image_codes=np.array([[0, 1, 3, 4]], "<u2")), "in a form that is none of ours"),
        (archive()[:-200], "is damaged"),
    ],
)
def test_an_archive_exchanged_by_hand_is_named(content: bytes, words: str) -> None:
    with pytest.raises(DamagedError, match=f"a file.*{words}"):
        images_from_npz(content, named(sparse(SPLIT)), "a file")


def test_an_archive_without_the_images_is_damage_where_the_record_names_them() -> None:
    content = to_npz(example_record(), MATRIX, None)
    np.testing.assert_array_equal(confusion_from_npz(content, named(sparse(SPLIT)), "a file"), MATRIX)
    with pytest.raises(DamagedError, match=r"a file is damaged .*image_entries"):
        images_from_npz(content, named(sparse(SPLIT)), "a file")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"entries": np.array([1, 0, 2])}, "not of the classes, or not whole"),
        ({"codes": np.array([0, 1, 3, 9])}, "not of the classes, or not whole"),
        ({"pixels": np.array([51, 2, 5, 40])}, "do not sum to the whole one"),
    ],
)
def test_matrices_whose_digest_was_made_up_are_found_by_their_sum(change, words) -> None:
    images = dataclasses.replace(sparse(SPLIT), **change)
    parts = zip(("image_entries", "image_codes", "image_pixels"), ("<u2", "<u2", "<u4"), ("entries", "codes", "pixels"),
                strict=True)  # fmt: skip
    content = archive(**{name: getattr(images, field).astype(kind) for name, kind, field in parts})
    with pytest.raises(DamagedError, match=words):
        images_from_npz(content, named(images), "a file")

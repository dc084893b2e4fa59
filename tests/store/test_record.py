import dataclasses
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.errors import StoreError
from repro.store.files import DIGEST
from repro.store.record import Record, Scores, confusion_sha256
from tests.example_runs import example_record

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    config=st.dictionaries(st.text(), plain, max_size=4),
    provenance=st.dictionaries(st.text(), plain, max_size=4),
    miou=st.none() | st.floats(0, 100),
    classes=st.dictionaries(st.text(), st.none() | st.floats(0, 100), max_size=5),
    seconds=st.floats(0, 1e9),
)
def test_a_record_survives_being_written_and_read(
    config: dict[str, Any],
    provenance: dict[str, Any],
    miou: float | None,
    classes: dict[str, float | None],
    seconds: float,
) -> None:
    record = example_record(
        config=config,
        provenance=provenance,
        scores=Scores(miou, miou),
        per_class_iou_percent=classes,
        wall_seconds=seconds,
    )
    again = Record.from_json(record.to_json(), "a file")
    assert again == record
    assert again.to_json() == record.to_json()


def undigested(record: Record) -> dict[str, Any]:
    """The content of a record from before there were digests, which may be changed."""
    content: dict[str, Any] = json.loads(record.to_json())
    del content[DIGEST]
    return content


def test_nan_scores_become_null() -> None:
    record = example_record(scores=Scores(float("nan"), 50.0), per_class_iou_percent={"sky": float("nan")})
    content = json.loads(record.to_json())
    assert content["scores"]["miou_percent"] is None
    assert content["per_class_iou_percent"] == {"sky": None}


def test_a_whole_number_is_a_float_where_a_float_is_declared() -> None:
    content = undigested(example_record()) | {"wall_seconds": 12}
    read = Record.from_json(json.dumps(content), "a file")
    assert type(read.wall_seconds) is float


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"surprise": 1}, "surprise is unknown"),
        ({"seed": None}, "seed must be int, not null"),
        ({"seed": True}, "seed must be int, not bool"),
        ({"seed": 1.0}, "seed must be int, not float"),
        ({"steps": "40"}, "steps must be int, not str"),
        ({"scores": [1]}, "scores must be an object, not list"),
        ({"scores": {"miou_percent": 1.0}}, "key scores.pixel_accuracy_percent is missing"),
        (
            {"scores": {"miou_percent": "high", "pixel_accuracy_percent": 1.0}},
            "scores.miou_percent must be float or null",
        ),
        ({"names": {"head": "x"}}, "key names.backbone is missing"),
        ({"per_class_iou_percent": {"sky": "blue"}}, "per_class_iou_percent.sky must be float or null"),
        ({"config": {"a": [1, {"b": float("nan")}]}}, "NaN is not a JSON number"),
        ({"wall_seconds": float("inf")}, "Infinity is not a JSON number"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_key(change: dict[str, Any], words: str) -> None:
    content = undigested(example_record()) | change
    with pytest.raises(StoreError) as error:
        Record.from_json(json.dumps(content), "runs/x.json")
    assert words in str(error.value)
    assert "runs/x.json" in str(error.value)


LATER = ("weights_sha256", "image_confusions_sha256")


@pytest.mark.parametrize("key", [item.name for item in dataclasses.fields(Record) if item.name not in LATER])
def test_every_key_is_required(key: str) -> None:
    content = undigested(example_record())
    del content[key]
    with pytest.raises(StoreError, match=f"key {key} is missing"):
        Record.from_json(json.dumps(content), "a file")


@pytest.mark.parametrize("key", LATER)
def test_an_older_record_lacks_the_digests_that_came_later(key: str) -> None:
    content = undigested(example_record(**{key: "ab"}))
    assert getattr(Record.from_json(json.dumps(content), "a file"), key) == "ab"
    del content[key]
    assert getattr(Record.from_json(json.dumps(content), "a file"), key) is None


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_one_flipped_bit_is_noticed_or_changes_nothing(place: int, bit: int) -> None:
    content = bytearray(example_record().to_json().encode())
    content[place % len(content)] ^= 1 << bit
    try:
        read = Record.from_json(bytes(content), "a file")
    except StoreError:
        return
    assert read == example_record(), "such as a space for a line's end"


@given(length=st.integers(0, 10_000))
def test_a_truncated_record_is_an_error_and_nothing_else(length: int) -> None:
    text = example_record().to_json()
    if length < len(text.rstrip()):
        with pytest.raises(StoreError, match="a file is damaged"):
            Record.from_json(text[:length], "a file")


@pytest.mark.parametrize("text", ["[]", "1", "null", '"text"'])
def test_another_json_value_is_no_record(text: str) -> None:
    with pytest.raises(StoreError, match="not a JSON object"):
        Record.from_json(text, "a file")


@pytest.mark.parametrize("config", [{"a": (1, 2)}, {"a": {1: 2}}, {"a": np.float32(1)}, {"a": float("nan")}])
def test_only_plain_values_are_written(config: dict[str, Any]) -> None:
    with pytest.raises(StoreError, match="config"):
        example_record(config=config).to_json()


def test_the_hash_of_a_matrix_depends_on_values_and_shape_only() -> None:
    matrix = np.arange(16).reshape(4, 4)
    same = [matrix.astype(np.int32), np.asfortranarray(matrix), matrix.astype(">i8"), matrix[:, :]]
    assert {confusion_sha256(form) for form in same} == {confusion_sha256(matrix)}
    others = [matrix.T, matrix.reshape(2, 8), matrix + 1]
    assert confusion_sha256(matrix) not in {confusion_sha256(other) for other in others}

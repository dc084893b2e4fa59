"""What a reader must know of the images behind an evaluation, as sentences."""

import dataclasses

from repro.store.runs_csv import Recorded, recorded
from repro.store.twice import Twice, served_twice
from tests.example_runs import example_record


def line(images: int | None = 5, **counts: int | str) -> Recorded:
    """An evaluation of so many images, with counts of those that served twice."""
    plain = recorded(example_record("00000000000000aa"))
    return dataclasses.replace(plain, images=images, **counts)  # type: ignore[arg-type]


def test_each_use_has_its_sentence() -> None:
    told = served_twice(line(measured_trained=5, measured_selecting=5, selecting_trained=3, unknown_images="file:aa"))
    assert dict(told) == {
        Twice.MEASURED_TRAINED: "5 of the 5 measured images were trained on",
        Twice.MEASURED_SELECTING: "the weights were chosen by 5 of the 5 measured images",
        Twice.SELECTING_TRAINED: "the weights were chosen by images of which 3 were trained on",
        Twice.UNKNOWN: "which images are behind the weights of file:aa is unknown",
    }
    ((_, told_without_number),) = served_twice(line(images=None, measured_trained=5))
    assert told_without_number == "5 of the measured images were trained on"


def test_without_such_images_there_is_nothing_to_tell() -> None:
    assert list(served_twice(line())) == []
    assert list(served_twice(line(measured_trained=0, measured_selecting=0, selecting_trained=0))) == []

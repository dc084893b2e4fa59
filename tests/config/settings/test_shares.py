"""How processes share a batch, and which numbers of them cannot."""

import pytest

from repro.config.settings import Shares
from repro.errors import ConfigError
from tests.composed import composed


def shares(batch_size, processes, samples=None, frozen=None):
    given = [f"schedule.batch_size={batch_size}"]
    given += [f"schedule.batch_norm.samples={samples}"] if samples else []
    given += ["schedule.batch_norm.frozen=true", f"schedule.batch_norm.frozen_in={frozen}"] if frozen else []
    return Shares.of(composed(*given).settings.schedule, processes)


@pytest.mark.parametrize(
    ("batch_size", "processes", "samples", "pass_images", "neighbours"),
    [(8, 1, None, 8, 1), (8, 1, 2, 2, 1), (8, 2, 2, 2, 1), (8, 2, 4, 4, 1), (8, 2, None, 4, 2), (8, 4, 4, 2, 2),
     (6, 3, 1, 1, 1), (6, 3, None, 2, 3), (16, 4, 8, 4, 2)],
)  # fmt: skip
def test_a_statistic_lies_on_one_process_or_on_neighbours(batch_size, processes, samples, pass_images, neighbours):
    found = shares(batch_size, processes, samples)
    assert found.pass_images == pass_images
    assert found.processes_per_statistic == neighbours
    parts = [found.share(rank) for rank in range(processes)]
    assert [place for part in parts for place in part] == list(range(batch_size))
    assert {len(part) for part in parts} == {batch_size // processes}


def test_what_takes_no_statistics_may_be_shared_unevenly():
    found = shares(8, 3, frozen="network")
    assert [list(found.share(rank)) for rank in range(3)] == [[0, 1, 2], [3, 4, 5], [6, 7]]
    assert found.processes_per_statistic == 1
    assert not found.is_whole_on_a_process(8)
    assert not found.is_whole_on_a_process(2)
    assert found.is_whole_on_a_process(1)


@pytest.mark.parametrize(
    ("processes", "samples", "whole"),
    [(1, None, {8, 4, 2, 1}), (1, 2, {2, 1}), (2, None, {4, 2, 1}), (2, 2, {2, 1}), (4, 8, {2, 1})],
)
def test_groups_of_images_lie_on_one_process_in_one_pass_or_not(processes, samples, whole):
    found = shares(8, processes, samples)
    assert {images for images in (8, 4, 2, 1) if found.is_whole_on_a_process(images)} == whole


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ((8, 3), r"3 processes cannot share schedule\.batch_size=8 evenly, .* takes statistics needs; give 2 or 4$"),
        ((8, 3, None, "backbone"), "evenly"),
        ((8, 7), "give 4 or 8$"),
        ((8, 9), r"9 processes cannot share schedule\.batch_size=8; give 8$"),
        ((4, 5, None, "network"), r"5 processes cannot share schedule\.batch_size=4; give 4$"),
        ((12, 2, 4), r"2 processes have 6 images each of schedule\.batch_size=12, into which the 4 of .* give 1 or 3$"),
    ],
)
def test_what_does_not_divide_is_refused_with_the_nearest_that_does(given, sentence):
    with pytest.raises(ConfigError, match=sentence):
        shares(*given)

import pytest

from repro.errors import ConfigError
from repro.experiments.memory import ROOM, Memory
from repro.experiments.reserves import Reserve
from repro.sweep.plan.devices import GIB, Device
from repro.sweep.plan.job import Job
from repro.sweep.plan.memory import fitting
from tests.composed import composed

BATCH = ("schedule.batch_size=8",)
FROZEN = (*BATCH, "schedule.batch_norm.frozen=true")
SAME = Reserve(1.0, 3)


def count(configuration):
    """A gigabyte for the weights, and one per image and pass: half with recomputation, and again in bf16."""
    leaves = configuration.leaves
    if leaves["runtime.compile"] and leaves["runtime.recompute"] == "blocks":
        raise ConfigError("it is refused")
    images = float(
        leaves["runtime.micro_batch"] or leaves["schedule.batch_norm.samples"] or leaves["schedule.batch_size"]
    )
    images /= (1 + (leaves["runtime.recompute"] == "blocks")) * (1 + (leaves["precision"] == "bf16"))
    return Memory(round((1 + images) * GIB), leaves["evaluation.batch_size"] * GIB // 2)


def found(gib, *overrides, reserve=SAME, **of_job):
    job = Job("0" * 16, composed(*overrides), **of_job)
    return fitting([job], Device("A card", round(gib * GIB)), reserve, count)


def ways(result):
    (large,) = result.too_large
    return [(" ".join(way.settings), way.needed_bytes / GIB, way.is_same_run) for way in large.ways]


def test_what_fits_is_only_told_in_size():
    result = found(9, *BATCH)
    assert result.largest == ("0000000000000000, seed 0", 9 * GIB)
    assert result.too_large == ()


def test_recomputation_makes_a_run_fit():
    assert ways(found(8.9, *BATCH)) == [("runtime.recompute=blocks", 5, True)]


def test_smaller_passes_are_offered_where_batch_norm_is_frozen():
    assert ways(found(6, *FROZEN)) == [("runtime.recompute=blocks", 5, True), ("runtime.micro_batch=4", 5, True)]
    alone = ("runtime.recompute=blocks runtime.micro_batch=1", 1.5, True)
    assert ways(found(1.9, *FROZEN, "evaluation.batch_size=1")) == [alone]
    backbone = found(6, *FROZEN, "schedule.batch_norm.frozen_in=backbone")
    assert ways(backbone) == [("runtime.recompute=blocks", 5, True)]


def test_half_precision_is_another_run_and_offered_last():
    assert ways(found(3.5, *BATCH, "evaluation.batch_size=1")) == [
        ("runtime.recompute=blocks precision=bf16", 3, False)
    ]
    compiled = found(5.5, *BATCH, "runtime.compile=true")
    assert ways(compiled) == [("precision=bf16", 5, False)]


def test_where_nothing_fits_the_least_is_told():
    ((settings, needed, _),) = ways(found(0.5, *BATCH, "evaluation.batch_size=1"))
    assert (settings, needed) == ("runtime.recompute=blocks precision=bf16", 3)


def test_a_large_evaluation_takes_single_images():
    assert ways(found(9.5, *BATCH, "evaluation.batch_size=32")) == [("evaluation.batch_size=1", 9, True)]


def test_the_reserve_counts_and_without_one_some_room_does():
    assert found(9.1, *BATCH, reserve=Reserve(2.0, 1)).largest[1] == 18 * GIB
    assert found(100, *BATCH, reserve=None).largest[1] == pytest.approx(9 * GIB / ROOM)


def test_the_largest_of_the_evaluations_to_be_made_counts():
    large = composed(*BATCH, "evaluation.batch_size=64")
    result = found(10, *BATCH, evaluations={"a": composed(*BATCH), "b": large}, missing=("a", "b"))
    assert ways(result) == [("evaluation.batch_size=1", 9, True)]


def test_what_cannot_be_counted_is_said():
    result = found(1, *BATCH, "runtime.recompute=auto")
    assert result.unknown == {}

    def refuse(configuration):
        raise ConfigError("it asks for numbers")

    job = Job("0" * 16, composed(*BATCH))
    result = fitting([job], Device("A card", GIB), None, refuse)
    assert result.unknown == {job.title: "it asks for numbers"}
    assert result.largest is None

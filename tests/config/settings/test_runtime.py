import pytest

from repro.config.settings import Recompute, Shares
from repro.errors import ConfigError
from tests.composed import COMPOSER, composed


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["runtime.threads=0"], "runtime.threads must be at least 1, or null"),
        (["runtime.workers=-1"], "runtime.workers cannot be negative"),
        (["runtime.prefetch=0"], "runtime.prefetch must be at least 1"),
        (["runtime.log_every_steps=0"], "runtime.log_every_steps must be at least 1"),
        (["runtime.checkpoint_seconds=-1"], "runtime.checkpoint_seconds cannot be negative"),
        (["runtime.micro_batch=0"], "runtime.micro_batch must be at least 1, or null"),
        (["runtime.recompute=blocks", "runtime.compile=true"], "recompute=blocks does not go with runtime.compile"),
        (["runtime.micro_batch=2"], "over the 8 images of schedule.batch_norm.samples"),
        (["runtime.micro_batch=2", "schedule.batch_norm.samples=4"], "over the 4 images .* leave it out, or write 4"),
        (["runtime.micro_batch=2", "schedule.batch_norm.frozen=true", "schedule.batch_norm.frozen_in=backbone"],
         "each statistic of batch norm"),
    ],
)  # fmt: skip
def test_what_cannot_be_carried_out_is_refused(overrides, words):
    with pytest.raises(ConfigError, match=words):
        _ = COMPOSER.compose(["schedule.batch_size=8", *overrides]).settings


def pass_images(*overrides):
    settings = composed("schedule.batch_size=8", *overrides).settings
    return Shares.of(settings.schedule, 1, settings.runtime.micro_batch).pass_images


def test_passes_are_as_large_as_a_statistic_or_smaller_where_there_is_none():
    assert pass_images() == 8
    assert pass_images("schedule.batch_norm.samples=4") == 4
    assert pass_images("schedule.batch_norm.samples=4", "runtime.micro_batch=4") == 4
    assert pass_images("schedule.batch_norm.frozen=true", "runtime.micro_batch=3") == 3
    assert pass_images("schedule.batch_norm.frozen=true", "runtime.micro_batch=30") == 8


def test_neither_recomputation_nor_passes_are_part_of_a_run():
    plain = composed("schedule.batch_norm.frozen=true", "schedule.batch_size=8")
    other = composed("schedule.batch_norm.frozen=true", "schedule.batch_size=8", "runtime.recompute=blocks",
                     "runtime.micro_batch=2")  # fmt: skip
    assert plain.run_id == other.run_id
    assert plain.settings.runtime.recompute is Recompute.none

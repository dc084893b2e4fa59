import pytest

from repro.config.settings import DecayOn, HardPixels, Loss
from repro.errors import ConfigError
from tests.composed import composed


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("schedule.batch_size=0", "schedule.batch_size is 0; it must be at least 1"),
        ("schedule.batch_norm.samples=3", "schedule.batch_norm.samples is 3; it must divide schedule.batch_size"),
        ("schedule.batch_norm.samples=0", "schedule.batch_norm.samples must be at least 1, or null"),
        (
            "schedule.batch_norm.backbone_momentum=0",
            "schedule.batch_norm.backbone_momentum is 0.0; it must lie in (0, 1]",
        ),
        ("schedule.batch_norm.head_momentum=2", "schedule.batch_norm.head_momentum is 2.0; it must lie in (0, 1]"),
        ("schedule.length=400", "schedule.length is '400'; it needs a count and a unit"),
        ("schedule.learning_rate=0", "schedule.learning_rate is 0.0; it must be positive"),
        ("schedule.weight_decay=-1", "schedule.weight_decay is -1.0; it cannot be negative"),
        ("schedule.momentum=1", "schedule.momentum is 1.0; it must lie in [0, 1)"),
        ("schedule.replicas=0", "schedule.replicas is 0; it must be at least 1"),
        ("schedule.loss=focal", "schedule.loss"),
        ("schedule.loss_average=pixel", "schedule.loss_average"),
        ("schedule.weight_decay_on=biases", "schedule.weight_decay_on"),
        ("schedule.ohem.threshold=1.5", "schedule.ohem.threshold is 1.5; it must lie in (0, 1), or be null"),
        ("schedule.ohem.kept_pixels=0", "schedule.ohem.kept_pixels is 0; it must be at least 1"),
    ],
)
def test_a_value_out_of_its_range_is_one_sentence(override, sentence):
    with pytest.raises(ConfigError) as caught:
        _ = composed(override).settings
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_schedule_is_typed():
    schedule = composed("schedule.loss=ohem", "schedule.weight_decay_on=conv_weights").settings.schedule
    assert (schedule.loss, schedule.weight_decay_on) == (Loss.ohem, DecayOn.conv_weights)
    assert schedule.ohem == HardPixels(0.7, 100_000)


@pytest.mark.parametrize(("average", "images"), [("batch", 8), ("group", 2), ("image", 1)])
def test_a_loss_is_one_mean_over_so_many_images(average, images):
    schedule = composed(f"schedule.loss_average={average}", "schedule.batch_norm.samples=2").settings.schedule
    assert schedule.averaged_images == images


@pytest.mark.parametrize(
    ("overrides", "pixels", "hint"),
    [([], 100, ", or schedule.loss"), (["schedule.upsample_logits=false"], 99, "schedule.upsample_logits=true, or")],
)
def test_a_mining_that_could_leave_no_pixel_out_is_refused(overrides, pixels, hint):
    schedule = composed("schedule.loss=ohem", "schedule.ohem.kept_pixels=100", *overrides).settings.schedule
    schedule.check_hard_pixels(101)
    with pytest.raises(
        ConfigError, match=f"kept_pixels is 100, but the loss sees {pixels} pixels .* such as 14, .*{hint}"
    ):
        schedule.check_hard_pixels(pixels)
    composed().settings.schedule.check_hard_pixels(pixels)


@pytest.mark.parametrize(("samples", "passes"), [("null", 1), ("8", 1), ("4", 2), ("1", 8)])
def test_a_batch_is_split_into_as_many_passes_as_statistics_need(samples, passes):
    schedule = composed(f"schedule.batch_norm.samples={samples}").settings.schedule
    assert schedule.accumulation == passes
    assert schedule.micro_batch * passes == schedule.batch_size == 8

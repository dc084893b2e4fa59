"""What has no effect has one form, and one id; what has an effect changes it."""

import pytest

from tests.composed import composed


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["backbone.multi_grid=[1,1]"], []),
        (["backbone.stride_at=last", "backbone.first_unit=contracted"], ["backbone.stride_at=last"]),
        (["backbone.stride_at=last", "backbone.weights_of_other_strides=true"], ["backbone.stride_at=last"]),
        (["schedule.batch_norm.samples=8"], []),
        (["schedule.length=200 step"], []),
        (["schedule.learning_rate=6e-2"], ["schedule.learning_rate=0.060"]),
        (["auxiliary=fcn", "auxiliary.weight=0"], []),
        (["schedule.weight_decay=0", "schedule.weight_decay_on=conv_weights"], ["schedule.weight_decay=0.0"]),
        (["head=vortex", "dataset=shapes"], []),
        (["schedule.loss=cross_entropy", "schedule.ohem.threshold=0.5"], []),
        (["schedule.upsample_logits=true", "schedule.replicas=1"], []),
        (["init=torchvision:fcn_resnet50", "schedule.batch_size=4"], ["init=torchvision:fcn_resnet50"]),
        (["init=torchvision:deeplabv3_resnet50", "head.dropout=0.1"], ["init=torchvision:deeplabv3_resnet50"]),
        (["head=aspp", "head.extra_conv_dropout=0.5"], ["head=aspp"]),
        (["head=aspp", "head.dropout=0", "head.dropout_kind=channel"], ["head=aspp", "head.dropout=0"]),
        (["head=dsnet", "head.classifier.extra_conv_dropout=0.5"], ["head=dsnet"]),
        (["head=gald", "head.dropout_kind=channel"], ["head=gald"]),
        (
            ["head=gald", "head/ga=psp", "head.ga.dropout=0", "head.ga.dropout_kind=elementwise"],
            ["head=gald", "head/ga=psp", "head.ga.dropout=0"],
        ),
        (["dataset.duplicate=[wire,strip,wire]"], ["dataset.duplicate=[strip,wire]"]),
        (
            ["schedule.batch_norm.frozen=true", "schedule.batch_norm.backbone_momentum=0.5"],
            ["schedule.batch_norm.frozen=true", "schedule.batch_norm.head_momentum=0.5"],
        ),
        (["schedule.batch_norm.frozen_in=backbone"], []),
        (
            ["schedule.batch_norm.frozen=true", "schedule.batch_norm.frozen_in=backbone"],
            [
                "schedule.batch_norm.frozen=true",
                "schedule.batch_norm.frozen_in=backbone",
                "schedule.batch_norm.backbone_momentum=0.5",
            ],
        ),
        (["head.first_draw=normal:0.010"], ["head.first_draw=normal:1e-2"]),
        (["auxiliary.first_draw=xavier_uniform"], []),
        (
            ["backbone.weights=IMAGENET1K_V1", "backbone.first_draw=torch"],
            ["backbone.weights=IMAGENET1K_V1", "backbone.first_draw=xavier_uniform"],
        ),
        (
            ["head=cascade", "head.first_draw=torch", "schedule.batch_norm.head_momentum=0.5"],
            ["head=cascade", "head.first_draw=xavier_uniform"],
        ),
        (
            [
                "init.from=run:0123456789abcdef",
                "head.first_draw=torch",
                "head.logits_std=1",
                "backbone.first_draw=torch",
            ],
            ["init.from=run:0123456789abcdef"],
        ),
        (
            ["init.from=run:0123456789abcdef", "head=gald", "head.ga.std=1", "head.ga.zero_init=true"],
            ["init.from=run:0123456789abcdef", "head=gald"],
        ),
        (["schedule.loss_average=group"], ["schedule.loss_average=batch"]),
        (
            ["schedule.loss_average=group", "schedule.batch_norm.samples=1"],
            ["schedule.loss_average=image", "schedule.batch_norm.samples=1"],
        ),
        (["schedule.loss_average=image", "schedule.batch_size=1"], ["schedule.batch_size=1"]),
        (["schedule.augmentation.antialias=false", "schedule.augmentation.label_from_corner=true"], []),
        (
            ["dataset=camvid", "schedule.augmentation.scale_range=[1,2]", "schedule.augmentation.antialias=false"],
            ["dataset=camvid", "schedule.augmentation.scale_range=[1,2]"],
        ),
    ],
)
def test_what_has_no_effect_has_one_form(one, other):
    assert composed(*one).run_id == composed(*other).run_id


def test_dropout_that_drops_counts_by_place_and_kind():
    """An extra convolution with dropout before it, behind it, in both places, and of channels: four runs."""
    extra = ["head=aspp", "head.extra_conv=true"]
    changes = [
        ["head.dropout=0.1"],
        ["head.extra_conv_dropout=0.1", "head.dropout=0"],
        ["head.extra_conv_dropout=0.1"],
        ["head.extra_conv_dropout=0.1", "head.dropout=0", "head.dropout_kind=channel"],
    ]
    assert len({composed(*extra, *change).run_id for change in changes}) == 4


def test_of_a_head_of_ones_own_every_leaf_counts():
    mine = composed("head=aspp").with_leaf("head._target_", "tests.tiny_network.Small")
    assert mine.with_leaf("head.extra_conv_dropout", 0.5).run_id != mine.run_id


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["schedule.loss_average=image"], []),
        (["schedule.loss_average=group", "schedule.batch_norm.samples=4"], ["schedule.batch_norm.samples=4"]),
        (["schedule.loss_average=image", "schedule.batch_norm.samples=1"], ["schedule.batch_norm.samples=1"]),
        (["dataset=camvid", "schedule.augmentation.antialias=false"], ["dataset=camvid"]),
        (
            [
                "dataset=camvid",
                "schedule.augmentation.scale_range=[1,2]",
                "schedule.augmentation.label_from_corner=true",
            ],
            ["dataset=camvid", "schedule.augmentation.scale_range=[1,2]"],
        ),
    ],
)
def test_what_has_an_effect_changes_the_id(one, other):
    assert composed(*one).run_id != composed(*other).run_id


HALVED = ["evaluation.scales=[0.5,1.0]"]
PADDED = ["evaluation.pad_to=200", "evaluation.flip=true"]


@pytest.mark.parametrize(
    ("given", "change", "same"),
    [
        ([], "evaluation.antialias=true", True),
        (["evaluation.scales=[1.0,1.5]"], "evaluation.antialias=true", True),
        (HALVED, "evaluation.antialias=true", False),
        ([], "evaluation.scaled_size=plus_one", True),
        (HALVED, "evaluation.scaled_size=plus_one", False),
        ([], "evaluation.scaled_align_corners=true", True),
        (HALVED, "evaluation.scaled_align_corners=false", True),
        (HALVED, "evaluation.scaled_align_corners=true", False),
        ([*HALVED, "align_corners=true"], "evaluation.scaled_align_corners=true", True),
        (["evaluation.flip=true"], "evaluation.pad_first=true", True),
        (["evaluation.pad_to=200"], "evaluation.pad_first=true", True),
        ([*PADDED, "evaluation.window=100"], "evaluation.pad_first=true", True),
        (PADDED, "evaluation.pad_first=true", False),
        ([*HALVED, "evaluation.pad_to=200"], "evaluation.pad_first=true", False),
    ],
)
def test_how_views_are_scaled_and_padded_counts_where_it_can_matter(given, change, same):
    changed, plain = composed(*given, change), composed(*given)
    assert (changed.evaluation_id == plain.evaluation_id) == same
    assert changed.run_id == plain.run_id

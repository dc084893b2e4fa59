import pytest

from repro.config.compose import compose
from repro.config.composer import Composer
from repro.errors import ConfigError

COMPOSER = Composer()


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["dataset=voc", "head=aspp"],
        ["head=aspp", "dataset=voc", "backbone=resnet101", "backbone.multi_grid=[1,2,4]", "schedule.length=7 steps"],
        ["dataset=voc", "backbone=resnet18", "schedule=shapes_200", "evaluation=whole", "head=aspp"],
        [
            "dataset=camvid",
            "backbone=resnet50",
            "schedule=deeplabv3_30k",
            "evaluation=multi_scale_flip",
            "auxiliary=fcn",
        ],
        ["dataset=camvid", "auxiliary=fcn", "evaluation=multi_scale_flip", "evaluation.scales=[1.0,2]", "seed=3"],
        ["head=gald", "head/ga=aspp", "head/ld=v2", "head.ld.kernel_size=5"],
        ["head=gald", "head/ld=none", "dataset=camvid", "backbone=resnet50", "schedule=shapes_200", "evaluation=whole"],
        ["schedule.batch_norm.momentum=null", 'schedule.length="3 epochs"', "backbone.weights=null"],
    ],
)
def test_it_composes_as_hydra_does(overrides):
    composition = COMPOSER.compose(overrides)
    assert composition.missing == ()
    assert composition.config == compose(overrides)


def test_configurations_are_independent_of_each_other():
    first = COMPOSER.compose(["head=aspp", "backbone.multi_grid=[1,2,4]"]).config
    first["backbone"]["multi_grid"].append(9)
    assert COMPOSER.compose(["head=aspp"]).config["backbone"]["multi_grid"] is None


def test_what_does_not_exist_is_named_and_left_out():
    composition = COMPOSER.compose(["head=cascde", "head.blocks=7", "schedule.los=ohem", "head/ga=aspp", "seed=2"])
    assert set(composition.missing) == {"head=cascde", "schedule.los", "head/ga=aspp"}
    assert "there is no setting schedule.los" in COMPOSER.explain("schedule.los", composition.config)
    assert "head=cascde is no choice of head" in COMPOSER.explain("head=cascde", composition.config)
    assert composition.config["head"] == {"missing": "cascde", "asked": {"head/ga": "aspp", "head.blocks": 7}}
    assert composition.config["seed"] == 2


def test_a_group_inside_another_one_that_does_not_take_it_is_named():
    for overrides, choice in ((["head=fcn", "head/ga=aspp"], "fcn"), (["head/ga=aspp"], "vortex")):
        composition = COMPOSER.compose(overrides)
        assert composition.missing == ("head/ga=aspp",)
        sentence = COMPOSER.explain("head/ga=aspp", composition.config)
        assert sentence == f"head={choice} takes no head/ga; choose head=gald with it"


def test_a_group_is_not_replaced_by_a_value():
    for override in ("schedule.batch_norm=frozen", "head.ga=aspp"):
        with pytest.raises(ConfigError, match="would replace a whole group"):
            COMPOSER.compose(["head=gald", override])
    with pytest.raises(ConfigError, match="adds or removes"):
        COMPOSER.compose(["+seed=1"])

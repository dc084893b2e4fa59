import pytest

from repro.config.compose import compose
from repro.config.composer import Composer
from repro.config.groups import config_folder, groups_of
from repro.config.hydra import choices_of, composed, plain
from repro.config.identity import GROUPS
from repro.config.tree import flatten
from repro.errors import ConfigError
from tests.composed import COMPOSER


@pytest.mark.parametrize(
    "overrides",
    [
        [],
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
        ["schedule.batch_norm.head_momentum=null", 'schedule.length="3 epochs"', "backbone.weights=null"],
    ],
)
def test_it_composes_as_hydra_does(overrides):
    found, expected = COMPOSER.compose(overrides), composed_by_hydra(overrides)
    assert found.missing == ()
    assert found.frozen() == expected


def composed_by_hydra(overrides):
    """What Hydra composes, settings of a wrong value included, in the form of a frozen configuration."""
    node = composed(overrides)
    choices = choices_of(node)
    return {**plain(node), "composition": {"choices": choices, "overrides": overrides}}


def every_choice_in_turn():
    """Sets of choices of every group but `init`, which brings a network, that name each choice at least once."""
    groups = groups_of([config_folder()])
    choices = {group: sorted(groups[group]) for group in GROUPS if group != "init"}
    for number in range(max(map(len, choices.values()))):
        yield [f"{group}={names[number % len(names)]}" for group, names in choices.items()]


@pytest.mark.parametrize("overrides", list(every_choice_in_turn()), ids=" ".join)
def test_every_choice_of_every_group_is_what_hydra_makes_of_it(overrides):
    found, expected = COMPOSER.compose(overrides), composed_by_hydra(overrides)
    assert found.missing == ()
    assert found.frozen() == expected


def test_published_weights_bring_their_network_as_for_a_single_run():
    overrides = ["init=torchvision:deeplabv3_resnet101", "dataset=voc", "evaluation.flip=true"]
    found, expected = COMPOSER.compose(overrides), compose(overrides)
    assert found.tree == expected.tree
    assert found.choices == expected.choices


def test_configurations_are_independent_of_each_other():
    first = COMPOSER.compose(["head=aspp", "backbone.multi_grid=[1,2,4]"])
    assert COMPOSER.compose(["head=aspp"]).leaves["backbone.multi_grid"] is None
    assert first.with_leaf("backbone.multi_grid", [1, 2]).leaves["backbone.multi_grid"] == [1, 2]
    assert first.leaves["backbone.multi_grid"] == [1, 2, 4]


def test_what_does_not_exist_is_named_and_left_out():
    found = COMPOSER.compose(["head=cascde", "head.blocks=7", "schedule.los=ohem", "head/ga=aspp", "seed=2"])
    assert set(found.missing) == {"head=cascde", "schedule.los", "head/ga=aspp"}
    assert "there is no setting schedule.los" in COMPOSER.explain("schedule.los", found)
    assert "head=cascde is no choice of head" in COMPOSER.explain("head=cascde", found)
    assert found.tree["head"] == {"missing": "cascde", "asked": {"head/ga": "aspp", "head.blocks": 7}}
    assert found.choices["head"] == "cascde"
    assert found.seed == 2


def test_a_group_inside_another_one_that_does_not_take_it_is_named():
    for overrides, choice in ((["head=fcn", "head/ga=aspp"], "fcn"), (["head/ga=aspp"], "vortex")):
        found = COMPOSER.compose(overrides)
        assert found.missing == ("head/ga=aspp",)
        assert COMPOSER.explain("head/ga=aspp", found) == f"head={choice} takes no head/ga; choose head=gald with it"


def test_a_group_is_not_replaced_by_a_value():
    for override in ("schedule.batch_norm=frozen", "head.ga=aspp"):
        with pytest.raises(ConfigError, match="would replace a whole group"):
            COMPOSER.compose(["head=gald", override])
    with pytest.raises(ConfigError, match="adds or removes"):
        COMPOSER.compose(["+seed=1"])


def test_a_key_is_a_groups_or_a_leafs():
    assert COMPOSER.is_group("head")
    assert COMPOSER.is_group("head/unheard_of")
    assert not COMPOSER.is_group("head.width")


def test_the_known_leaves_are_those_of_every_choice_and_of_a_users_own(tmp_path):
    (tmp_path / "head").mkdir()
    (tmp_path / "head" / "mine.yaml").write_text("defaults: [_self_]\n_target_: my_package.MyHead\nown_leaf: 7\n")
    composer = Composer(tmp_path)
    assert composer.known_leaves >= set(flatten(compose().tree))
    assert composer.known_leaves >= {"head.own_leaf", "head.ga.rates", "dataset.split_sha256.trainaug"}
    assert not any(leaf.endswith("defaults") for leaf in composer.known_leaves)
    assert "head.own_leaf" not in COMPOSER.known_leaves
    assert composer.compose(["head=mine"]).leaves["head.own_leaf"] == 7

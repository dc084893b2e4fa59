import copy
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.config import identity
from repro.config.compose import compose, config_folder
from repro.errors import ConfigError

COMPOSITIONS = {
    "default": [],
    "voc": ["dataset=voc", "evaluation=multi_scale_flip"],
    "camvid": ["dataset=camvid", "head=aspp", "auxiliary=fcn", "backbone.multi_grid=[1,2,4]"],
    "best": ["selection=best", 'validation.every="50 steps"', "evaluation.scales=[1,2]"],
    "later stage": ["init.from=run:0123456789abcdef", "init.drop=[head.classifier]"],
    "hard pixels in windows": [
        "schedule.loss=ohem",
        "evaluation=sliding_832",
        "schedule.replicas=2",
        "backbone.blocks=5",
        "dataset.oversampled=[wire]",
    ],
    "untrained": ["init=torchvision:fcn_resnet50"],
}
CONFIGS = {name: compose(overrides) for name, overrides in COMPOSITIONS.items()}
LEAVES = [(name, path) for name, config in CONFIGS.items() for path in identity.flatten(config)]
UNUSED = {
    "schedule.ohem.threshold", "schedule.ohem.kept_pixels", "evaluation.window_stride", "backbone.block_shortcut",
    "dataset.oversampled_times",
}  # fmt: skip
UNSEEN = {"validation.every", "validation.split"}
UNTRAINED = {
    path
    for path in identity.flatten(CONFIGS["untrained"])
    if path.startswith(("schedule.", "auxiliary.")) and path != "schedule.length"
} | {"seed", "selection"}
NO_EFFECT = {  # in a composition where these are inert; the last two show that they count where they act
    "default": {*UNUSED, *UNSEEN, "evaluation.average", "auxiliary.weight", "init.drop"},
    "voc": {*UNUSED, *UNSEEN, "init.drop"},
    "camvid": {*UNUSED, *UNSEEN, "evaluation.average", "init.drop"},
    "best": {*UNUSED, "init.drop"},
    "later stage": {*UNUSED, *UNSEEN, "evaluation.average", "backbone.weights"},
    "hard pixels in windows": {*UNSEEN, "auxiliary.weight", "init.drop", "evaluation.pad_to"},
    "untrained": {
        *UNUSED,
        *UNSEEN,
        "evaluation.average",
        "backbone.weights",
        "dataset.train_split",
        "dataset.oversampled",
        *UNTRAINED,
    },
}


def set_leaf(config, path, value):
    config = copy.deepcopy(config)
    node = config
    *parents, last = path.split(".")
    for parent in parents:
        node = node[parent]
    node[last] = value
    return config


def get_leaf(config, path):
    for part in path.split("."):
        config = config[part]
    return config


def other_value(path, value):
    """A value of the same kind that means something else."""
    if path in ("schedule.length", "validation.every"):
        return "7 steps"
    if path == "schedule.batch_norm.samples":
        return 1
    if path == "backbone.multi_grid":
        return [1, 2, 2]
    if path == "evaluation.output_stride":
        return 4
    if path in ("evaluation.window", "evaluation.window_stride"):
        return 100
    if path == "auxiliary._target_":
        return "repro.nn.Other"
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value * 2 + 1
    if isinstance(value, list):
        return [*value, "other" if path == "init.drop" else 3]
    return f"{value}_other"


@pytest.mark.parametrize("leaf", LEAVES, ids=" ".join)
def test_every_leaf_changes_an_id_or_is_on_the_list(leaf):
    name, path = leaf
    config = CONFIGS[name]
    changed = set_leaf(config, path, other_value(path, get_leaf(config, path)))
    run_changed = identity.run_id(changed) != identity.run_id(config)
    evaluation_changed = identity.evaluation_id(changed) != identity.evaluation_id(config)
    if path in NO_EFFECT[name]:
        assert not run_changed
    elif not identity.is_part_of_a_run(path):
        protocol = path.startswith("evaluation.") or path == "dataset.evaluation_split"
        assert run_changed == (name == "best" and path == "dataset.evaluation_split")
        assert evaluation_changed == (protocol and path not in identity.NOT_PART_OF_AN_EVALUATION)
    else:
        assert run_changed
        assert evaluation_changed


def test_the_list_names_only_leaves_that_exist():
    existing = {path for config in CONFIGS.values() for path in identity.flatten(config)}
    assert existing >= (identity.NOT_PART_OF_A_RUN | set(identity.LATER_LEAVES)) - {"composition"}
    assert existing >= identity.NOT_PART_OF_AN_EVALUATION
    assert set(identity.GROUPS) == {path.name for path in config_folder().iterdir() if path.is_dir()} - {"cluster"}


@given(st.integers(-(10**9), 10**9))
def test_equal_numbers_are_one_number(number):
    assert identity.digest(identity.canonical({"a": number})) == identity.digest(
        identity.canonical({"a": float(number)})
    )


def test_true_is_not_one():
    assert identity.digest(identity.canonical({"a": True})) != identity.digest(identity.canonical({"a": 1}))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_no_number_that_is_none(number):
    with pytest.raises(ConfigError, match=r"schedule\.power is"):
        identity.canonical({"schedule": {"power": number}})


@given(
    st.dictionaries(
        st.text(min_size=1).filter(lambda key: key != "_target_"), st.integers() | st.none() | st.text() | st.booleans()
    )
)
def test_order_of_keys_and_nulls_do_not_matter(tree):
    reordered = dict(reversed(tree.items()))
    without_nulls = {key: value for key, value in tree.items() if value is not None}
    ids = {identity.digest(identity.canonical(form)) for form in (tree, reordered, without_nulls)}
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["backbone.multi_grid=[1,1]"], []),
        (["schedule.batch_norm.samples=8"], []),
        (["schedule.length=200 step"], []),
        (["schedule.learning_rate=6e-2"], ["schedule.learning_rate=0.060"]),
        (["auxiliary=fcn", "auxiliary.weight=0"], []),
        (["schedule.weight_decay=0", "schedule.weight_decay_on=conv_weights"], ["schedule.weight_decay=0.0"]),
        (["head=vortex", "dataset=shapes"], []),
        (["schedule.loss=cross_entropy", "schedule.ohem.threshold=0.5"], []),
        (["schedule.upsample_logits=true", "schedule.replicas=1"], []),
        (["init=torchvision:fcn_resnet50", "schedule.batch_size=4"], ["init=torchvision:fcn_resnet50"]),
    ],
)
def test_what_has_no_effect_has_one_form(one, other):
    assert identity.run_id(compose(one)) == identity.run_id(compose(other))


def test_spelling_out_the_evaluation_is_the_same_evaluation():
    plain = identity.evaluation_id(compose())
    assert identity.evaluation_id(compose(["evaluation.split=val", "evaluation.output_stride=16"])) == plain
    assert identity.evaluation_id(compose(["evaluation.output_stride=8"])) != plain
    assert identity.run_id(compose(["evaluation.output_stride=8"])) == identity.run_id(compose())


def test_a_weights_file_counts_by_its_content(tmp_path):
    for name, content in (("a.pth", b"one"), ("b.pth", b"one"), ("c.pth", b"two")):
        (tmp_path / name).write_bytes(content)
    ids = [identity.run_id(compose([f"backbone.weights={tmp_path / name}.pth"])) for name in "abc"]
    assert ids[0] == ids[1] != ids[2]
    with pytest.raises(ConfigError, match=r"backbone\.weights names the file"):
        identity.run_id(compose([f"backbone.weights={tmp_path}/missing.pth"]))


def test_an_id_is_sixteen_hex_digits_and_stable():
    assert identity.digest({"a": [1, "x", None]}) == identity.digest({"a": [1, "x", None]})
    assert len(identity.run_id(compose())) == 16
    assert int(identity.run_id(compose()), 16) >= 0

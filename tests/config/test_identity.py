import pytest

from repro.config import identity
from repro.config.groups import config_folder
from repro.errors import ConfigError
from tests.composed import composed
from tests.places import CONF

COMPOSITIONS = {
    "default": [],
    "voc": ["dataset=voc", "evaluation=multi_scale_flip"],
    "camvid": ["dataset=camvid", "head=aspp", "auxiliary=fcn", "backbone.multi_grid=[1,2,4]"],
    "best": ["selection=best", 'validation.every="50 steps"', "evaluation.scales=[1,2]"],
    "best in windows": [
        "selection=best",
        'validation.every="50 steps"',
        "evaluation.window=64",
        "evaluation.window_stride=32",
    ],
    "later stage": ["init.from=run:0123456789abcdef", "init.drop=[head.classifier]", "schedule.batch_norm.frozen=true"],
    "hard pixels in windows": [
        "schedule.loss=ohem",
        "evaluation=sliding_832",
        "schedule.replicas=2",
        "backbone.blocks=5",
        "backbone.stride_at=last",
        "backbone.weights=IMAGENET1K_V1",
        "dataset.duplicate=[wire]",
    ],
    "untrained": ["init=torchvision:fcn_resnet50"],
    "dropout before a further convolution": ["head=aspp_torchvision", "head.extra_conv_dropout=0.1"],
}
UNUSED = {
    "head.extra_conv_dropout",
    "schedule.ohem.threshold", "schedule.ohem.kept_pixels", "evaluation.window_stride", "backbone.block_shortcut",
    "backbone.weights_of_other_strides",
    "dataset.duplicate_times", "schedule.batch_norm.frozen_in",
}  # fmt: skip
NO_AUXILIARY = {"auxiliary.weight", "auxiliary.first_draw"}
SINGLE_SCALE = {"evaluation.average", "evaluation.scaled_size", "evaluation.scaled_align_corners"}
UNSHRUNK = {"schedule.augmentation.antialias", "schedule.augmentation.label_from_corner", "evaluation.antialias"}
UNPADDED = {"evaluation.pad_first"}
UNSEEN = {"validation.every", "validation.split"}
UNSTARTED = {"init.drop", "init.layout"}
CHOOSING = {  # leaves of the evaluation that validations follow, where these choose the weights
    "best": {"evaluation.pad_to", "evaluation.window", "dataset.evaluation_split"},
    "best in windows": {
        "evaluation.window", "evaluation.window_stride", "evaluation.average", "dataset.evaluation_split",
    },
}  # fmt: skip
UNTRAINED = ("schedule.", "auxiliary.")
"""Of these groups nothing counts in a network that is not trained, but that it has no steps."""
NO_EFFECT = {  # in a composition where these are inert; the last two show that they count where they act
    "default": {*UNUSED, *UNSEEN, *NO_AUXILIARY, *SINGLE_SCALE, *UNSHRUNK, *UNPADDED, *UNSTARTED},
    "voc": {"dataset.content", *UNUSED, *UNSEEN, *NO_AUXILIARY, "backbone.first_draw", *UNSTARTED},
    "camvid": {"dataset.content", *UNUSED, *UNSEEN, *SINGLE_SCALE, *UNPADDED, "evaluation.antialias", *UNSTARTED},
    "best": {*UNUSED, *NO_AUXILIARY, *UNSHRUNK, *UNPADDED, *UNSTARTED},
    "best in windows": {
        *UNUSED - {"evaluation.window_stride"},
        *NO_AUXILIARY,
        *UNSHRUNK,
        *UNPADDED,
        *SINGLE_SCALE - {"evaluation.average"},
        "evaluation.pad_to",
        *UNSTARTED,
    },
    "later stage": {
        *UNUSED - {"schedule.batch_norm.frozen_in"},
        "schedule.batch_norm.backbone_momentum",
        "schedule.batch_norm.head_momentum",
        *UNSEEN,
        *NO_AUXILIARY,
        *SINGLE_SCALE,
        *UNSHRUNK,
        *UNPADDED,
        "backbone.weights",
        "backbone.first_draw",
        "init.layout",
    },
    "hard pixels in windows": {
        *UNSEEN,
        *NO_AUXILIARY,
        *UNSHRUNK,
        *UNPADDED,
        *SINGLE_SCALE - {"evaluation.average"},
        *UNSTARTED,
        "evaluation.pad_to",
        "schedule.batch_norm.frozen_in",
        "backbone.first_unit",
        "head.extra_conv_dropout",
    },
    "dropout before a further convolution": {
        *UNUSED - {"head.extra_conv_dropout"},
        *UNSEEN,
        *NO_AUXILIARY,
        *SINGLE_SCALE,
        *UNSHRUNK,
        *UNPADDED,
        *UNSTARTED,
    },
    "untrained": {
        *UNUSED,
        *UNSEEN,
        *SINGLE_SCALE,
        *UNPADDED,
        "evaluation.antialias",
        "backbone.weights",
        "backbone.first_draw",
        "head.first_draw",
        "head.logits_std",
        "init.layout",
        "dataset.train_split",
        "dataset.duplicate",
        "dataset.content",
        "seed",
        "selection",
        "head.dropout",
        "head.dropout_kind",
    },
}


def other_value(path, value):
    """A value of the same kind that means something else."""
    if path in ("schedule.length", "validation.every"):
        return "7 steps"
    if path == "schedule.batch_norm.samples":
        return 1
    if path.endswith(".first_draw"):
        return "normal:0.5"
    if path == "backbone.multi_grid":
        return [1, 2, 2]
    if path == "evaluation.output_stride":
        return 4
    if path in ("evaluation.window", "evaluation.window_stride"):
        return 100
    if path == "dataset.content":
        return [str(CONF)]
    if path == "auxiliary._target_":
        return "repro.nn.Other"
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value * 2 + 1
    if isinstance(value, list):
        return [*value, "other" if path == "init.drop" else 3]
    return f"{value}_other"


def ids_to_change(name, path):
    """Whether a leaf of a composition is to change the id of the run, and that of the evaluation; None: no matter."""
    of_training = path.startswith(UNTRAINED) and path != "schedule.length"
    if path in NO_EFFECT[name] or (name == "untrained" and of_training):
        return False, None
    if not identity.is_part_of_a_run(path):
        protocol = path.startswith("evaluation.") or path == "dataset.evaluation_split"
        return path in CHOOSING.get(name, ()), protocol and path not in identity.NOT_PART_OF_AN_EVALUATION
    return True, True


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_every_leaf_changes_an_id_or_is_on_the_list(name):
    configuration = composed(*COMPOSITIONS[name])
    wrong = {}
    for path, value in configuration.leaves.items():
        changed = configuration.with_leaf(path, other_value(path, value))
        run_changes, evaluation_changes = ids_to_change(name, path)
        if (changed.run_id != configuration.run_id) != run_changes:
            wrong[path] = "id of the run"
        if evaluation_changes not in (None, changed.evaluation_id != configuration.evaluation_id):
            wrong[path] = "id of the evaluation"
    assert wrong == {}


def test_the_list_names_only_leaves_that_exist():
    existing = {path for overrides in COMPOSITIONS.values() for path in composed(*overrides).leaves}
    assert existing >= identity.NOT_PART_OF_A_RUN | set(identity.LATER_LEAVES)
    assert existing >= identity.NOT_PART_OF_AN_EVALUATION | identity.NOT_OF_WHAT_IS_MEASURED
    assert existing >= identity.OF_THE_VALIDATION
    assert identity.OF_THE_VALIDATION < identity.NOT_PART_OF_A_RUN
    assert set(identity.GROUPS) == {path.name for path in config_folder().iterdir() if path.is_dir()} - {"cluster"}


def test_spelling_out_the_evaluation_is_the_same_evaluation():
    plain = composed()
    spelt = composed("evaluation.split=val", "evaluation.output_stride=16")
    denser = composed("evaluation.output_stride=8")
    assert spelt.evaluation_id == plain.evaluation_id != denser.evaluation_id
    assert denser.run_id == plain.run_id


def test_a_weights_file_counts_by_its_content(tmp_path):
    for name, content in (("a.pth", b"one"), ("b.pth", b"one"), ("c.pth", b"two")):
        (tmp_path / name).write_bytes(content)
    ids = [composed().with_leaf("backbone.weights", str(tmp_path / f"{name}.pth")).run_id for name in "abc"]
    assert ids[0] == ids[1] != ids[2]
    started = [composed().with_leaf("init.from", f"file:{tmp_path / f'{name}.pth'}").run_id for name in "abc"]
    assert started[0] == started[1] != started[2]
    with pytest.raises(ConfigError, match=r"backbone\.weights names the file .*missing\.pth, which cannot be read"):
        _ = composed().with_leaf("backbone.weights", f"{tmp_path}/missing.pth").run_id
    read = composed().with_leaf("init.from", f"file:{tmp_path}/a.pth")
    assert read.science["init"]["layout"] == "ours"
    assert read.with_leaf("init.layout", "gald").run_id != read.run_id
    with pytest.raises(ConfigError, match=r"init\.from names the file"):
        _ = composed().with_leaf("init.from", f"file:{tmp_path}/missing.pth").run_id


def test_published_weights_of_a_backbone_that_is_replaced_have_no_effect_unless_some_of_it_is_dropped():
    science = composed("dataset=voc").science
    assert science["backbone"]["weights"] == "IMAGENET1K_V1"
    whole = identity.started_from(science, "run:0123456789abcdef", ["head.b", "head.a"])
    assert "weights" not in whole["backbone"]
    assert whole["init"] == {"from": "run:0123456789abcdef", "drop": ["head.a", "head.b"]}
    assert identity.started_from(science, "run:0123456789abcdef", ["backbone.res5"])["backbone"] == science["backbone"]


@pytest.mark.parametrize("prefix", ["b", "backbone", "backbone.layer4"])
def test_a_part_of_which_something_is_dropped_keeps_how_it_starts(prefix):
    science = composed("head=aspp", "auxiliary=fcn").science
    found = identity.started_from(science, "run:0123456789abcdef", [prefix])
    assert found["backbone"] == science["backbone"]
    assert not {"first_draw", "logits_std"} & (found["head"].keys() | found["auxiliary"].keys())
    assert found["head"]["width"] == 256


def test_a_leaf_of_a_users_own_head_says_how_it_starts_only_by_the_name_that_we_gave_it():
    own = composed("head=aspp", "head._target_=tests.tiny_network.Small").science
    own = {**own, "head": {**own["head"], "weights": "of the classes", "inner": {"std": 1, "first_draw": 2}}}
    found = identity.started_from(own, "run:0123456789abcdef", [])
    assert found["head"] == {key: value for key, value in own["head"].items() if key != "first_draw"}


def test_an_id_is_sixteen_hex_digits_and_stable():
    assert identity.digest({"a": [1, "x", None]}) == identity.digest({"a": [1, "x", None]}) == "cf946966268a847c"
    assert len(composed().run_id) == 16
    assert int(composed().run_id, 16) >= 0

from dataclasses import FrozenInstanceError

import pytest
import yaml

from repro.config.configuration import COMPOSITION, Configuration
from repro.errors import ConfigError, StoreError
from tests.composed import COMPOSER, composed

GALD = ("dataset=camvid", "head=gald", "head/ga=aspp", "evaluation.scales=[0.5,1.0]")
RUN = "run:0123456789abcdef"


def same(one, other):
    """Whether two configurations are one experiment in every respect but how they were asked for."""
    return (one.tree, one.choices, one.run_id, one.evaluation_id) == (
        other.tree, other.choices, other.run_id, other.evaluation_id,
    )  # fmt: skip


def test_it_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        composed().scale = "other"


def test_its_leaves_are_those_of_the_tree_by_dotted_path():
    leaves = composed(*GALD).leaves
    assert (leaves["head.ga.rates"], leaves["evaluation.scales"], leaves["seed"]) == ([12, 24, 36], [0.5, 1.0], 0)


def test_it_is_called_by_its_head_data_set_and_seed_unless_it_has_a_name():
    assert composed().name == "vortex-shapes-seed0"
    assert composed(*GALD, "seed=3").name == "gald-aspp-v1-camvid-seed3"
    assert composed("name=mine").name == "mine"


def test_another_seed_is_the_same_experiment_composed_with_it():
    base = composed(*GALD)
    other = base.with_seed(4)
    assert same(other, composed(*GALD, "seed=4"))
    assert other.overrides == (*GALD, "seed=4")
    assert base.seed == 0
    assert other.key("head", "dataset") == base.key("head", "dataset")


def test_what_is_derived_is_the_same_whether_the_science_was_known_before_or_not():
    known = Configuration(composed().tree, composed().choices)
    _ = known.science
    fresh = Configuration(composed().tree, composed().choices)
    assert known.with_seed(3).run_id == fresh.with_seed(3).run_id
    dropping = ["head.classifier"]
    assert known.starting_from("0" * 16, dropping).run_id == fresh.starting_from("0" * 16, dropping).run_id


@pytest.mark.parametrize("path", ["outputs", "runtime.threads", "tracking.kind", "dataset.root", "schedule.batch_size"])
def test_ids_that_are_handed_on_are_those_that_would_be_worked_out(path):
    known, fresh = (Configuration(composed(*GALD).tree, composed(*GALD).choices) for _ in range(2))
    assert known.evaluation_id
    value = "3" if path in ("outputs", "dataset.root") else 3
    other = known.with_leaf(path, value).asked_for(f"{path}=3")
    assert same(other, fresh.with_leaf(path, value).asked_for(f"{path}=3"))
    assert ("run_id" in vars(known.with_leaf(path, value))) == (path.partition(".")[0] not in ("dataset", "schedule"))


def test_a_group_that_names_no_run_leaves_the_ids_as_they_are():
    assert composed(*GALD).evaluation_id
    other = composed(*GALD).with_group(composed("tracking=none"), "tracking")
    assert other.tree["tracking"] != composed(*GALD).tree["tracking"]
    assert "run_id" in vars(other)
    assert "run_id" not in vars(composed(*GALD).with_group(composed("head=fcn"), "head"))


def test_an_untrained_run_does_not_depend_on_the_seed():
    untrained = composed("init=torchvision:fcn_resnet50")
    _ = untrained.science
    assert untrained.with_seed(5).run_id == untrained.run_id


def test_starting_from_a_run_is_what_the_command_line_would_make_of_it():
    started = composed().starting_from("0123456789abcdef", ("head.classifier",))
    assert same(started, composed(f"init.from={RUN}", "init.drop=[head.classifier]"))
    assert started.overrides == (f"init.from={RUN}", 'init.drop=["head.classifier"]')
    assert composed().starting_from("0123456789abcdef").overrides == (f"init.from={RUN}",)


def test_another_protocol_is_the_same_run_measured_otherwise():
    base = composed()
    other = base.with_evaluation(scales=[1, 2], flip=True)
    assert same(other, composed("evaluation.scales=[1,2]", "evaluation.flip=true"))
    assert other.overrides == ("evaluation.scales=[1, 2]", "evaluation.flip=true")
    assert other.run_id == base.run_id
    assert other.evaluation_id != base.evaluation_id


def test_a_leaf_that_is_set_was_not_asked_for():
    other = composed(*GALD).with_leaf("head.width", 7)
    assert other.leaves["head.width"] == 7
    assert other.overrides == GALD
    assert composed(*GALD).leaves["head.width"] == 512
    with pytest.raises(KeyError):
        composed().with_leaf("head.widht", 7)
    with pytest.raises(ConfigError, match="whole group"):
        composed().with_leaf("head", 7)


def test_a_group_comes_with_the_choices_inside_it():
    taken = composed("head=fcn").with_group(composed(*GALD), "head")
    assert taken.tree["head"] == composed(*GALD).tree["head"]
    assert taken.choices.items() >= {"head": "gald", "head/ga": "aspp", "head/ld": "v1", "dataset": "shapes"}.items()
    back = taken.with_group(composed("head=fcn"), "head")
    assert same(back, composed("head=fcn"))


@pytest.mark.parametrize("overrides", [(), GALD, ("init=torchvision:fcn_resnet50", "name='ünïcode: 1'")])
def test_what_is_written_to_disk_is_read_again(overrides, tmp_path):
    configuration = composed(*overrides)
    read = Configuration.from_yaml(configuration.to_yaml(), tmp_path)
    assert same(read, configuration)
    assert (read.overrides, read.scale) == (configuration.overrides, configuration.scale)
    assert Configuration.thawed(configuration.frozen()).frozen() == configuration.frozen()


def test_the_frozen_form_holds_the_scale_only_where_there_is_one():
    tree, choices = composed().tree, composed().choices
    assert "scale" not in Configuration(tree, choices).frozen()[COMPOSITION]
    scaled = Configuration(tree, choices, scale="smoke")
    assert scaled.frozen()[COMPOSITION]["scale"] == "smoke"
    assert Configuration.thawed(scaled.frozen()).scale == "smoke"


@pytest.mark.parametrize("composition", [None, "text", {"choices": 3, "overrides": "x", "scale": None}])
def test_a_frozen_form_without_its_composition_is_the_same_experiment(composition):
    content = {**composed().tree} | ({COMPOSITION: composition} if composition else {})
    read = Configuration.thawed(content)
    assert (read.choices, read.overrides, read.scale) == ({}, (), "")
    assert read.run_id == composed().run_id


@pytest.mark.parametrize("text", ["a: [1", "- 1\n- 2\n", "", "just text"])
def test_a_damaged_file_is_a_sentence_with_the_way_out(tmp_path, text):
    with pytest.raises(StoreError) as caught:
        Configuration.from_yaml(text, tmp_path / "config.yaml")
    assert str(caught.value).startswith(f"{tmp_path / 'config.yaml'} is damaged")
    assert str(caught.value).endswith("the run's command sets it aside and freezes it anew")
    assert "\n" not in str(caught.value)


def test_the_text_is_plain_yaml():
    assert yaml.safe_load(composed().to_yaml()) == composed().frozen()


def test_leaves_that_may_change_a_run_are_told_even_where_its_weights_file_is_gone():
    gone = composed().with_leaf("backbone.weights", "/gone/weights.pth")
    assert gone.science_leaves["backbone.weights"] == "/gone/weights.pth"
    assert "outputs" not in gone.science_leaves
    assert composed().science_leaves["schedule.batch_norm.samples"] == 8  # canonical: the batch


def test_settings_are_typed_and_a_wrong_value_is_a_sentence():
    assert composed().settings.schedule.batch_size == 8
    with pytest.raises(ConfigError, match=r"schedule\.batch_size"):
        _ = composed().with_leaf("schedule.batch_size", "many").settings


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("init.from=run:0123456789abcdef",),
        ("schedule.length=0 steps", "init.from=run:0123456789abcdef", "init.drop=[head]"),
        ("backbone.weights=IMAGENET1K_V1", "init.from=run:0123456789abcdef"),
    ],
)
@pytest.mark.parametrize("drop", [[], ["backbone"]])
def test_an_id_does_not_depend_on_what_was_worked_out_before(overrides, drop):
    first = COMPOSER.compose(overrides)
    _ = first.science
    other = first.with_seed(3).starting_from("fedcba9876543210", drop)
    assert other.run_id == Configuration.thawed(other.frozen()).run_id


def test_what_is_done_to_the_frozen_form_does_not_reach_the_configuration():
    configuration = COMPOSER.compose([])
    configuration.frozen()["schedule"]["batch_size"] = 99
    assert configuration.tree["schedule"]["batch_size"] == 8


def test_what_starts_from_a_run_has_the_layout_of_a_run():
    read = composed().with_leaf("init.from", "file:a.pth").with_leaf("init.layout", "mmsegmentation")
    later = read.starting_from("0123456789abcdef")
    assert later.overrides[-2:] == ("init.from=run:0123456789abcdef", "init.layout=ours")
    assert later.settings.init.layout == "ours"
    assert later.run_id == composed().starting_from("0123456789abcdef").run_id


def test_the_command_names_the_users_folder_and_nothing_of_one_start_alone():
    asked = Configuration({"force": True}, {}, ("seed=1", "force=true", "+force=evaluation"), user_folder="my conf")
    assert asked.command == ["python", "-m", "repro", "--config-dir", "my conf", "seed=1"]
    again = Configuration.thawed(asked.frozen())
    assert (again.user_folder, again.overrides, again.tree) == ("my conf", ("seed=1",), {"force": False})
    assert Configuration({"force": False}, {}).forced().tree["force"] is True


def test_weights_that_were_changed_since_the_run_was_named_are_refused(tmp_path):
    file = tmp_path / "start.pth"
    file.write_bytes(b"one")
    configuration = composed("head=fcn").with_leaf("init.from", f"file:{file}")
    configuration.check_unchanged(configuration.run_id)
    file.write_bytes(b"two")
    with pytest.raises(ConfigError, match="has been changed while it started"):
        configuration.check_unchanged(configuration.run_id)


def test_targets_of_the_users_own_are_told_with_the_leaf_that_names_them():
    configuration = composed("backbone._target_=tests.tiny_network.Small")
    assert configuration.own_targets == {"tests.tiny_network.Small": "backbone._target_"}
    assert composed().own_targets == {}

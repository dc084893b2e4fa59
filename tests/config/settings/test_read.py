from dataclasses import fields

import pytest

from repro.config.settings import Settings
from repro.config.settings.read import read_settings
from repro.config.tree import with_leaf, without
from repro.errors import ConfigError
from tests.composed import composed


def test_every_setting_is_read_from_the_tree():
    settings = read_settings(composed("seed=7", "align_corners=true", "init.drop=[head]").tree)
    assert {item.name for item in fields(Settings)} == set(vars(settings))
    assert (settings.seed, settings.align_corners, settings.init.drop) == (7, True, ["head"])


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("seed", "abc", "seed: Value 'abc' of type 'str' could not be converted to Integer"),
        ("schedule.batch_norm.head_momentum", None, "schedule.batch_norm.head_momentum: "),
        ("init.from", ["a"], "init.from: "),
        ("dataset.duplicate_times", 2.5, "dataset.duplicate_times: "),
        ("evaluation.output_stride", "16", 'evaluation.output_stride is "16"; it must be a whole number'),
        ("evaluation.scales", [1, "0.5"], 'evaluation.scales is [1, "0.5"]; it must be a number, without quotes'),
        ("schedule.learning_rate", "1e-3", 'schedule.learning_rate is "1e-3"; it must be a number'),
        ("align_corners", 1, "align_corners is 1; it must be true or false"),
        ("evaluation.flip", "yes", 'evaluation.flip is "yes"; it must be true or false'),
        ("schedule.batch_size", True, "schedule.batch_size: "),
    ],
)
def test_a_value_of_a_wrong_type_is_one_sentence_that_names_the_leaf(path, value, sentence):
    with pytest.raises(ConfigError) as caught:
        read_settings(with_leaf(composed().tree, path, value))
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["seed", "schedule.length", "dataset.train_split"])
def test_a_setting_that_is_missing_is_named(path):
    with pytest.raises(ConfigError, match=rf"^{path} is missing, and every run has it$"):
        read_settings(without(composed().tree, {path}))


def test_a_leaf_that_the_file_of_a_choice_lacks_is_missing_there():
    tree = without(composed().tree, {"dataset.evaluation_split"})
    with pytest.raises(
        ConfigError, match=r"^dataset\.evaluation_split is missing; add evaluation_split to dataset/own\.yaml$"
    ):
        read_settings(tree, {"dataset": "own"})


def test_the_arguments_of_a_data_sets_class_are_not_its_settings():
    tree = with_leaf(composed().tree, "dataset.size", "as large as you like")
    assert read_settings(tree).dataset.train_split == "train"


def test_a_tree_from_before_a_setting_came_has_its_default():
    paths = {"schedule.loss", "schedule.replicas", "dataset.duplicate_times", "evaluation.window"}
    older = read_settings(without(composed().tree, paths))
    assert older == read_settings(composed().tree)

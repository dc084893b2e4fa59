"""Recorded commands read without composing them."""

import pytest

from repro.config.compose import compose
from repro.config.recorded_command import Command, Lookup, leaf_of_choice, read_command

NAMES = {"backbone": "resnet18", "head": "aspp", "dataset": "shapes", "schedule": "deeplabv3_30k",
         "evaluation": "whole_513"}  # fmt: skip
TEXT = "python -m repro head=aspp 'schedule.length=200 steps' dataset.size=160 +new=1 seed=3 head=vortex"


def test_words_are_read_as_the_shell_reads_them():
    command = Command(TEXT)
    assert command.given == {"head": "vortex", "schedule.length": "200 steps", "dataset.size": "160", "new": "1",
                             "seed": "3"}  # fmt: skip
    assert command.without_seed() == ("head=aspp", "schedule.length=200 steps", "dataset.size=160", "+new=1",
                                      "head=vortex")  # fmt: skip
    assert command.of_group("dataset") == {"size": "160"}
    assert command.user_folder == ""
    assert Command("python -m repro --config-dir 'my conf' head=mine").user_folder == "my conf"
    assert read_command(TEXT) is read_command(TEXT)


@pytest.mark.parametrize("text", ["", "python -m other", "python -m repro 'head", "python -m repro head"])
def test_what_is_no_command_of_ours(text):
    with pytest.raises(ValueError, match=r"begins with|quotation|no setting"):
        Command(text)


def test_a_leaf_is_as_given_or_as_the_files_have_it():
    lookup = Lookup(Command(TEXT), NAMES)
    assert lookup("schedule.length") == "200 steps"
    assert (lookup("seed"), lookup("recipe"), lookup("determinism")) == (3, 1, "off")
    assert lookup("schedule.batch_size") == 16
    assert lookup("evaluation.pad_to") == 513
    assert lookup("evaluation.flip") is False  # of the choice that whole_513 builds upon
    assert lookup("dataset.val_images") == 96
    assert lookup("dataset.nothing") is lookup("tracking.kind") is None


@pytest.mark.parametrize("word", ["--config-dir elsewhere", "init=torchvision:deeplabv3_resnet101"])
def test_what_only_a_composition_would_know_is_not_guessed(word):
    lookup = Lookup(Command(f"python -m repro {word} seed=3"), NAMES)
    assert lookup("schedule.length") is None
    assert lookup("seed") == 3


@pytest.mark.parametrize("group", ["schedule", "evaluation", "dataset"])
def test_the_files_say_what_a_composition_gives(group):
    overrides = [f"{name}={choice}" for name, choice in NAMES.items()]
    leaves = compose(overrides).leaves
    own = {path: value for path, value in leaves.items() if path.startswith(f"{group}.")}
    found = {path: leaf_of_choice(group, NAMES[group], path.removeprefix(f"{group}.")) for path in own}
    assert {path: (value, own[path]) for path, value in found.items() if value not in (None, own[path])} == {}
    assert sum(value is not None for value in found.values()) >= 4


def test_a_folder_of_further_choices_is_looked_into(tmp_path):
    (tmp_path / "schedule").mkdir()
    (tmp_path / "schedule" / "mine.yaml").write_text("defaults: [deeplabv3_30k, _self_]\nlength: 7 steps\n")
    assert leaf_of_choice("schedule", "mine", "length", tmp_path) == "7 steps"
    assert leaf_of_choice("schedule", "mine", "batch_size", tmp_path) == 16
    assert leaf_of_choice("schedule", "mine", "length") is None

"""The help of a run names whatever can be chosen or set, and its examples work."""

import re
import shlex

import pytest

from repro.config.check import check_overrides
from repro.config.compose import compose
from repro.config.groups import config_folder, config_folders, groups_of
from repro.config.identity import GROUPS
from repro.run.command import OF_HYDRA, words
from repro.run.help import EXAMPLES, WIDTH, help_text

GROUP_LINES = re.compile(r"^  (\S+) +(\S.*(?:\n {15}.*)*)", re.MULTILINE)


def listed_groups(text):
    """The groups of a help and their choices."""
    part = text.partition("Groups and their choices\n")[2].partition("\n\n")[0]
    return {group: re.split(r",\s+", choices) for group, choices in GROUP_LINES.findall(part)}


def test_every_choice_of_every_group_of_a_run_is_listed():
    groups = groups_of(config_folders(None))
    of_a_run = {group: sorted(choices) for group, choices in groups.items() if group.partition("/")[0] in GROUPS}
    assert {"head", "head/ga", "dataset", "tracking"} <= of_a_run.keys()
    assert listed_groups(help_text()) == of_a_run


def test_the_choices_of_ones_own_folder_are_listed_with_ours(tmp_path):
    (tmp_path / "head").mkdir()
    (tmp_path / "head" / "mine.yaml").write_text("_target_: my_package.Mine\n")
    assert {"mine", "vortex"} <= set(listed_groups(help_text(tmp_path))["head"])


def test_long_lists_of_choices_are_wrapped():
    part = help_text().partition("Groups and their choices\n")[2].partition("\n\n")[0]
    assert max(map(len, part.splitlines())) <= WIDTH


def test_every_flag_of_the_command_is_named():
    text = help_text()
    flags = {flag for action in words()._actions for flag in action.option_strings if flag.startswith("--")}
    for flag in flags - {*OF_HYDRA, "--resolve"}:
        assert flag in text, flag
    assert "--hydra-help" in text
    assert "--cfg" in text


@pytest.mark.parametrize("everything", [False, True])
def test_the_settings_outside_the_groups_stand_in_it_with_their_comments(everything):
    text = help_text(everything=everything)
    for line in ("seed: 0", "precision: fp32      # fp32 | bf16 | fp16", "outputs: outputs     # runs, their records"):
        assert f"\n  {line}" in text
    assert ("schedule.batch_size: 8" in text) == everything


def test_in_all_its_length_every_setting_of_the_default_run_stands_in_it():
    text = help_text(everything=True)
    found = set(re.findall(r"(\w+):", text))
    wanted = {path.rpartition(".")[2] for path in compose().leaves} - {"_target_"}
    assert wanted <= found, sorted(wanted - found)


def test_nobody_else_s_settings_are_told():
    assert "hydra:" not in help_text(everything=True)
    assert "_target_" not in help_text(everything=True)
    assert (config_folder() / "cluster").is_dir()
    assert "cluster" not in listed_groups(help_text())


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_are_understood(example, tmp_path):
    given = words().parse_intermixed_args(shlex.split(example))
    if given.config_dir is not None:
        (tmp_path / "head").mkdir()
        (tmp_path / "head" / "mine.yaml").write_text("_target_: repro.nn.FCN\n")
        given.config_dir = tmp_path
    if given.multirun:
        check_overrides(given.overrides, user_folder=given.config_dir)
    else:
        assert compose(given.overrides, user_folder=given.config_dir).run_id

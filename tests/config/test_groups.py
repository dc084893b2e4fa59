import pytest

from repro.config.groups import (
    config_folder,
    config_folders,
    content_of,
    groups_of,
    not_taken,
    outer_group,
    settings_of,
    takers_of,
)
from repro.errors import ConfigError


@pytest.fixture
def folder(tmp_path):
    """A user's folder with two heads, one of which takes a group inside it."""
    (tmp_path / "head" / "neck").mkdir(parents=True)
    (tmp_path / "head" / "long.yaml").write_text("defaults:\n  - neck: thin\n  - _self_\nwidth: 1\n")
    (tmp_path / "head" / "short.yaml").write_text("width: 2\n")
    (tmp_path / "head" / "neck" / "thin.yaml").write_text("kernel_size: 3\n")
    (tmp_path / "beside.yaml").write_text("is no choice: true\n")
    return tmp_path


def test_groups_are_folders_and_choices_their_files(folder):
    assert groups_of([folder]) == {"head": {"long", "short"}, "head/neck": {"thin"}}
    both = groups_of(config_folders(folder))
    assert both["head"] > {"long", "short", "vortex"}
    assert "shapes" in both["dataset"]


def test_the_folder_of_the_package_comes_first():
    assert config_folders() == [config_folder()]
    assert (config_folder() / "config.yaml").is_file()


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(ConfigError, match=r"there is no folder .*absent for --config-dir"):
        groups_of([tmp_path / "absent"])


def test_a_choice_takes_a_group_that_its_defaults_name(folder):
    assert takers_of("head/neck", [folder]) == ["long"]
    assert takers_of("head/ga", config_folders(folder)) == ["gald"]
    assert not_taken("head/neck", "short", ["long", "longer"]) == (
        "head=short takes no head/neck; choose head=long or head=longer with it"
    )


def test_the_group_around_another_one():
    assert outer_group("head/ga") == "head"
    assert outer_group("head") == ""


@pytest.mark.parametrize(
    ("text", "sentence"), [("a: [1", "cannot be read: while parsing"), ("- 1", "must hold settings as name: value")]
)
def test_a_file_that_holds_no_settings_is_named(tmp_path, text, sentence):
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        content_of(tmp_path / "mine.yaml")
    assert str(caught.value).startswith(f"{tmp_path / 'mine.yaml'} ")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_file_says_nothing(tmp_path):
    (tmp_path / "mine.yaml").write_text("# nothing yet\n")
    assert content_of(tmp_path / "mine.yaml") == {}


def test_the_settings_of_a_command_are_told_without_groups():
    lines = settings_of("config")
    names = [line.partition(":")[0].strip() for line in lines]
    assert {"name", "seed", "precision", "outputs"} <= set(names)
    assert not {"defaults", "hydra", "dataset", "schedule"} & set(names)
    assert next(line for line in lines if line.startswith("seed")).startswith("seed: 0")
    assert all("#" in line for line in settings_of("sweep"))

import re
from enum import StrEnum
from pathlib import Path

import pytest

from repro.config.command import Given, compose_command, with_inner_choices
from repro.errors import ConfigError


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


def given(value):
    return Given({"key": value})


def test_a_command_has_settings_and_groups_of_its_own():
    found = compose_command("sweep", ["table=[a,b]", "cluster=local", "cluster.slots=2"])
    assert found.texts("table") == ("a", "b")
    assert found.optional_count("cluster.slots") == 2
    assert found.text("cluster.kind") == "local"
    assert not any(path.startswith("hydra") for path in found.leaves)


def test_what_is_not_said_has_its_default():
    found = compose_command("report", [])
    assert found.texts("table") == ()
    assert found.optional_text("scale") is None
    assert found.path("outputs") == Path("outputs")
    assert not found.flag("check")
    assert found.number("relative_tolerance") == 0.02


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("tabel=x", "sweep has no setting tabel; did you mean table?"),
        ("zzzz=x", "sweep has no setting zzzz; python -m repro.sweep --help lists them all"),
        ("cluster=loca", "cluster=loca is no choice of cluster; did you mean local?"),
        ("cluster.slot=2", "sweep has no setting cluster.slot"),
        ("table", "key=value"),
        ("table=a,b", "table=a,b is a list without brackets; write 'table=[a,b]'"),
    ],
)
def test_a_mistaken_setting_of_a_command_is_a_sentence(override, sentence):
    with pytest.raises(ConfigError, match=re.escape(sentence)) as caught:
        compose_command("sweep", [override])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (lambda it: it.text("key"), "a", "a"),
        (lambda it: it.text("key"), 5, "5"),
        (lambda it: it.optional_text("key"), None, None),
        (lambda it: it.texts("key"), None, ()),
        (lambda it: it.texts("key"), "a", ("a",)),
        (lambda it: it.texts("key"), ["a", "b"], ("a", "b")),
        (lambda it: it.word("key", Colour), "red", Colour.RED),
        (lambda it: it.flag("key"), True, True),
        (lambda it: it.number("key"), 0, 0.0),
        (lambda it: it.positive("key"), 0.5, 0.5),
        (lambda it: it.optional_count("key"), None, None),
        (lambda it: it.optional_positive("key"), None, None),
        (lambda it: it.optional_positive("key"), 0.5, 0.5),
        (lambda it: it.optional_count("key"), 1, 1),
        (lambda it: it.whole("key", 0), 0, 0),
        (lambda it: it.numbers("key", ""), 3, (0, 1, 2)),
        (lambda it: it.numbers("key", ""), [5, 2], (5, 2)),
        (lambda it: it.path("key"), "a/b", Path("a/b")),
        (lambda it: it.optional_path("key"), None, None),
        (lambda it: it.optional_path("key"), "a", Path("a")),
    ],
)
def test_a_setting_is_read_with_its_type(read, value, expected):
    found = read(given(value))
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("read", "value", "sentence"),
    [
        (lambda it: it.text("key"), None, "key is None; it must be a text"),
        (lambda it: it.text("key"), True, "key is True; it must be a text, or null"),
        (lambda it: it.texts("key"), ["a", 1], "it must be a text or a list of texts"),
        (lambda it: it.word("key", Colour), "gren", "key is gren; did you mean green?"),
        (lambda it: it.word("key", Colour), None, "key is None; there are red, green"),
        (lambda it: it.flag("key"), "yes", "key is 'yes'; it must be true or false"),
        (lambda it: it.flag("key"), 1, "it must be true or false"),
        (lambda it: it.number("key"), -1, "it must be a number of at least 0"),
        (lambda it: it.number("key"), float("inf"), "it must be a number of at least 0"),
        (lambda it: it.number("key"), True, "it must be a number of at least 0"),
        (lambda it: it.positive("key"), 0, "it must be a positive number"),
        (lambda it: it.positive("key"), float("nan"), "it must be a positive number"),
        (lambda it: it.optional_count("key"), 0, "it must be at least 1, or null"),
        (lambda it: it.optional_count("key"), 1.5, "it must be at least 1, or null"),
        (lambda it: it.whole("key", 1), 0, "key is 0; it must be a whole number of at least 1"),
        (lambda it: it.whole("key", 0), True, "it must be a whole number of at least 0"),
        (lambda it: it.numbers("key", "a number"), 0, "key is 0; give a number"),
        (lambda it: it.numbers("key", "a number"), [-1], "key is [-1]; give a number"),
        (lambda it: it.numbers("key", "a number"), [True], "give a number"),
        (lambda it: it.numbers("key", "a number"), "3", "give a number"),
        (lambda it: it.numbers("key", "a number"), [1, 1], "key holds 1 twice; each may stand in it once"),
        (lambda it: it.texts("key"), ["a", "b", "a"], "key holds a twice"),
    ],
)
def test_a_setting_of_another_type_is_a_sentence(read, value, sentence):
    with pytest.raises(ConfigError, match=re.escape(sentence)):
        read(given(value))


def test_choices_may_stand_in_a_folder_of_their_own():
    groups = {"cluster": {"slurm"}, "cluster/site": {"mylab"}}
    assert with_inner_choices(groups) == {"cluster": {"slurm", "site/mylab"}, "cluster/site": {"mylab"}}


def test_a_command_takes_groups_of_the_users_own(tmp_path):
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster" / "mine.yaml").write_text("kind: local\nslots: 7\nrefresh_seconds: 1\n")
    found = compose_command("sweep", ["cluster=mine", f"conf_folder={tmp_path}"])
    assert found.leaves["cluster.slots"] == 7
    with pytest.raises(ConfigError, match="cluster=mine is no choice of cluster"):
        compose_command("sweep", ["cluster=mine"])

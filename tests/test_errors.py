from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.errors import (
    ConfigError,
    DataError,
    ReproError,
    StoreError,
    first_line,
    full_sentence,
    hint,
    is_ours,
    nearest,
    refuse_repeated,
    told,
)

HEADS = ["aspp", "fcn", "module_a", "vortex"]


@pytest.mark.parametrize("kind", [ConfigError, DataError, StoreError])
def test_every_mistake_is_one_that_the_user_can_mend(kind):
    assert issubclass(kind, ReproError)
    assert kind("x").exit_code == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("it broke", "it broke."), ("it broke.", "it broke."), ("did you mean x?", "did you mean x?"), ("oh!", "oh!")],
)
def test_a_sentence_ends_once(text, sentence):
    assert full_sentence(text) == full_sentence(full_sentence(text)) == sentence


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("one.\n  two"), "one"),
        (ValueError("\n\n one\ntwo"), "one"),
        (KeyError("a"), "'a'"),
        (ValueError(), "ValueError"),
        (OSError(2, "No such file"), "[Errno 2] No such file"),
    ],
)
def test_of_an_error_its_first_line_is_told(error, line):
    assert first_line(error) == line


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("votex", "; did you mean vortex?"),
        ("VORTEX", "; did you mean vortex?"),
        ("zzz", "; there are aspp, fcn, module_a, vortex"),
        (None, "; there are aspp, fcn, module_a, vortex"),
    ],
)
def test_a_wrong_name_is_answered_with_the_nearest_or_with_all(wrong, words):
    assert hint(wrong, HEADS) == words


def test_a_hint_can_say_otherwise_and_name_several():
    assert hint("zzz", HEADS, otherwise="look into conf/head") == "; look into conf/head"
    assert hint("votex", ["vortex", "vertex", "fcn"], most=2) == "; did you mean vortex or vertex?"
    assert hint("zzz", ["b", "a", "b"]) == "; there are b, a"


def test_capitals_do_not_matter_and_the_name_is_told_as_it_is():
    assert nearest("miou", ["mIoU", "mIOU", "Kind"]) == ["mIoU"]
    assert nearest("x", []) == []


@given(st.text(min_size=1, max_size=9))
def test_a_right_name_is_the_nearest_to_itself(name):
    assert nearest(name, ["unlike", name])[0].lower() == name.lower()


def test_an_error_of_own_code_is_told_with_its_line():
    def own():
        return {}["key"]

    with pytest.raises(KeyError) as caught:
        own()
    assert told(caught.value) == f"KeyError: 'key' ({__file__}, line {own.__code__.co_firstlineno + 1})"
    assert told(ValueError()) == "ValueError"
    with pytest.raises(SyntaxError) as broken:
        compile("clas A:", "own.py", "exec")
    assert told(broken.value) == "SyntaxError: invalid syntax (own.py, line 1)"


def test_our_classes_are_told_from_others():
    assert is_ours(ConfigError)
    assert not is_ours(Path)


def test_what_stands_twice_in_a_list_is_refused():
    refuse_repeated("key", [1, 2, 3])
    with pytest.raises(ConfigError, match=r"^key holds 1\.0 twice; each may stand in it once$"):
        refuse_repeated("key", [1, 2, 1.0])

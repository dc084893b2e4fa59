from enum import StrEnum

import pytest

from repro.papers.located import Located, SpecError, check_keys, mapping_of, read_yaml, text_of, texts_of, word_of

TEXT = """\
# a comment
first:
  name: 5
  list: [a, b]
second: {inner: {1: x}}
"""


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


@pytest.fixture
def file(tmp_path):
    (tmp_path / "a.yaml").write_text(TEXT)
    return tmp_path / "a.yaml"


def test_mappings_remember_their_lines_and_have_keys_of_text(file):
    node = read_yaml(file)
    assert node == {"first": {"name": 5, "list": ["a", "b"]}, "second": {"inner": {"1": "x"}}}
    assert (node.line, node.lines) == (2, {"first": 2, "second": 5})
    assert (node["first"].line, node["first"].lines) == (3, {"name": 3, "list": 4})
    assert type(node["second"]["inner"]) is Located


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"a: 1\nb: [1\nc: 2\n", ":3: is no YAML: "),
        (b"a: 1\na: 2\n", ":2: is no YAML: the key a is given twice"),
        (b"- 1\n", ":1: must be a mapping of names to values"),
        (b"", ":1: must be a mapping"),
        (b"a: \xff\n", ":1: cannot be read: "),
        (b"a: !!python/object:os.system 1\n", ":1: is no YAML: "),
    ],
)
def test_what_is_no_mapping_is_a_mistake_with_its_line(tmp_path, content, sentence):
    (tmp_path / "a.yaml").write_bytes(content)
    with pytest.raises(SpecError) as caught:
        read_yaml(tmp_path / "a.yaml")
    assert str(caught.value).startswith(f"{tmp_path / 'a.yaml'}:{caught.value.line}: ")
    assert sentence in str(caught.value)


def test_a_file_that_is_not_there_is_a_mistake(tmp_path):
    with pytest.raises(SpecError, match="cannot be read"):
        read_yaml(tmp_path / "absent.yaml")


def test_keys_are_known_and_complete(file):
    node = read_yaml(file)
    check_keys(file, node, ("first",), ("second", "third"), "the file")
    for required, optional, line, sentence in (
        (("first",), ("secnd",), 5, "the file has the unknown key second; did you mean secnd?"),
        (("first",), ("zzz",), 5, "the file has the unknown key second; it may have first, zzz"),
        (("third",), ("first", "second"), 2, "the file lacks the key third"),
    ):
        with pytest.raises(SpecError) as caught:
            check_keys(file, node, required, optional, "the file")
        assert (caught.value.line, caught.value.message) == (line, sentence)


def test_values_are_read_by_their_kind(file):
    node = read_yaml(file)
    assert text_of(file, node["first"], "name") == "5"
    assert text_of(file, node["first"], "absent", "default") == "default"
    assert texts_of(file, node["first"], "list") == ("a", "b")
    assert texts_of(file, Located(1) | {"one": "a"}, "one") == ("a",)
    assert texts_of(file, node, "absent") == ()
    assert mapping_of(file, node, "first") is node["first"]
    assert mapping_of(file, node, "absent") == {}
    assert word_of(file, node, "absent", Colour, "red") is Colour.RED


@pytest.mark.parametrize(
    ("read", "text", "sentence"),
    [
        (text_of, "a: [1]", "a must be text, not [1]"),
        (text_of, "a: true", "a must be text, not True"),
        (texts_of, "a: [1]", "a must be a list of texts, not [1]"),
        (texts_of, "a: {b: c}", "a must be a list of texts, not {'b': 'c'}"),
        (mapping_of, "a: [1]", "a must be a mapping, not [1]"),
        (lambda *given: word_of(*given, Colour), "a: blue", "a is blue; it must be one of red, green"),
    ],
)
def test_a_value_of_another_kind_is_a_mistake_in_its_line(tmp_path, read, text, sentence):
    file = tmp_path / "a.yaml"
    file.write_text(f"b: 1\n{text}\n")
    with pytest.raises(SpecError) as caught:
        read(file, read_yaml(file), "a")
    assert (caught.value.line, caught.value.message) == (2, sentence)

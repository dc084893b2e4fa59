import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from repro.config.overrides import Override, merged, read, split, with_letters, written_out
from repro.config.tree import written
from repro.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "override"),
    [
        ("seed=3", Override("", "seed", "3", 3, False)),
        ("head=aspp", Override("", "head", "aspp", "aspp", False)),
        ("head.rates=[6,12]", Override("", "head.rates", "[6,12]", [6, 12], False)),
        ("schedule.length=7 steps", Override("", "schedule.length", "7 steps", "7 steps", False)),
        ("backbone.weights=null", Override("", "backbone.weights", "null", None, False)),
        ("name=", Override("", "name", "", "", False)),
        ("name='a=b'", Override("", "name", "'a=b'", "a=b", False)),
        ("seed=0,1", Override("", "seed", "0,1", None, True)),
        ("head=glob(v*)", Override("", "head", "glob(v*)", None, True)),
        ("+x=1", Override("+", "x", "1", 1, False)),
        ("++x=1", Override("++", "x", "1", 1, False)),
        ("~x", Override("~", "x", "", None, False)),
    ],
)
def test_an_override_is_read_as_hydras_grammar_has_it(text, override):
    assert read(text) == override


def test_what_an_override_is_about():
    assert read("schedule@other.schedule=x").group == "schedule"
    assert read("hydra.launcher=basic").is_about_hydra
    assert not read("head=vortex").is_about_hydra
    assert read("head=glob(v*)").is_function
    assert not read("head=vortex").is_function


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("head", "'head' is no setting; write it as key=value, or as group=choice"),
        ("seed=[1", "the value of 'seed=[1' cannot be read: no viable alternative at input '[1'; quote text as "),
        ("name={ü}", "the value of 'name={ü}' cannot be read: token recognition error at: 'ü'; quote text as "),
        ("=3", "is no setting"),
    ],
)
def test_what_is_no_override_is_a_sentence(text, sentence):
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_only_what_sets_can_be_split():
    assert split("head.rates=[6,12]") == ("head.rates", [6, 12])
    for text in ("+seed=1", "~seed", "++seed=1"):
        with pytest.raises(ConfigError, match="adds or removes a setting; write it as key=value"):
            split(text)


@given(st.none() | st.booleans() | st.integers(-9999, 9999) | st.lists(st.integers(0, 99)))
def test_a_value_that_was_written_is_read_again(value):
    assert split(f"a={written(value)}") == ("a", value)


def test_the_last_one_of_a_key_counts_and_the_first_one_places_it():
    assert merged(["a=1", "b=2"], [], ("a=3", "c=4")) == ("a=3", "b=2", "c=4")


def test_several_origins_are_several_values_of_a_grid():
    assert written_out(["init=torchvision:fcn_resnet50,torchvision:fcn_resnet101", "seed=1"]) == [
        "init=fcn_resnet50,fcn_resnet101", "seed=1",
    ]  # fmt: skip
    assert written_out(["init=run:a,run:b"]) == ["init.from='run:a','run:b'"]
    assert written_out(["init=file:it's.pt"]) == ["init.from='file:it\\'s.pt'"]
    assert split(*written_out([r"init=file:C:\weights.pt"])) == ("init.from", r"file:C:\weights.pt")
    assert written_out(["init=none", "name=a:b"]) == ["init=none", "name=a:b"]


@pytest.mark.parametrize(
    ("text", "value", "for_hydra"),
    [
        ("outputs=/home/jürgen/läufe", "/home/jürgen/läufe", "outputs='/home/jürgen/läufe'"),
        ("name=größe 2 ", "größe 2", "name='größe 2'"),
        ("name='größe'", "größe", "name='größe'"),
        ("table=[ä/t1, b/t2]", ["ä/t1", "b/t2"], "table=['ä/t1', b/t2]"),
        ("name=名前", "名前", "name='名前'"),
        ("name=plain", "plain", "name=plain"),
    ],
)
def test_letters_of_any_language_need_no_quotes(text, value, for_hydra):
    assert with_letters(text) == for_hydra
    assert read(text).value == value
    assert read(text).text == text.partition("=")[2]


@pytest.mark.parametrize("text", ["name=ü\\,b", "name={a: ü}", "outputs=/ü/it's"])
def test_what_is_more_than_a_text_or_a_list_is_left_to_its_writer(text):
    assert with_letters(text) == text
    with pytest.raises(ConfigError, match="quote text as"):
        read(text)


def test_letters_of_any_language_may_stand_in_a_grid():
    assert read("name=größe,b").is_grid
    assert with_letters("name=größe,b") == "name='größe',b"


PLAIN = st.characters(codec="utf-8", exclude_characters=",[]{}()'\"\\=", exclude_categories=["C", "Z"])


@given(st.text(PLAIN))
def test_any_text_beyond_ascii_is_read_as_it_stands(text):
    assert read(f"name={text}ü").value == f"{text}ü"


@pytest.mark.parametrize(
    "text", ["0", "7", "10", "0.5", "12.50", "3e-4", "-1", "007", "1_000", "1.", ".5", "true", "7a", "inf"]
)
def test_a_plain_number_is_read_as_by_the_grammar(text):
    by_grammar = OverridesParser.create().parse_override(f"schedule.batch_size={text}")
    found = read(f"schedule.batch_size={text}")
    assert (found.key, found.text, found.value) == ("schedule.batch_size", text, by_grammar.value())
    assert type(found.value) is type(by_grammar.value())

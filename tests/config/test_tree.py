import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.config.tree import canonical, flatten, with_leaf, without, written
from repro.errors import ConfigError

LEAVES = st.sampled_from([None, True, 0, -7, 1.5, "", "text", [], [1, 2]])


def built(leaves):
    """The tree of some dotted paths, put together path by path."""
    tree = {}
    for path, value in leaves.items():
        *groups, last = path.split(".")
        node = tree
        for group in groups:
            node = node.setdefault(group, {})
        node[last] = value
    return tree


TREES = st.dictionaries(st.sampled_from(["a", "b.a", "b.c.d", "b.c.e", "f.g", "h"]), LEAVES).map(built)


@given(TREES)
def test_a_flat_tree_can_be_put_together_again(tree):
    assert built(flatten(tree)) == tree


def test_a_list_is_one_leaf():
    assert flatten({"a": {"b": [1, {"c": 2}]}, "d": None}) == {"a.b": [1, {"c": 2}], "d": None}


@given(TREES, st.data())
def test_without_some_paths_all_others_stay(tree, data):
    leaves = flatten(tree)
    paths = data.draw(st.sets(st.sampled_from(sorted(leaves)))) if leaves else set()
    kept = without(tree, paths)
    assert flatten(kept) == {path: value for path, value in leaves.items() if path not in paths}
    assert {} not in kept.values()


def test_a_whole_group_can_be_left_out():
    assert without({"a": {"b": 1, "c": {"d": 2}}, "e": 3}, {"a.c", "e"}) == {"a": {"b": 1}}


@given(TREES, st.data(), LEAVES)
def test_one_leaf_is_set_and_nothing_else_changes(tree, data, value):
    leaves = flatten(tree)
    if not leaves:
        return
    path = data.draw(st.sampled_from(sorted(leaves)))
    before = json.dumps(tree)
    assert flatten(with_leaf(tree, path, value)) == {**leaves, path: value}
    assert json.dumps(tree) == before


def test_what_is_not_on_the_way_to_a_leaf_is_shared():
    tree = {"a": {"b": 1}, "c": {"d": 2}}
    assert with_leaf(tree, "a.b", 3)["c"] is tree["c"]


@pytest.mark.parametrize("path", ["x", "a.x", "a.b.x", "x.b"])
def test_a_leaf_that_is_not_there_is_not_made(path):
    with pytest.raises(KeyError):
        with_leaf({"a": {"b": 1}}, path, 2)


def test_a_group_can_be_emptied_or_replaced_by_a_group_but_not_by_a_value():
    tree = {"a": {"b": 1}}
    assert with_leaf(tree, "a", None) == {"a": None}
    assert with_leaf(tree, "a", {"c": 2}) == {"a": {"c": 2}}
    with pytest.raises(ConfigError, match="a=5 would replace a whole group of settings by one value"):
        with_leaf(tree, "a", 5)


@given(st.integers(-(10**9), 10**9))
def test_equal_numbers_have_one_form(number):
    assert canonical({"a": [number, {"b": number}]}) == canonical({"a": (float(number), {"b": float(number)})})
    assert type(canonical(float(number))) is int


def test_true_is_not_one():
    assert json.dumps(canonical({"a": True})) != json.dumps(canonical({"a": 1}))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_no_number_that_is_none(number):
    with pytest.raises(ConfigError, match=r"schedule\.power is"):
        canonical({"schedule": {"power": number}})
    with pytest.raises(ConfigError, match=r"scales\[1\] is"):
        canonical({"scales": [1, number]})


def test_only_plain_values():
    with pytest.raises(ConfigError, match="head is of type set; a configuration holds plain values only"):
        canonical({"head": {1, 2}})


@given(st.dictionaries(st.text(min_size=1).filter(lambda key: key != "_target_"), LEAVES))
def test_order_of_keys_and_nulls_do_not_matter(tree):
    reordered = dict(reversed(tree.items()))
    without_nulls = {key: value for key, value in tree.items() if value is not None}
    assert canonical(tree) == canonical(reordered) == canonical(without_nulls)


def test_nulls_stay_where_a_class_takes_them():
    tree = {"head": {"_target_": "a.B", "width": None}, "auxiliary": {"_target_": None, "weight": None}}
    assert canonical(tree) == {"head": {"_target_": "a.B", "width": None}}


@pytest.mark.parametrize(
    ("value", "text"),
    [("3 steps", "3 steps"), (None, "null"), (True, "true"), ([1, 2.5], "[1, 2.5]"), (["a"], '["a"]'), (0.5, "0.5")],
)
def test_values_are_written_as_overrides_have_them(value, text):
    assert written(value) == text

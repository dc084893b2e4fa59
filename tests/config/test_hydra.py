import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from repro.config.compose import compose
from repro.config.hydra import carry_out, choices_of, composed, plain, with_overrides
from repro.config.identity import GROUPS
from repro.config.overrides import read
from repro.errors import ConfigError


def test_choices_are_those_of_our_groups():
    node = composed(["head=gald", "dataset=voc"])
    found = choices_of(node)
    assert set(found) == {*GROUPS, "head/ga", "head/ld"}
    assert (found["dataset"], found["schedule"], found["head/ga"]) == ("voc", "deeplabv3_30k", "cgnl")


def test_a_composition_is_made_plain_without_hydras_own():
    tree = plain(composed(["head=aspp"]))
    assert "hydra" not in tree
    assert tree["head"]["rates"] == [6, 12, 18]
    assert type(tree["head"]["rates"]) is list


@pytest.mark.parametrize("content", [{"a": "${missing}"}, {"a": "???"}])
def test_what_cannot_be_resolved_is_a_sentence(content):
    with pytest.raises(ConfigError) as caught:
        plain(OmegaConf.create(content))
    assert "\n" not in str(caught.value)


def test_hydras_own_complaints_are_sentences():
    with pytest.raises(ConfigError, match="no_such_choice") as caught:
        composed(["head=no_such_choice"])
    assert "\n" not in str(caught.value)


def test_an_equal_composition_is_a_copy_of_its_own_for_which_hydra_is_not_asked_again(monkeypatch):
    first = composed(["head=aspp"])
    with monkeypatch.context() as patched:
        patched.delattr("hydra.compose")
        OmegaConf.update(first, "head.width", 3)
        assert (first.head.width, composed(["head=aspp"]).head.width) == (3, 256)
    assert composed(["head=aspp"], name="config").head == composed(["head=aspp", "hydra.verbose=true"]).head


def test_a_file_that_was_changed_is_composed_anew(tmp_path):
    file = tmp_path / "head" / "mine.yaml"
    file.parent.mkdir()
    for width in (8, 16):
        file.write_text(f"width: {width}\n")
        assert composed(["head=mine"], tmp_path).head.width == width


def test_leaves_are_set_as_hydra_would():
    node = composed([])
    given = ["head.pool_sizes=[1,2]", "backbone.weights=null", "name=a b"]
    with_overrides(node, map(read, given))
    assert plain(node) == plain(composed(given))
    with pytest.raises(ConfigError, match="no_such_leaf"):
        with_overrides(composed([]), [read("head.no_such_leaf=1")])


def test_a_grid_is_carried_out_one_configuration_after_the_other(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["repro"])
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    monkeypatch.chdir(tmp_path)
    seen = []
    carry_out(seen.append, ["--multirun"], ["head=fcn,aspp", "seed=3", "outputs=here"])
    assert [(item.choices["head"], item.seed) for item in seen] == [("fcn", 3), ("aspp", 3)]
    expected = compose(["head=aspp", "seed=3", "outputs=here"])
    assert (seen[1].tree, seen[1].choices) == (expected.tree, expected.choices)
    assert set(seen[1].overrides) == set(expected.overrides)


@pytest.mark.parametrize("flags", [[], ["--multirun"]])
def test_paths_mean_what_they_meant_where_the_command_was_given(tmp_path, monkeypatch, flags):
    monkeypatch.setattr(sys, "argv", ["repro"])
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    monkeypatch.chdir(tmp_path)
    seen = []
    carry_out(lambda _: seen.append(Path.cwd()), flags, ["hydra.job.chdir=true", "outputs=here", "seed=3"])
    assert seen == [tmp_path]


def test_what_a_job_raises_reaches_the_caller(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["repro"])
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    monkeypatch.chdir(tmp_path)

    def fails(configuration):
        raise ConfigError(f"seed {configuration.seed} is unlucky")

    with pytest.raises(ConfigError, match="seed 13 is unlucky"):
        carry_out(fails, [], ["seed=13", "outputs=here"])

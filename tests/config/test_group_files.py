"""The files of groups put together by themselves, against Hydra."""

import itertools

import pytest

from repro.config.composer import Composer
from repro.config.group_files import LeftToHydraError, group_node
from repro.config.groups import config_folder, groups_of, takers_of
from repro.config.hydra import choices_of, composed, plain
from repro.config.identity import GROUPS

FOLDERS = [config_folder()]
FOUND = groups_of(FOLDERS)


def families():
    """Every choice of every group, with every choice of the groups inside it."""
    for group in GROUPS:
        for choice in sorted(FOUND[group]):
            inner = [name for name in FOUND if name.startswith(f"{group}/") and choice in takers_of(name, FOLDERS)]
            yield {group: choice}
            for choices in itertools.product(*(sorted(FOUND[name]) for name in inner)) if inner else ():
                yield {group: choice, **dict(zip(inner, choices, strict=True))}


ALL = list(families())


@pytest.mark.parametrize("family", ALL, ids=lambda family: " ".join(f"{key}={value}" for key, value in family.items()))
def test_a_group_is_what_hydra_makes_of_it(family):
    group = next(iter(family))
    try:
        node, choices = group_node(group, family, FOLDERS)
    except LeftToHydraError:
        assert group == "init"
        return
    found = composed([f"{key}={value}" for key, value in family.items()])
    assert choices == {key: value for key, value in choices_of(found).items() if key.partition("/")[0] == group}
    assert node == plain(found)[group]


def written(folder, name, text):
    file = folder / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "# @package _global_\nseed: 3\n",
        "width: ${seed}\n",
        "defaults: [{/runtime: default}, _self_]\nwidth: 3\n",
        "defaults: [{ga: aspp}]\nwidth: 3\n",
        "defaults: [{optional ga: aspp}, _self_]\n",
    ],
)
def test_what_goes_beyond_a_group_is_left_to_hydra(tmp_path, text):
    written(tmp_path, "head/mine", text)
    with pytest.raises(LeftToHydraError):
        group_node("head", {"head": "mine"}, [*FOLDERS, tmp_path])


def test_numbers_are_read_as_hydra_reads_them(tmp_path):
    written(tmp_path, "schedule/mine", "defaults: [shapes_200, _self_]\nweight_decay: 1e-3\nohem: {kept_pixels: 7}\n")
    node, _ = group_node("schedule", {"schedule": "mine"}, [*FOLDERS, tmp_path])
    assert (node["weight_decay"], node["batch_size"]) == (0.001, 8)
    assert node["ohem"] == {"threshold": 0.7, "kept_pixels": 7}
    chosen = ["backbone=resnet18", "dataset=shapes", "evaluation=whole", "schedule=mine"]
    assert Composer(tmp_path).compose(chosen).tree["schedule"] == node

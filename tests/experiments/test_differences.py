import pytest

from repro.experiments.differences import Difference, chain_differences, differences
from repro.papers import Address
from tests.composed import COMPOSER, composed, measured
from tests.experiments.test_chains import STAGED
from tests.experiments.test_measurements import at, of
from tests.papers.small_paper import small_library


def told(paper, measured):
    return {item.leaf: (item.paper, item.measured) for item in differences(paper, measured)}


def test_equal_configurations_have_no_difference():
    assert differences(composed(), composed("seed=5", "name=mine", "runtime.threads=2")) == []


@pytest.mark.parametrize(
    ("override", "difference"),
    [
        ("head.width=128", {"head.width": (256, 128)}),
        ("schedule.length=7 steps", {"schedule.length": ("200 steps", "7 steps")}),
        ("evaluation.flip=true", {"evaluation.flip": (False, True), "evaluation.average": (None, "probabilities")}),
        ("evaluation.output_stride=8", {"evaluation.output_stride": (16, 8)}),
        ("schedule.batch_norm.samples=4", {"schedule.batch_norm.samples": (8, 4)}),
        ("schedule.batch_norm.samples=8", {}),
        ("align_corners=true", {"align_corners": (False, True)}),
        ("evaluation.batch_size=2", {}),
        (
            "init.from=run:0123456789abcdef",  # says how every part starts
            {
                "backbone.weights": (None, None),
                "backbone.first_draw": ("kaiming_normal", None),
                "head.first_draw": ("xavier_uniform", None),
                "head.logits_std": (0.01, None),
            },
        ),
    ],
)  # fmt: skip
def test_a_leaf_that_decides_the_score_is_a_difference(override, difference):
    found = told(composed(), composed(override))
    assert found == {leaf: values for leaf, values in difference.items() if values[0] != values[1]}


def test_a_group_of_another_choice_comes_first_and_of_a_data_set_alone():
    found = differences(composed("head=fcn"), composed("head=fcn", "dataset=camvid", "backbone=resnet50"))
    assert found[:2] == [Difference("dataset", "shapes", "camvid"), Difference("backbone", "resnet18", "resnet50")]
    leaves = {item.leaf for item in found}
    assert "backbone.depth" not in leaves
    assert not any(leaf.startswith("dataset.") for leaf in leaves)
    assert "schedule.length" in leaves


def test_of_a_head_that_is_not_built_its_name_is_told():
    missing = COMPOSER.compose(["head=unbuilt", "head.blocks=7"])
    found = differences(missing, composed("head=fcn"))
    assert found[0] == Difference("head", "unbuilt", "fcn")
    assert [item.leaf for item in found if item.leaf.startswith("head")] == ["head"]


def test_a_difference_is_a_sentence():
    assert str(Difference("seed", 1, 2)) == "seed: 1 → 2"
    assert str(Difference("backbone.multi_grid", None, [1, 2])) == "backbone.multi_grid: none → [1, 2]"


def test_a_cell_at_the_papers_scale_has_none_and_at_another_one_those_of_the_scale(tmp_path):
    library = small_library(tmp_path)
    assert chain_differences(of(library)[at("better")]) == []
    found = [str(item) for item in chain_differences(of(library, "smoke")[at("better")])]
    assert "schedule.batch_size: 8 → 4" in found
    assert not [item for item in found if item.startswith("dataset:")]  # shapes in both; its size is told below
    assert any(item.startswith("dataset.size: ") for item in found)


def test_a_stage_is_named_before_its_differences(tmp_path):
    found = [
        item.leaf for item in chain_differences(of(small_library(tmp_path, ablation=STAGED), "smoke")[at("better")])
    ]
    assert {"first: schedule.batch_size", "second: schedule.batch_size", "schedule.batch_size"} <= set(found)


def test_the_differences_of_a_real_row():
    item = measured("smoke", "vortex/table1")[Address("vortex/table1", "Module B", "Mean IoU")]
    found = [str(difference) for difference in chain_differences(item)]
    assert found[:2] == ["dataset: voc → shapes", "backbone: resnet50 → resnet18"]
    assert "schedule.batch_size: 16 → 8" in found

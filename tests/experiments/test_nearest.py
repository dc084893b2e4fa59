import time

import pytest

from repro.config.compose import compose
from repro.experiments.nearest import nearest_rows
from repro.papers import load_papers

MODULE_B = [
    "backbone=resnet50", "backbone.output_stride=8", "backbone.multi_grid=[1,2,4]", "dataset=voc",
    "schedule=deeplabv3_30k", "evaluation=whole_513", "head=vortex",
]  # fmt: skip


@pytest.fixture(scope="module")
def library():
    return load_papers()


def test_an_equal_evaluation_is_the_row(library):
    for seed in (0, 7):
        found = nearest_rows(compose([*MODULE_B, f"seed={seed}"]), library)
        assert found.agreement == "evaluation"
        assert "vortex/table1: Module B" in str(found)
        assert str(found).startswith("this is ")


def test_an_equal_training_is_said_to_be_evaluated_otherwise(library):
    found = nearest_rows(compose([*MODULE_B, "evaluation.flip=true"]), library)
    assert found.agreement == "training"
    assert str(found) == "this is the training of vortex/table1: Module B, evaluated otherwise"


def test_another_run_is_told_by_what_differs(library):
    found = nearest_rows(compose([*MODULE_B, "head.width=128", "schedule.power=1"]), library)
    assert found.agreement == "neither"
    assert {item.leaf: (item.paper, item.measured) for item in found.differences} == {
        "head.width": (256, 128),
        "schedule.power": (0.9, 1),
    }
    assert str(found) == (
        "nearest printed row: vortex/table1: Module B; otherwise here: head.width: 256 → 128; schedule.power: 0.9 → 1"
    )


def test_at_most_six_leaves_are_named(library):
    found = nearest_rows(compose(["head=vortex"]), library)
    assert len(found.differences) > 6
    assert str(found).count("→") == 6
    assert str(found).endswith(f"; and {len(found.differences) - 6} more")


def test_a_head_that_no_paper_prints_has_no_row(library):
    assert nearest_rows(compose(["head=aspp_torchvision"]), library) is None


@pytest.mark.parametrize("head", ["vortex", "aspp", "module_a", "fcn"])
def test_the_answer_takes_less_than_a_second_of_one_core(library, head):
    config = compose([f"head={head}", "dataset=camvid"])
    nearest_rows(config, library)
    start = time.process_time()
    nearest_rows(config, library)
    assert time.process_time() - start < 1.5

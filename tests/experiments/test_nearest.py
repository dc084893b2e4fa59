import time

import pytest

from repro.experiments.nearest import Agreement, nearest_rows
from tests.composed import composed, papers

MODULE_B = [
    "backbone=resnet50", "backbone.output_stride=8", "backbone.multi_grid=[1,2,4]", "dataset=voc",
    "schedule=deeplabv3_30k", "evaluation=whole_513", "head=vortex",
]  # fmt: skip


def test_an_equal_evaluation_is_the_row():
    for seed in (0, 7):
        found = nearest_rows(composed(*MODULE_B, f"seed={seed}"), papers())
        assert found.agreement is Agreement.EVALUATION
        assert "vortex/table1: Module B" in str(found)
        assert str(found).startswith("this is ")


def test_an_equal_training_is_said_to_be_evaluated_otherwise():
    found = nearest_rows(composed(*MODULE_B, "evaluation.flip=true"), papers())
    assert found.agreement is Agreement.TRAINING
    assert str(found) == "this is the training of vortex/table1: Module B, evaluated otherwise"


def test_another_run_is_told_by_what_differs():
    found = nearest_rows(composed(*MODULE_B, "head.width=128", "schedule.power=1"), papers())
    assert found.agreement is Agreement.NEITHER
    assert {item.leaf: (item.paper, item.measured) for item in found.differences} == {
        "head.width": (256, 128),
        "schedule.power": (0.9, 1),
    }
    assert str(found) == (
        "nearest printed row: vortex/table1: Module B; otherwise here: head.width: 256 → 128; schedule.power: 0.9 → 1"
    )


def test_at_most_six_leaves_are_named():
    found = nearest_rows(composed("head=vortex"), papers())
    assert len(found.differences) > 6
    assert str(found).count("→") == 6
    assert str(found).endswith(f"; and {len(found.differences) - 6} more")


def test_a_head_that_no_paper_prints_has_no_row():
    assert nearest_rows(composed("head=aspp_torchvision"), papers()) is None


@pytest.mark.parametrize("head", ["vortex", "aspp", "module_a", "fcn"])
def test_the_answer_takes_less_than_a_second_of_one_core(head):
    configuration = composed(f"head={head}", "dataset=camvid")
    nearest_rows(configuration, papers())
    start = time.process_time()
    nearest_rows(configuration, papers())
    assert time.process_time() - start < 1.5

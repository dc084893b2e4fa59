"""Evaluations against each other: the majority decides; without one both are named."""

from dataclasses import replace

from repro.report.audit.own_together import disagreements
from tests.report.audit.made_lines import altered, lines

FIRST, SECOND, THIRD = lines()[:3]


def told(*found):
    blamed = disagreements({line.evaluation_id: line for line in found})
    return {(key, item.column): item.right for key, item in blamed}


def test_what_agrees_is_not_told():
    assert told(*lines()) == told(FIRST) == told() == {}


def test_the_majority_decides():
    found = told(FIRST, altered(SECOND, parameters=7), THIRD)
    assert found == {
        (SECOND.evaluation_id, "parameters"):
            f"2 evaluations of the same command but for the seed say {FIRST.parameters}"
    }  # fmt: skip


def test_without_a_majority_both_are_named():
    found = told(FIRST, altered(SECOND, images=95))
    assert found.keys() == {(FIRST.evaluation_id, "images"), (SECOND.evaluation_id, "images")}
    assert set(found.values()) == {"evaluations on the split val of shapes say both 96 and 95"}


def test_what_an_older_line_does_not_hold_disagrees_with_nothing():
    older = replace(SECOND, split_sha256="", images=None, determinism="", batch_norm_samples=None)
    assert told(FIRST, older, THIRD) == {}


def test_evaluations_of_one_run_have_one_seed():
    other = replace(SECOND, run_id=FIRST.run_id, evaluation_id="0" * 16)
    assert (SECOND.evaluation_id, "seed") not in told(FIRST, SECOND)
    assert ("0" * 16, "seed") in told(FIRST, other)


def test_another_size_of_images_is_another_split():
    larger = replace(SECOND, images=50, command=SECOND.command.replace("dataset.size=160", "dataset.size=192"))
    assert told(FIRST, larger, THIRD) == {}
    another_root = replace(SECOND, images=50, command=f"{SECOND.command} dataset.train_split=val")
    assert (SECOND.evaluation_id, "images") in told(FIRST, another_root, THIRD)


def test_other_code_may_make_another_network_of_a_command():
    for change in ({"commit": "c0ffee"}, {"dirty": True}, {"science_code": "b" * 16}):
        assert told(FIRST, altered(SECOND, parameters=7, **change), THIRD) == {}

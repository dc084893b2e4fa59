"""Commands composed once more: the committed lines agree, and an altered line that stands alone is given away."""

from dataclasses import replace

import pytest

from repro.report.audit.own import Origin, audit_commands
from repro.report.audit.own_commands import recomposed
from repro.store.runs_csv import Recorded
from tests.report.audit.made_lines import altered, lines

FIRST = lines()[0]
CLASSES = FIRST.per_class_iou_percent
HEX = "0123456789abcdef" * 4
COMPOSED = [
    ("evaluation_id", HEX[:16]), ("run_id", HEX[:16]), ("parameters", FIRST.parameters + 1), ("split_sha256", HEX),
    ("images", 95), ("seed", 1), ("split", "test"), ("head", "vortex"),
    ("per_class_iou_percent", {f"{name}s": value for name, value in CLASSES.items()}),
    ("command", FIRST.command.replace("learning_rate=0.056", "learning_rate=0.05")),
]  # fmt: skip
"""Alterations of a line that stands alone, which its command composed once more gives away."""


def test_composed_commands_are_what_the_committed_lines_say():
    places = {line.evaluation_id: Origin("runs.csv", 2) for line in lines()}
    assert audit_commands({line.evaluation_id: line for line in lines()}, places) == ([], [])


@pytest.mark.parametrize(("column", "value"), COMPOSED, ids=lambda value: str(value)[:30])
def test_a_command_composed_once_more_gives_a_lone_line_away(column, value):
    wrong = altered(FIRST, **{column: value})
    findings, notes = audit_commands({wrong.evaluation_id: wrong}, {wrong.evaluation_id: Origin("runs.csv", 7)})
    assert notes == []
    assert {item.line for item in findings} == {7}
    assert column == "command" or column in {item.about.column for item in findings}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("", "the line has no command"),
        ("python -m repro head=gone", "head=gone"),
        ("python -m repro --config-dir /nowhere head=mine", "no folder /nowhere"),
        ("python -m repro backbone.weights=/nowhere/w.pth", "/nowhere/w.pth"),
        ("python -m repro 'head", "No closing quotation"),
    ],
)
def test_what_cannot_be_composed_today_is_noted_and_not_held_against_the_line(command, words):
    came = recomposed(replace(FIRST, command=command))
    assert came.contradictions == ()
    assert words in came.note


def test_what_counts_by_its_content_may_have_changed_rightly(tmp_path):
    weights = tmp_path / "w.pth"
    weights.write_bytes(b"other weights by now")
    came = recomposed(replace(FIRST, command=FIRST.command.replace("weights=null", f"weights={weights}")))
    assert came.contradictions == ()
    assert "has changed since" in came.note


def test_a_note_has_its_place():
    line: Recorded = replace(FIRST, command="")
    findings, notes = audit_commands({line.evaluation_id: line}, {line.evaluation_id: Origin("runs.csv", 7)})
    assert findings == []
    assert notes == [f"runs.csv:7: evaluation {line.evaluation_id} is not recomposed: the line has no command"]

"""Findings as sentences with their places."""

import pytest

from repro.report.audit.contradiction import Contradiction, OwnFinding, OwnKind


@pytest.mark.parametrize(
    ("line", "found", "sentence"),
    [
        (5, 1, "runs.csv:5: seed is 1, but its command means 0"),
        (0, 1, "runs.csv: seed is 1, but its command means 0"),
        (5, "", "runs.csv:5: seed is empty, but its command means 0"),
        (5, None, "runs.csv:5: seed is empty, but its command means 0"),
        (5, "x" * 200, f"runs.csv:5: seed is {'x' * 77}..., but its command means 0"),
    ],
)
def test_a_sentence(line, found, sentence):
    about = Contradiction(OwnKind.COMMAND, "seed", found, "its command means 0")
    assert str(OwnFinding("runs.csv", line, "ab", about)) == sentence

"""The audit of somebody else's table."""

from repro.papers import Address
from repro.report.audit.finding import Finding, FindingKind
from repro.report.audit.foreign.check import audit_grid
from repro.report.audit.foreign.rules import Difference, Rules
from tests.report.audit.foreign.made_grids import GAINS, grid, latex

GAIN = Rules((Difference("gain", "mIoU", to="base"),))


def kinds(findings: list[Finding]) -> list[tuple[FindingKind, list[str]]]:
    return [(item.kind, [f"{place.row}/{place.column}" for place in item.blamed]) for item in findings]


def test_a_right_table_has_no_findings() -> None:
    assert audit_grid(grid(GAINS), None).findings == []
    assert audit_grid(grid(GAINS), GAIN).findings == []


def test_a_wrong_gain_is_found_declared_or_not() -> None:
    wrong = grid(GAINS.replace("3.5", "3.9"))
    for rules in (None, GAIN):
        (found,) = audit_grid(wrong, rules).findings
        assert (found.kind, found.blamed) == (FindingKind.DIFFERENCE, ())
        assert Address("made.csv", "two", "gain") in found.places
    assert len(audit_grid(wrong, None).likely) == 1
    assert audit_grid(wrong, GAIN).likely == []


def test_cells_that_print_the_same_vote() -> None:
    wrong = grid(GAINS.replace("3.5", "3.9") + "again,77.2,3.5\n")
    same = (("two", "mIoU"), ("again", "mIoU")), (("two", "gain"), ("again", "gain"))
    (found,) = audit_grid(wrong, Rules(GAIN.rules, same=same)).findings
    assert found.blamed == (Address("made.csv", "two", "gain"),)
    assert found.expected == "3.5"


def test_a_wrong_reference_that_all_gains_speak_against_is_blamed() -> None:
    (found,) = audit_grid(grid(GAINS.replace("73.7", "73.1")), GAIN).findings
    assert found.blamed == (Address("made.csv", "base", "mIoU"),)
    assert found.expected == "73.7"


def test_bold_that_is_not_the_best_of_its_column() -> None:
    table = grid("m,x,y\na,**80.8**,1.0\nb,79.0,**2.0**\nc,81.0,3.0\n")
    found = audit_grid(table, None).findings
    assert kinds(found) == [(FindingKind.BEST, ["a/x"]), (FindingKind.BEST, ["b/y"])]
    assert found[0].how == "it is neither the highest nor the lowest: c prints 81.0 and b prints 79.0"
    declared = audit_grid(grid("m,x\na,80.8\nb,**79.0**\n"), Rules(best=(("x", True),))).findings
    assert [item.expected for item in declared] == ["80.8"]
    assert audit_grid(grid("m,x\na,80.8\nb,**79.0**\n"), None).findings == []


def test_bold_in_each_part_between_rules_is_held_against_that_part() -> None:
    body = "m & x \\\\ \\hline a & \\textbf{80.8} \\\\ b & 79.0 \\\\ \\hline c & \\textbf{85.0} \\\\ d & 84.0 \\\\"
    assert audit_grid(latex(body, "lc"), None).findings == []
    assert kinds(audit_grid(latex(body.replace("84.0", "86.0"), "lc"), None).findings) == [(FindingKind.BEST, ["c/x"])]


def test_decimals_unlike_those_of_most_of_the_column() -> None:
    (found,) = audit_grid(grid("m,x\na,80.8\nb,79.00\nc,81.0\nd,82.0\n"), None).findings
    assert (found.kind, found.printed, found.expected) == (FindingKind.DECIMALS, "79.00", "79.0")
    assert audit_grid(grid("m,x\na,80.8\nb,79.00\nc,81\n"), None).findings == []

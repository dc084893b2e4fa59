"""The pages beside the tables."""

from dataclasses import replace

from repro.papers import Address, Entry, Standing, Table
from repro.report.audit.finding import Finding, FindingKind
from repro.report.judge.readings import Effect
from repro.report.judge.results import Robustness
from repro.report.judge.statistics import interval
from repro.report.render.pages import audit_page, readings_page
from tests.report.made_results import measured_small


def effect(setting: str, line: int, name: str, row: str, *differences: float) -> Effect:
    entry = Entry(setting, ("paper",), Standing.OPEN, "nowhere", {}, line=line)
    return Effect(entry, name, Address("small/table1", row, "mIoU"), 72.0, interval(differences))


def test_an_effect_is_a_line_of_the_page() -> None:
    moved = replace(effect("batch_size", 3, "sixteen", "Rates", 1.0, 1.1, 0.9), p_value=0.003, adjusted=0.012)
    page = readings_page("small", "paper", [moved])
    (line,) = [line for line in page.splitlines() if "sixteen" in line]
    assert line == (
        "| batch size | open | sixteen | small/table1: Rates @ mIoU | 72.00 | +1.00 \\[+0.75, +1.25\\] | 3 "
        "| p = 0.003, adjusted 0.012 | raises |"
    )
    assert "python -m repro.sweep ledger=small scale=paper seeds=3" in page


def test_what_is_to_be_known_of_the_images_behind_an_effect_is_a_footnote() -> None:
    warned = replace(effect("selection", 3, "best", "Rates", 1.0), warnings=("chosen by 5 images", "trained on 2"))
    other = replace(effect("selection", 3, "best", "Plain", 1.0), warnings=("trained on 2",))
    lines = readings_page("small", "paper", [warned, other, effect("width", 9, "broad", "Plain", 1.0)]).splitlines()
    assert [line.split(" | ")[3] for line in lines if " @ mIoU" in line] == [
        "small/table1: Rates @ mIoU<sup>1–2</sup>",
        "small/table1: Plain @ mIoU<sup>2</sup>",
        "small/table1: Plain @ mIoU",
    ]
    notes = [line for line in lines if "warning" in line]
    assert notes == ["1. warning: chosen by 5 images", "2. warning: trained on 2"]


def test_settings_stand_in_the_order_of_the_ledger_with_the_readings_of_one_together() -> None:
    effects = [
        effect("width", 9, "narrow", "Plain", 1.0),
        effect("width", 9, "broad", "Plain", 1.0),
        effect("batch_size", 3, "sixteen", "Plain", 1.0),
        effect("width", 9, "broad", "Rates", 1.0),
    ]
    lines = [line.split(" | ") for line in readings_page("small", "paper", effects).splitlines() if " @ mIoU" in line]
    assert [(line[0].lstrip("| "), line[2], line[3].split()[1]) for line in lines] == [
        ("batch size", "sixteen", "Plain"),
        ("width", "broad", "Plain"),
        ("width", "broad", "Rates"),
        ("width", "narrow", "Plain"),
    ]


def test_claims_of_which_other_readings_were_measured_tell_how_they_fared(small: Table) -> None:
    result = measured_small(small)
    robust = replace(result, claims=(replace(result.claims[0], robustness=Robustness(8, 1, 2)),))
    effects = [effect("width", 9, "broad", "Plain", 1.0)]
    assert "## Claims" not in readings_page("made", "shapes", effects, [result])
    page = readings_page("made", "shapes", effects, [result, robust])
    assert page.partition("## Claims")[2].splitlines()[4] == (
        "| made/table1, 1 | With it &gt; Plain @ mIoU | holds | "
        "holds under 8 of 11 readings, reversed under 1, undecided under 2 |"
    )


def test_the_audit_lists_kinds_with_their_counts_and_each_finding_with_its_places() -> None:
    ours, theirs = Address("made/table1", "A|B", "mIoU"), Address("made/table2", "X [1]", "mIoU")
    classes = tuple(Address("made/table3", "C", f"class {number}") for number in range(5))
    findings = [
        Finding(FindingKind.MEAN, (ours, theirs), (ours,), "70.0", "71.0", "the 2 printed numbers have the mean 71.0"),
        Finding(FindingKind.CITED, (theirs, ours), (), "50.0", "", "one prints 50.0, one 49.0"),
        Finding(
            FindingKind.MEAN,
            classes,
            (),
            "1.0",
            "",
            "the 4 printed numbers have the mean 2.00 and not 1.0",
            suspects=classes[:2],
        ),
        Finding(FindingKind.CLAIM, (ours, theirs), (), "−1.5", "", "section 1: A > X"),
    ]
    page = audit_page(findings)
    for kind, count, blamed in ((FindingKind.MEAN, 2, 1), (FindingKind.CITED, 1, 0), (FindingKind.PROSE, 0, 0)):
        assert f"| {kind} | {count} | {blamed} | {kind.meaning} |" in page
    assert "| **all** | **4** | **1** | |" in page
    assert page.index("## Mean") < page.index("## Cited") < page.index("## Claim")
    assert "## Prose" not in page
    both = "made/table1: A\\|B @ mIoU; made/table2: X \\[1\\] @ mIoU"
    why = "the 2 printed numbers have the mean 71.0"
    assert f"| made/table1: A\\|B @ mIoU | 70.0 | 71.0 | {why} | {both} |" in page
    assert "| undecided |  |  | one prints 50.0, one 49.0 | made/table2: X \\[1\\] @ mIoU; made/table1" in page
    assert "| made/table3: C @ class 0 and 4 more of its row |" in page
    assert "| undecided: made/table3: C @ class 0; made/table3: C @ class 1 |  |  | the 4 printed" in page
    assert "| the sentence | −1.5 |  | section 1: A &gt; X |" in page


def test_an_audit_without_findings_is_a_page() -> None:
    page = audit_page([])
    assert page.count("| 0 | 0 |") == len(FindingKind)
    assert "## " not in page

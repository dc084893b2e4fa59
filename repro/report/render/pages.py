"""The pages beside the tables: what the open readings of a paper do, and what the audit has found."""

from collections.abc import Iterable, Sequence

from repro.report.audit.finding import Finding, FindingKind, places_text
from repro.report.judge.readings import Effect
from repro.report.judge.results import TableResult
from repro.report.printed import number
from repro.report.render.claims import laid_claims, p_text
from repro.report.render.markdown import GENERATED, escape
from repro.report.render.wording import difference_text, spans

DECIMALS = 2

UNDECIDED = "undecided"
"""In the place of whom a finding blames, where the printed numbers do not decide it."""

THE_SENTENCE = "the sentence"
"""The same where a claim and the numbers contradict each other."""


def readings_page(paper: str, scale: str, effects: Sequence[Effect], results: Sequence[TableResult] = ()) -> str:
    """The effects of one paper's open readings at one scale, and how many of them each claim outlasts.

    Args:
        paper: its name.
        scale: its name.
        effects: of the readings that were measured.
        results: of the paper's tables at the scale.
    """
    lines = [
        GENERATED, f"# {escape(paper)}: what the open choices do", "",
        f"Scale **{escape(scale)}**. Alternative minus our reading, with the 95 % t-interval; p by itself and adjusted "
        "over the effects on this page, after Holm.", "",
        "| Setting | Status | Alternative | Cell | Our reading | Difference [95 %] | Seeds | p | It |",
        "| :-- | :-- | :-- | :-- | --: | :-- | --: | :-- | :-- |",
    ]  # fmt: skip
    notes = list(dict.fromkeys(warning for item in _in_order(effects) for warning in item.warnings))
    lines += [_effect(item, notes) for item in _in_order(effects)]
    lines += ["", *(f"{number}. warning: {escape(note)}" for number, note in enumerate(notes, 1))] if notes else []
    lines += _robust(results)
    return "\n".join([*lines, "", f"`python -m repro.sweep ledger={paper} scale={scale} seeds=3` measures more.", ""])


def _robust(results: Sequence[TableResult]) -> list[str]:
    """The claims of which other readings than ours were measured, each with how it fared."""
    lines = []
    for result in results:
        for item, laid in zip(result.claims, laid_claims(result), strict=True):
            if item.robustness is None:
                continue
            texts = (f"{result.table.key}, {laid.number}", laid.says or laid.comparison, laid.verdict, laid.robustness)
            lines.append("| " + " | ".join(escape(text) for text in texts) + " |")
    head = ["", "## Claims", "", "| Table, claim | Claim | Our reading | Of all readings, ours included |",
            "| :-- | :-- | :-- | :-- |"]  # fmt: skip
    return [*head, *lines] if lines else []


def audit_page(findings: Sequence[Finding]) -> str:
    """How many findings of each kind there are, then each with whom it blames, its arithmetic and all its places."""
    lines = [
        GENERATED, "# Audit of the published tables", "",
        "Recomputed from the printed numbers alone. Listed is what rounding cannot explain. A number is blamed where "
        "all the others agree without it, and nothing is where as much speaks for one as for another.", "",
        "| Kind | Findings | Blamed | Meaning |", "| :-- | --: | --: | :-- |",
    ]  # fmt: skip
    for kind in FindingKind:
        chosen = [item for item in findings if item.kind is kind]
        lines.append(f"| {kind} | {len(chosen)} | {sum(bool(item.blamed) for item in chosen)} | {kind.meaning} |")
    lines.append(f"| **all** | **{len(findings)}** | **{sum(bool(item.blamed) for item in findings)}** | |")
    for kind in FindingKind:
        chosen = [item for item in findings if item.kind is kind]
        if chosen:
            lines += ["", f"## {kind.capitalize()}", "", "| Blamed | Printed | Expected | Why | All places |",
                      "| :-- | --: | --: | :-- | :-- |"]  # fmt: skip
            lines += [_finding(item) for item in chosen]
    return "\n".join(lines) + "\n"


def _finding(item: Finding) -> str:
    argued = item.kind is FindingKind.CLAIM
    undecided = f"{UNDECIDED}: {'; '.join(places_text(item.suspects))}" if item.suspects else UNDECIDED
    blamed = "; ".join(map(str, item.blamed)) or (THE_SENTENCE if argued else undecided)
    printed = item.printed if item.blamed or argued else ""
    texts = (blamed, printed, item.expected, item.how, "; ".join(places_text(item.places)))
    return "| " + " | ".join(escape(text) for text in texts) + " |"


def _in_order(effects: Iterable[Effect]) -> list[Effect]:
    """Settings in the order of the ledger, each with its cells in printed order."""
    settings = list(dict.fromkeys(item.entry.setting for item in sorted(effects, key=lambda item: item.entry.line)))
    return sorted(effects, key=lambda item: (settings.index(item.entry.setting), item.name))


def _effect(item: Effect, notes: Sequence[str]) -> str:
    difference = difference_text(item.difference, DECIMALS).replace("[", "\\[").replace("]", "\\]")
    texts = (item.entry.setting.replace("_", " "), item.entry.status, item.name, str(item.address))
    raised = spans(notes.index(warning) + 1 for warning in item.warnings)
    *others, place = map(escape, texts)
    place += f"<sup>{raised}</sup>" if raised else ""
    sure = "" if item.p_value is None else escape(p_text(item.p_value, item.adjusted))
    cells = [*others, place, number(item.base, DECIMALS), difference, str(item.difference.n), sure, item.direction]
    return "| " + " | ".join(cells) + " |"

import re
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from repro.papers import Table
from repro.report.judge.results import Robustness
from repro.report.judge.verdicts import ClaimVerdict
from repro.report.render.latex import document, escape, latex
from tests.report.made_results import AWKWARD, claim_of, measured_small, real_tables, small_table, unmeasured

TABLES = real_tables()
AWKWARD_CELL = "'" + AWKWARD.replace("'", "''") + " @ mIoU'"


@given(st.text(max_size=30))
def test_escaped_text_is_ascii_and_has_no_character_with_a_meaning(text: str) -> None:
    escaped = escape(text)
    assert escaped.isascii()
    left = re.sub(r"\\[a-zA-Z]+(\{\})?|\\[{}$&#%_`'^~\"]|\{(?:\[|\]|\w|[\[U+\dA-F]*)\}|\$\^?", "", escaped)
    assert not set(left) & set("&#%_^\\")


def test_the_characters_of_the_papers_have_commands() -> None:
    assert escape("Δa ↑ ↓ × ± % _ & #") == r"$\Delta$a $\uparrow$ $\downarrow$ $\times$ $\pm$ \% \_ \& \#"
    assert escape("Zürich") == r"Z\"{u}rich"
    assert escape("漢") == "{[}U+6F22{]}"


def test_a_table_has_rules_label_marks_and_values(small: Table) -> None:
    text = latex(replace(measured_small(small), scale="paper"))
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == 1
    assert r"\label{tab:made:table1-paper}" in text
    assert r"\checkmark{}" in text
    assert r"68.8 $\pm$ 1.8 (3), $-$1.2, below" in text
    assert r"\textit{\textbf{72.0}} (1)" in text
    assert r"\textbf{81.0}" in text
    assert escape(AWKWARD) in text


def test_numbers_that_are_not_to_be_compared_come_with_a_warning_and_without_their_difference(small: Table) -> None:
    result = measured_small(small)
    text = latex(result)
    (caption,) = [line for line in text.splitlines() if line.startswith(r"\caption")]
    assert "not with the published numbers" in caption
    assert r"68.8 $\pm$ 1.8 (3), below" in text
    assert "measured minus published" not in text
    assert "not with the published numbers" not in latex(replace(result, scale="paper"))
    assert "not with the published numbers" not in latex(unmeasured(small, "shapes"))


def test_a_claim_stands_in_a_list_with_its_comparisons(tmp_path: Path) -> None:
    table = small_table(
        tmp_path, f'{{claim: ["With it", ">", [Plain, {AWKWARD_CELL}]], says: "Best, by 100 %.", place: s_1}}'
    )
    claim = claim_of(
        table, table.claims[0], ClaimVerdict.HOLDS, ClaimVerdict.INCONCLUSIVE, robustness=Robustness(9, 2, 0)
    )
    text = latex(replace(unmeasured(table), claims=(claim,)))
    assert r"\item[1.] Best, by 100 \%." in text
    assert r"\item[1.2] With it \textgreater{} " + escape(AWKWARD) in text
    assert r"Measured: +1.3 {[}+0.5, +2.1{]} (3 seeds; paired by seed; p = 0.013, adjusted 0.052): holds." in text
    assert r"\textbf{inconclusive}; holds under 9 of 11 readings, reversed under 2." in text
    assert text.count(r"\begin{itemize}") == text.count(r"\end{itemize}") == 2


def test_no_two_tables_of_a_document_share_a_label() -> None:
    labels = re.findall(r"\\label\{([^}]*)\}", document(unmeasured(table) for table in TABLES.values()))
    assert len(labels) == len(set(labels)) >= len(TABLES)

import re

from hypothesis import given
from hypothesis import strategies as st

from repro.papers import Table
from repro.report.render.latex import document, escape, latex
from tests.report.made_results import AWKWARD, measured_small, real_tables, unmeasured

TABLES = real_tables()


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
    text = latex(measured_small(small))
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == 2
    assert r"\label{tab:made:table1-shapes}" in text
    assert r"\checkmark{}" in text
    assert r"68.8 $\pm$ 1.8 (3), $-$1.2, below" in text
    assert r"\textit{\textbf{72.0}} (1)" in text
    assert r"\textbf{81.0}" in text
    assert escape(AWKWARD) in text


def test_no_two_tables_of_a_document_share_a_label() -> None:
    labels = re.findall(r"\\label\{([^}]*)\}", document(unmeasured(table) for table in TABLES.values()))
    assert len(labels) == len(set(labels)) >= len(TABLES)

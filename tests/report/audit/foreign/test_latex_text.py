"""Words of LaTeX."""

import pytest

from repro.report.audit.foreign.latex_text import group_at, plain, rule_at


@pytest.mark.parametrize(
    ("source", "words"),
    [(r"80.8", "80.8"), (r"$76.2_{\pm 0.3}$", "76.2±0.3"), (r"\textbf{80.8}", "80.8"), (r"{\bf 80.8}", "80.8"),
     (r"\underline{79.0}", "79.0"), (r"+ ASPP~\cite{chen}", "+ ASPP"), (r"3.5 $\uparrow$", "3.5 ↑"),
     (r"mIoU (\%)", "mIoU (%)"), (r"A \& B", "A & B"), (r"$\Delta_a$", "Δa"), (r"\textcolor{red}{1.5}", "1.5"),
     (r"\multirow{2}{*}{Method}", "Method"), (r"\makecell[c]{two\\lines}", "two lines"), (r"\small 65ms", "65ms"),
     (r"$-0.3$", "-0.3"), (r"\cellcolor{gray!20}80.8", "80.8"), (r"\rotatebox{90}{road}", "road"),
     (r"\checkmark", "✓"), (r"\textbf{\underline{80.8}}", "80.8"), (r"5\,000", "5 000")],
)  # fmt: skip
def test_words_are_left_of_it(source: str, words: str) -> None:
    found = plain(source)
    assert (found.words, found.unknown) == (words, [])


@pytest.mark.parametrize(
    "source", [r"\textbf{1}", r"{\bf 1}", r"$\mathbf{1}$", r"\bfseries 1", r"\underline{\textbf{1}}"]
)
def test_bold_is_seen(source: str) -> None:
    assert plain(source).is_bold
    assert not plain(r"\underline{1}").is_bold


def test_a_command_that_is_not_known_is_named_and_its_argument_kept() -> None:
    found = plain(r"\ours{} \best{80.8} \mine")
    assert found.words == "80.8"
    assert found.unknown == ["\\ours", "\\best", "\\mine"]


def test_groups_and_rules_end_where_they_end() -> None:
    assert group_at("{a{b}c}d", 0) == ("a{b}c", 7)
    assert group_at(" x", 0) == ("x", 2)
    text = r"\cmidrule(lr){2-3} (base) & 1"
    assert text[rule_at(text, 0) :] == " (base) & 1"
    text = r"\midrule (base)"
    assert text[rule_at(text, 0) :] == "(base)"
    assert rule_at(r"\textbf{1}", 0) is None

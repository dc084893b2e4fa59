"""The command on somebody else's table: what it prints, and its exit code."""

import re
from pathlib import Path

import pytest

from repro.report.audit.foreign.declared import read_rules
from repro.report.command import main
from tests.places import REPOSITORY
from tests.report.audit.foreign.made_grids import GAINS, grid

EXAMPLES = REPOSITORY / "examples" / "tables"


def ran(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(list(words))
    return code, *capsys.readouterr()


def test_a_table_without_contradictions_is_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "made.csv").write_text(GAINS)
    code, out, err = ran(capsys, f"audit={tmp_path / 'made.csv'}")
    assert (code, err) == (0, "")
    assert '    - {column: "gain", of: "mIoU", to: "base"}  # holds in 4 of 4' in out
    assert out.splitlines()[-1] == f"{tmp_path / 'made.csv'}: nothing that rounding does not explain."


def test_the_four_slips_of_the_example_are_found_with_their_lines(capsys: pytest.CaptureFixture[str]) -> None:
    relations = EXAMPLES / "ablation.relations.yaml"
    for words in ([], [f"relations={relations}"]):
        code, out, _ = ran(capsys, f"audit={EXAMPLES / 'ablation.tex'}", *words)
        assert code == 1
        found = [
            line.partition("ablation.tex:")[2].split(":")[:2] for line in out.splitlines() if "ablation.tex:1" in line
        ]
        assert found == [["12", " difference"], ["15", " best"], ["14", " best"], ["12", " decimals"]]
        assert "4 findings, 3 of them with the number to blame." in out
        assert ("It looks as if" in out) == (not words)


def test_a_table_of_ours_prints_its_findings(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ran(capsys, f"audit={REPOSITORY / 'sweeps' / 'gald' / 'table3.yaml'}")
    assert code == 1
    assert "ResNet101 @ Δa(%): 0.3 ↑ printed, 0.7 expected" in out


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["audit=nowhere.csv"], "there is no file nowhere.csv to audit"),
        (["audit={0}/made.txt"], "its name must end in .csv, .tsv, .tex, .latex, .yaml, .yml"),
        (["audit={0}/words.csv"], "has no row with a number"),
        (["audit={0}/binary.csv"], "cannot be read"),
        (["audit={0}/made.csv", "relations={0}/none.yaml"], "of relations"),
        (["audit={0}/made.csv", "relations={0}/wrong.yaml"], "did you mean gain?"),
        (["relations={0}/wrong.yaml"], "name it too: audit=<table>"),
        (["audit={0}/made.csv", "check=true"], "leave out paper, table, scale, check and prune"),
        (["audit={0}/table.yaml", "relations={0}/wrong.yaml"], "leave out relations"),
    ],
)
def test_a_mistake_is_one_sentence(
    words: list[str], answer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "made.csv").write_text(GAINS)
    (tmp_path / "made.txt").write_text(GAINS)
    (tmp_path / "words.csv").write_text("a,b\nc,d\n")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "table.yaml").write_text("title: x\n")
    (tmp_path / "wrong.yaml").write_text("differences:\n  - {column: gian, of: mIoU, to: base}\n")
    code, out, err = ran(capsys, *(word.format(tmp_path) for word in words))
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert answer in err


PAGE = REPOSITORY / "docs" / "audit.md"


def blocks(kind: str) -> list[str]:
    """The blocks of a kind on the page."""
    parts = re.split(r"^```(\w*)\n", PAGE.read_text(), flags=re.MULTILINE)
    # text, then kind and content of a block, then the empty kind of its end and the text that follows
    return [content for found, content in zip(parts[1::4], parts[2::4], strict=True) if found == kind]


def test_every_command_of_the_page_does_what_the_page_says(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(REPOSITORY)
    commands = re.findall(r"^python -m repro\.report (audit=.*)$", PAGE.read_text(), re.MULTILINE)
    answers = [ran(capsys, *command.split()) for command in commands]
    assert len(commands) == 4
    assert all((code, err) == (1, "") for code, _, err in answers)
    (shown,) = [block for block in blocks("") if "It looks as if" in block]
    assert shown in answers[0][1]


def test_the_relations_of_the_page_are_understood(tmp_path: Path) -> None:
    (shown,) = [block for block in blocks("yaml") if block.startswith("differences:")]
    heads = ["method", "mIoU", "gain", "after", "before", "mean", "road", "building", "tree"]
    labels = ["base", "base again", "ours", "gain", "average", "first", "second", "third"]
    text = "\n".join([",".join(heads), *(f"{label}{',1.0' * 8}" for label in labels)])
    (tmp_path / "relations.yaml").write_text(shown)
    assert len(read_rules(tmp_path / "relations.yaml", [grid(text)]).rules) == 6

"""Scores of a test server on the small paper: where they stand, what is refused, and that they count nowhere."""

from pathlib import Path

import pytest

from repro.papers import Address
from repro.report.judge.tables import Tables
from repro.report.judge.verdicts import Tolerance, Verdict
from repro.report.render.headline import headline
from repro.report.render.index import coverage, index_html
from repro.report.render.latex import latex
from repro.report.render.markdown import markdown
from repro.report.server_scores import read_server_scores, with_server_scores
from repro.store.server_csv import COLUMNS
from tests.composed import papers
from tests.places import REPOSITORY

LINE = "small/table1,Server,mIoU,75.30,2026-11-30,Somebody's server,0123456789abcdef"
SERVER = Address("small/table1", "Server", "mIoU")


def read(folder: Path, made, *lines: str):
    path = folder / "server.csv"
    path.write_text("\n".join([",".join(COLUMNS), *lines, ""]), encoding="utf-8")
    return read_server_scores(path, made.library)


def results(made, entered):
    lines = made.lines("Rates", [72.9, 73.0, 73.1])
    result = Tables(made.found, lines, Tolerance(1.0, 0.02)).result(made.table)
    return result, with_server_scores(result, entered.scores)


def test_a_score_stands_in_its_cell_with_its_date(tmp_path, as_printed):
    entered = read(tmp_path, as_printed, LINE)
    assert entered.problems == ()
    _, result = results(as_printed, entered)
    cell = result.cells[SERVER]
    assert (cell.verdict, cell.measured, cell.by_seed, cell.difference) == ("server", None, {}, None)
    for text in (markdown(result), latex(result)):
        assert "server: 75.30 on 2026-11-30" in text
        assert "75.30 from Somebody's server on 2026-11-30, of run 0123456789abcdef" in text.replace("{'}", "'")
    page = index_html([result], [])
    assert "small/table1: Server @ mIoU</a>: 75.30 from Somebody&#x27;s server on 2026-11-30" in page


def test_a_score_counts_in_no_headline_no_claim_and_no_other_cell(tmp_path, as_printed):
    before, after = results(as_printed, read(tmp_path, as_printed, LINE))
    assert headline([after]) == headline([before])
    assert after.claims == before.claims
    assert {key: cell for key, cell in after.cells.items() if key != SERVER} == {
        key: cell for key, cell in before.cells.items() if key != SERVER
    }
    old, new = coverage([before]), coverage([after])
    assert (new.measured, new.runnable, new.reproduced) == (old.measured, old.runnable, old.reproduced)
    assert (new.verdicts[Verdict.SERVER], new.verdicts[Verdict.SERVER_ONLY]) == (1, old.verdicts["server only"] - 1)


def test_what_cannot_be_run_here_may_be_answered_too(tmp_path, as_printed):
    assert set(read(tmp_path, as_printed, LINE.replace("Server,", "Secret,")).scores) == {
        Address("small/table1", "Secret", "mIoU")
    }


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("small/table1", "small/tabel1", "there is no table small/tabel1; did you mean small/table1?"),
        (",Server,", ",Sever,", "small/table1 has no row Sever; did you mean Server?"),
        (",mIoU,", ",mIOU,", "small/table1 has no column mIOU; did you mean mIoU?"),
        (",Server,", ",Rates,", "the row Rates of small/table1 is `own`; a server answers for rows that are "
         "`server only` or `cannot be run`"),
        (",Server,", ",Someone [1],", "the row Someone [1] of small/table1 is `cited`"),
        (",mIoU,", ",Parameters,", "small/table1: Server @ Parameters prints no score in percent"),
        (",mIoU,", ",Gain,", "small/table1: Server @ Gain prints no score in percent"),
        ("75.30", "753", "score is '753', which is no percentage"),
    ],
)  # fmt: skip
def test_a_mistake_is_a_sentence_with_file_and_line(tmp_path, as_printed, old, new, words):
    entered = read(tmp_path, as_printed, LINE.replace(old, new))
    assert entered.scores == {}
    (problem,) = entered.problems
    assert problem.startswith(f"{tmp_path / 'server.csv'}:2: {words}")


def test_a_test_server_is_asked_once(tmp_path, as_printed):
    entered = read(tmp_path, as_printed, LINE, LINE.replace("75.30", "76.10"))
    assert str(entered.scores[SERVER].score) == "75.30"
    (problem,) = entered.problems
    assert ":3: small/table1: Server @ mIoU has a score already, in line 2; a test server is asked once" in problem


def test_a_report_shows_it_at_the_papers_scale_alone(ran):
    assert ran() == 0
    before = ran.files()
    (ran.reports / "server.csv").write_text(f"{','.join(COLUMNS)}\n{LINE}\n")
    assert ran("check=true") == 1  # the tables are of before
    assert ran() == 0, ran.err
    changed = {name for name, text in ran.files().items() if before.get(name) != text}
    assert changed == {"server.csv", *(f"paper/small/table1.{kind}" for kind in ("md", "csv", "tex"))}
    assert ran.cells("paper")["Server", "mIoU"]["verdict"] == "server"
    assert ran("check=true") == 0
    (ran.reports / "server.csv").write_text(f"{','.join(COLUMNS)}\n{LINE.replace('75.30', '753')}\n")
    assert ran() == 1
    assert f"{ran.reports / 'server.csv'}:2: score is '753'" in ran.err
    assert ran.cells("paper")["Server", "mIoU"]["verdict"] == "server only"


def test_the_example_of_the_page_is_right(tmp_path):
    page = (REPOSITORY / "docs" / "papers.md").read_text(encoding="utf-8")
    head = ",".join(COLUMNS)
    assert head in page
    line = page.partition(f"{head}\n")[2].partition("\n")[0].strip()
    path = tmp_path / "server.csv"
    path.write_text(f"{head}\n{line}\n", encoding="utf-8")
    entered = read_server_scores(path, papers())
    assert (len(entered.scores), entered.problems) == (1, ())

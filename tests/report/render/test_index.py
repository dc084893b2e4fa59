import re
from dataclasses import replace
from html.parser import HTMLParser

from repro.papers import Address, Table
from repro.report.audit.finding import Finding, FindingKind
from repro.report.judge.verdicts import Verdict
from repro.report.render.index import CELL_ORDER, COLOURED, UNMEASURED, coverage, index_html
from repro.report.render.style import STYLE
from repro.store.reports import table_file
from tests.report.made_results import measured_small, real_tables, unmeasured

VOID = {"meta", "br"}


class Page(HTMLParser):
    """Checks that tags are closed in order, and collects links and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)


def test_coverage_counts_results_and_no_settings_or_blanks(small: Table) -> None:
    total = coverage([measured_small(small)])
    assert (total.tables, total.published, total.runnable, total.measured, total.reproduced) == (1, 5, 3, 2, 0)
    assert total.verdicts == {"below": 1, "inconclusive": 1, "not run": 1, "cited": 1, "server only": 1}
    assert total.claims == {"holds": 1}


def test_coverage_of_the_real_tables_counts_every_printed_number() -> None:
    for table in real_tables().values():
        total = coverage([unmeasured(table)])
        numbers = [cell for cell in table.cells() if cell.metric.name != "setting" and cell.published is not None]
        assert total.published == len(numbers) == sum(total.verdicts.values())
        assert total.claims.total() == len(table.claims)


def test_the_page_links_every_table_and_needs_nothing_from_elsewhere(small: Table) -> None:
    results = [unmeasured(table) for table in real_tables().values()]
    results.append(measured_small(small))
    text = index_html(results, [])
    page = Page(text)
    for result in results:
        for kind in ("md", "csv", "tex", *(["claims.csv"] if result.claims else [])):
            assert f"{result.scale}/{result.table.key}.{kind}" in page.links
    assert "audit.md" in page.links
    assert not any("//" in link for link in page.links)
    assert "<script" not in text
    assert "url(" not in text
    assert "@import" not in text


def test_the_page_says_what_is_covered_and_found(small: Table) -> None:
    result = measured_small(small)
    place = Address("made/table1", "Plain", "mIoU")
    finding = Finding(FindingKind.MEAN, (place,), (place,), "70.0", "71.0", "mean")
    words = " ".join(" ".join(Page(index_html([result], [finding])).words).split())
    assert "1 tables of 1 papers" in words
    assert "0 of 0 trained cells are measured at the papers' scale" in words
    assert "Apart, at scale shapes 2 trained cells are measured, of 1 judged claims 1 hold and 0 are reversed." in words
    assert "1 contradictions among the published numbers" in words
    assert "1 holds" in words


def test_claims_that_cannot_be_judged_are_told_apart_from_those_not_run(small: Table) -> None:
    result = measured_small(small)
    claims = [
        replace(result.claims[0], verdict=verdict) for verdict in (Verdict.NOT_RUN, Verdict.CITED, Verdict.NOT_BUILT)
    ]
    words = " ".join(Page(index_html([replace(result, claims=(*result.claims, *claims))], [])).words)
    assert "1 holds, 1 not run, 2 with a side that cannot be run" in words


def test_a_closed_form_counts_at_the_papers_scale_alone() -> None:
    table = real_tables()["vortex/prose"]
    closed = [cell for cell in table.cells() if cell.is_result and not cell.metric.base.kind.has_seeds]
    paper, toy = (coverage([unmeasured(table, scale)]) for scale in ("paper", "shapes"))
    assert paper.published - toy.published == len(closed) > 0
    assert paper.claims.total() > toy.claims.total()


def test_a_smoke_sweep_leaves_all_that_is_counted_as_it_is(small: Table) -> None:
    before = [unmeasured(small), measured_small(small)]
    smoke = replace(measured_small(small), scale="smoke")
    counted = [index_html(results, []).partition('<ul class="legend">')[0] for results in (before, [*before, smoke])]
    assert counted[0] == counted[1]
    assert "2 trained cells" in counted[0]


def test_titles_are_escaped_and_an_empty_report_is_a_page(small: Table) -> None:
    result = measured_small(small)
    table = replace(result.table, title="<b>a & b</b>")
    assert "&lt;b&gt;a &amp; b&lt;/b&gt;" in index_html([replace(result, table=table)], [])
    assert "No tables yet" in " ".join(Page(index_html([], [])).words)


def test_the_bars_hold_every_verdict_on_a_printed_result_once() -> None:
    others = {verdict for verdict in Verdict if verdict.is_silent} | {Verdict.NOT_PRINTED}
    assert sorted(CELL_ORDER) == sorted(set(Verdict) - others)


def test_every_verdict_has_a_colour_of_the_legend(small: Table) -> None:
    result = measured_small(small)
    address = Address("made/table1", "Plain", "mIoU")
    coloured = set(re.findall(r"\.([a-z]+) \{ background: var\(--\1\); \}", STYLE))
    assert coloured == {*COLOURED, *UNMEASURED}
    for verdict in CELL_ORDER:
        cells = {address: replace(result.cells[address], verdict=verdict)}
        text = index_html([replace(result, cells=cells)], [])
        used = set(re.findall(r'<i class="(\w+)" style', text))
        assert len(used) == 1
        assert used < coloured
        assert f'<li><i class="{used.pop()}"></i>' in text
        assert f"<small>1 {verdict}</small>" in text


def test_every_colour_has_a_dark_counterpart() -> None:
    text = index_html([], [])
    light, dark = text.split("@media (prefers-color-scheme: dark)")
    names = set(re.findall(r"(--[a-z]+): #", light))
    assert names == set(re.findall(r"(--[a-z]+): #", dark.partition("}")[0]))


def test_the_page_warns_of_images_that_served_twice(small: Table) -> None:
    result = measured_small(small)
    assert "Warning" not in index_html([result], [])
    warned = {address: replace(cell, warnings=("5 of the 9 measured images were trained on",))
              for address, cell in result.cells.items()}  # fmt: skip
    text = index_html([replace(result, cells=warned)], [])
    (line,) = [line for line in text.splitlines() if "Warning" in line]
    assert f"about {len(warned)} cells of" in line
    assert "5 of the 9 measured images were trained on." in line
    assert table_file(result.scale, small.key, "md") in Page(text).links

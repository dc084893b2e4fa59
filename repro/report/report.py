"""A report made in memory from what is known, then written, or compared with what is there."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tqdm import tqdm

from repro.console import complain, warn
from repro.experiments.measurements import Measurements
from repro.experiments.readings import Reading, open_readings
from repro.papers import Library, Scale, Table
from repro.report.audit.checks import audit
from repro.report.audit.foreign.command import audit_file
from repro.report.audit.own_lines import Known
from repro.report.collect import Collected, collect, remembered
from repro.report.judge.images import DifferencesOverImages, in_run_folders
from repro.report.judge.readings import effects as effects_of
from repro.report.judge.results import TableResult
from repro.report.judge.tables import Tables, twins
from repro.report.judge.verdicts import Verdict
from repro.report.render.claims_csv import claims_csv
from repro.report.render.csv_table import csv_text
from repro.report.render.headline import headline, sentences
from repro.report.render.index import index_html
from repro.report.render.latex import document, latex
from repro.report.render.markdown import markdown
from repro.report.render.pages import audit_page, readings_page
from repro.report.render.wording import command
from repro.report.request import Check, Request, chosen_scales, read_request
from repro.report.server_scores import ServerScores, read_server_scores, with_server_scores
from repro.store.files import remove
from repro.store.images_csv import images_csv, read_images_csv
from repro.store.reports import (
    AUDIT,
    IMAGES_CSV,
    INDEX,
    RUNS_CSV,
    SERVER_CSV,
    claims_file,
    differing,
    document_file,
    readings_file,
    superfluous,
    table_file,
    write,
)

RENDERERS: dict[str, Callable[[TableResult], str]] = {"md": markdown, "csv": csv_text, "tex": latex}


@dataclass
class Report:
    """What a report has made: relative path to text, the results behind it, what went wrong, and what was amiss."""

    files: dict[str, str] = field(default_factory=dict)
    results: list[TableResult] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def make_report(overrides: Sequence[str]) -> int:
    """Makes what a command line asks for and prints what came of it; returns the exit code.

    Raises:
        ConfigError: a setting of a wrong kind, or a paper, table, scale or file that there is not.
    """
    request = read_request(overrides)
    if request.audit is not None:
        return audit_file(request.audit, request.relations)
    library = request.selection.library()
    tables = request.selection.tables_of(library)
    collected = _collected(request, Known(library.scales, request.selection.conf_folder))
    recorded = {evaluation.scale for evaluation in collected.evaluations.values()}
    scales = chosen_scales(request.selection, library, recorded)
    report = build(request, library, tables, scales, collected)
    return _write(request, report) if request.check is Check.NONE else _check(request, report)


def build(
    request: Request, library: Library, tables: Sequence[Table], scales: Sequence[Scale], collected: Collected
) -> Report:
    """Makes all files of a report in memory."""
    report = Report(problems=[*map(str, library.problems), *collected.problems], warnings=list(collected.warnings))
    if collected.text is not None:
        report.files[RUNS_CSV] = collected.text
    before, wrong = read_images_csv(request.selection.reports / IMAGES_CSV)
    source = in_run_folders(request.selection.outputs) if request.check is Check.NONE else None
    images = DifferencesOverImages(collected.evaluations, before, source)
    entered = read_server_scores(request.selection.reports / SERVER_CSV, library)
    with tqdm(total=len(tables) * len(scales), desc="tables", unit="table", disable=None, leave=False) as bar:
        for scale in scales:
            found = Measurements(library, tables, scale, request.selection.conf_folder)
            _add_scale(report, request, found, collected, images, entered, bar.update)
    findings = audit(library)
    report.files[AUDIT] = audit_page(findings)
    if request.everything:
        report.files[INDEX] = index_html(report.results, findings)
    lines = images.lines(asked_alone=request.everything)
    if lines and not wrong:
        report.files[IMAGES_CSV] = images_csv(lines)
    report.problems = list(dict.fromkeys([*report.problems, *wrong, *images.problems, *entered.problems]))
    return report


def _add_scale(
    report: Report, request: Request, found: Measurements, collected: Collected, images: DifferencesOverImages,
    entered: ServerScores, step: Callable[[], object],
) -> None:  # fmt: skip
    """Adds the results, files and problems of all tables at one scale."""
    builder = Tables(found, collected.evaluations, request.tolerance)
    results, scale = [], found.scale
    for table in found.tables:
        results.append(builder.with_images(builder.result(table), images))
        step()
    readings = _measured_readings(found, builder, collected)
    results = [builder.with_readings(result, readings) for result in results]
    if scale.is_paper:
        results = [with_server_scores(result, entered.scores) for result in results]
    report.results += results
    for result in results:
        for kind, render in RENDERERS.items():
            report.files[table_file(scale.name, result.table.key, kind)] = render(result)
        if result.claims:
            report.files[claims_file(scale.name, result.table.key)] = claims_csv(result)
        if scale.is_paper:
            report.problems += map(str, twins(found, result.table))
    if request.everything:
        report.files[document_file(scale.name)] = document(results)
    if not request.selection.tables:
        report.files |= _readings_pages(found, builder, readings, results)
    report.problems += map(str, found.problems)


def _measured_readings(found: Measurements, builder: Tables, collected: Collected) -> list[Reading]:
    """The papers' open readings; looked for only if there are evaluations that no cell accounts for."""
    used = set(builder.evidence.used)
    datasets = {collected.evaluations[item].names.dataset for item in used}
    rest = (evaluation for key, evaluation in collected.evaluations.items() if key not in used)
    return open_readings(found) if any(evaluation.names.dataset in datasets for evaluation in rest) else []


def _readings_pages(
    found: Measurements, builder: Tables, readings: Sequence[Reading], results: Sequence[TableResult]
) -> dict[str, str]:
    """Pages on what open readings do to the scores, one for each paper that has some measured."""
    effects = effects_of(builder.evidence, readings, found)
    pages = {}
    for paper in dict.fromkeys(item.address.table.partition("/")[0] for item in effects):
        own = [item for item in effects if item.address.table.startswith(f"{paper}/")]
        of_paper = [result for result in results if result.table.paper == paper]
        pages[readings_file(found.scale.name, paper)] = readings_page(paper, found.scale.name, own, of_paper)
    return pages


def _collected(request: Request, known: Known) -> Collected:
    reports = request.selection.reports
    if request.check is Check.NONE:
        return collect(request.selection.outputs, reports, server=request.server, prune=request.prune, known=known)
    found = remembered(reports, known)
    return found.with_commands_audited() if request.check is Check.DEEP else found


def _check(request: Request, report: Report) -> int:
    wrong = differing(request.selection.reports, report.files)
    wrong |= dict.fromkeys(_superfluous(request, report), "superfluous")
    for name, state in wrong.items():
        print(f"{request.selection.reports / name}: {state}", file=sys.stderr)
    failed = _told(report) or bool(wrong)
    if wrong:
        print(f"{len(wrong)} of {len(report.files)} files are not what {request.selection.reports / RUNS_CSV} gives; "
              "python -m repro.report writes them anew.")  # fmt: skip
    elif not failed:
        print(f"all {len(report.files)} files are what {request.selection.reports / RUNS_CSV} gives.")
    return 1 if failed else 0


def _write(request: Request, report: Report) -> int:
    count = write(request.selection.reports, report.files)
    for name in _superfluous(request, report):
        remove(request.selection.reports / name)
    failed = _told(report)
    scales = ", ".join(dict.fromkeys(result.scale for result in report.results))
    written = f"{request.selection.reports}: {count} of {len(report.files)} files written anew (scale {scales})"
    print("; ".join([written, *sentences(headline(report.results)), f"next: {_next_step(request, report)}"]))
    return 1 if failed else 0


def _superfluous(request: Request, report: Report) -> list[str]:
    if not request.everything:
        return []
    return superfluous(request.selection.reports, report.files, {result.scale for result in report.results})


def _told(report: Report) -> bool:
    """Prints what was amiss and what went wrong, one sentence each; whether anything went wrong."""
    for warning in report.warnings:
        warn(warning)
    for problem in report.problems:
        complain(problem)
    return bool(report.problems)


def _next_step(request: Request, report: Report) -> str:
    if report.problems:
        return "mend what is named above and repeat the command."
    trained = any(cell.evidence for result in report.results for cell in result.cells.values())
    first = next((result for result in report.results if _lacks_runs(result)), None)
    if not trained and first is not None:
        return command(first)
    if request.everything:
        return f"open {request.selection.reports / INDEX}"
    first = report.results[0]
    return f"read {request.selection.reports / table_file(first.scale, first.table.key, 'md')}"


def _lacks_runs(result: TableResult) -> bool:
    return any(cell.verdict is Verdict.NOT_RUN for cell in result.cells.values())

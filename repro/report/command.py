"""Rebuilds the tables of the papers from the records of runs.

    python -m repro.report                                   all tables, at the paper's scale and all that have runs
    python -m repro.report table=vortex/table1 scale=shapes  one table at one scale
    python -m repro.report check=true                        are the tables what runs.csv gives? writes nothing
    python -m repro.report source=mlflow uri=http://host     fetches records from a tracking server first

What cannot be read is named, the rest is still built, and the exit code is then 1. A choice of paper, table or scale
leaves index.html and the files of other tables alone; a choice of tables also the pages on open choices.
"""

import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tqdm import tqdm

from repro.config.compose import settings_of
from repro.errors import ReproError
from repro.experiments import Measurements, measurements
from repro.experiments.readings import alternatives
from repro.papers import Library, Scale, Table, load_papers
from repro.report.audit.checks import audit, audit_markdown
from repro.report.collect import Collected, collect, remembered
from repro.report.judge.readings import effect, effects_markdown
from repro.report.judge.results import TableResult
from repro.report.judge.tables import Tables, duplicates
from repro.report.render.csv_table import csv_text
from repro.report.render.index import coverage, index_html
from repro.report.render.latex import document, latex
from repro.report.render.markdown import markdown
from repro.report.render.wording import command
from repro.report.request import Request, chosen_scales, chosen_tables, read_request
from repro.store.reports import differing, superfluous, write
from repro.store.runs_csv import RUNS_CSV

USER_MISTAKE = 2
HELP = ("help", "--help", "-h")
RENDERERS: dict[str, Callable[[TableResult], str]] = {"md": markdown, "csv": csv_text, "tex": latex}


@dataclass
class Report:
    """What a report has made: relative path to text, the results behind it, and what went wrong."""

    files: dict[str, str] = field(default_factory=dict)
    results: list[TableResult] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    """Carries the command out; takes overrides of conf/report.yaml, returns the exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if any(word in HELP for word in words):
        print(f"{__doc__}\nSettings\n{settings_of('report')}")
        return 0
    try:
        request = read_request(words)
        library = load_papers(request.sweeps_folders)
        tables = chosen_tables(request, library)
        collected = _collected(request)
        scales = chosen_scales(request, library, {line.scale for line in collected.lines.values()})
        report = build(request, library, tables, scales, collected)
        return _checked(request, report) if request.check else _written(request, report)
    except ReproError as error:
        print(_sentence(str(error)), file=sys.stderr)
        return USER_MISTAKE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def build(
    request: Request, library: Library, tables: Sequence[Table], scales: Sequence[Scale], collected: Collected
) -> Report:
    """Makes all files of a report in memory."""
    report = Report(problems=[*map(str, library.problems), *collected.problems])
    if collected.text is not None:
        report.files[RUNS_CSV] = collected.text
    with tqdm(total=len(tables) * len(scales), desc="tables", unit="table", disable=None, leave=False) as bar:
        for scale in scales:
            found = measurements(library, tables, scale, request.conf_folder)
            builder = Tables(found, collected.lines, request.tolerance)
            for table in tables:
                result = builder.result(table)
                report.results.append(result)
                for kind, render in RENDERERS.items():
                    report.files[f"{scale.name}/{table.key}.{kind}"] = render(result)
                if scale.is_paper:
                    report.problems += map(str, duplicates(found, table))
                bar.update()
            if request.everything:
                of_scale = [result for result in report.results if result.scale == scale.name]
                report.files[f"{scale.name}/tables.tex"] = document(of_scale)
            if not request.table:
                report.files |= _effects(found, builder, collected)
            report.problems += map(str, found.problems)
    findings = audit(library)
    report.files["audit.md"] = audit_markdown(findings)
    if request.everything:
        report.files["index.html"] = index_html(report.results, findings)
    report.problems = list(dict.fromkeys(report.problems))
    return report


def _effects(found: Measurements, builder: Tables, collected: Collected) -> dict[str, str]:
    """Pages on the ledgers' other readings; looked for only if there are evaluations that no cell accounts for."""
    evidence = builder.evidence
    datasets = {collected.lines[item].dataset for item in evidence.used}
    rest = (line for key, line in collected.lines.items() if key not in evidence.used)
    if not any(line.dataset in datasets for line in rest):
        return {}
    pages = {}
    moved = [effect(evidence, item, found[item.base]) for item in alternatives(found)]
    effects = [item for item in moved if item is not None]
    for paper in dict.fromkeys(item.address.table.partition("/")[0] for item in effects):
        own = [item for item in effects if item.address.table.startswith(f"{paper}/")]
        pages[f"{found.scale.name}/{paper}/ledger.md"] = effects_markdown(paper, found.scale.name, own)
    return pages


def _collected(request: Request) -> Collected:
    if request.check:
        return remembered(request.reports)
    return collect(request.outputs, request.reports, server=request.server, prune=request.prune)


def _checked(request: Request, report: Report) -> int:
    wrong = differing(request.reports, report.files)
    wrong |= dict.fromkeys(_superfluous(request, report), "superfluous")
    for name, state in wrong.items():
        print(f"{request.reports / name}: {state}", file=sys.stderr)
    failed = _told(report) or bool(wrong)
    if wrong:
        print(f"{len(wrong)} of {len(report.files)} files are not what {request.reports / RUNS_CSV} gives; "
              "python -m repro.report writes them anew.")  # fmt: skip
    elif not failed:
        print(f"all {len(report.files)} files are what {request.reports / RUNS_CSV} gives.")
    return 1 if failed else 0


def _written(request: Request, report: Report) -> int:
    count = write(request.reports, report.files)
    for name in _superfluous(request, report):
        (request.reports / name).unlink()
    failed = _told(report)
    total = coverage(report.results)
    scales = ", ".join(dict.fromkeys(result.scale for result in report.results))
    print(f"{request.reports}: {count} of {len(report.files)} files written anew (scale {scales}); "
          f"{total.measured:,} of {total.runnable:,} cells that can be run are measured, "
          f"{total.reproduced:,} reproduced; next: {_next_step(request, report)}")  # fmt: skip
    return 1 if failed else 0


def _superfluous(request: Request, report: Report) -> list[str]:
    if not request.everything:
        return []
    return superfluous(request.reports, report.files, {result.scale for result in report.results})


def _told(report: Report) -> bool:
    """Prints what went wrong, one sentence each; whether anything did."""
    for problem in report.problems:
        print(_sentence(problem), file=sys.stderr)
    return bool(report.problems)


def _sentence(problem: str) -> str:
    return f"error: {problem}" + ("" if problem.endswith((".", "?")) else ".")


def _next_step(request: Request, report: Report) -> str:
    if report.problems:
        return "mend what is named above and repeat the command."
    trained = any(cell.evidence for result in report.results for cell in result.cells.values())
    missing = (result for result in report.results if any(cell.verdict == "not run" for cell in result.cells.values()))
    first = next(missing, None)
    if not trained and first is not None:
        return command(first)
    if request.everything:
        return f"open {request.reports / 'index.html'}"
    first = report.results[0]
    return f"read {request.reports / first.scale / f'{first.table.key}.md'}"

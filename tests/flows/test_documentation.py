"""Links, paths and commands of the documentation and of the files' first lines."""

import re
import shlex
from importlib import import_module

import pytest

from repro.config.check import check_overrides
from repro.config.composer import Composer
from repro.errors import ConfigError
from repro.report.request import read_request as report_request
from repro.run.command import words as run_words
from repro.sweep.request import read_request as sweep_request
from repro.track.command import words as track_words
from tests.places import CONF, REPOSITORY
from tools import heads, parameters, rates

PAGES = [*sorted(REPOSITORY.glob("*.md")), *sorted((REPOSITORY / "docs").rglob("*.md"))]
FILES = [
    file for folder in (CONF, REPOSITORY / "sweeps", REPOSITORY / "examples") for file in sorted(folder.rglob("*.yaml"))
]
COMMAND = re.compile(r"python -m repro(?:\.(\w+))?((?: [^`\n|]*)?)")
USERS_OWN = ("my_conf", "my_papers")
"""Folders that a reader is told to make; tests of their own go through them."""


def name_of(path):
    return path.relative_to(REPOSITORY).as_posix()


def commands_of(text):
    """Every command of ours as (part, words), without what is an example of a mistake."""
    for found in COMMAND.finditer(text):
        line = text[text.rfind("\n", 0, found.start()) + 1 : found.end()]
        words = shlex.split(re.split(r"\s#|\s{2}|:$|: |; |,? and (?!\w+=)", found[2])[0], comments=True)
        if not line.startswith("$") and not any(own in found[2] for own in USERS_OWN) and "<" not in found[2]:
            yield found[1] or "run", [word for word in words if "=" in word or word.startswith("-")]


def understand(part, words):
    if part == "sweep":
        sweep_request([word for word in words if not word.startswith("-")])
    elif part == "report":
        report_request(words)
    elif part == "track":
        track_words().parse_args(words)
    else:
        given = run_words().parse_intermixed_args(words)
        if given.multirun or any(word.startswith("hydra/") for word in given.overrides):
            check_overrides(given.overrides)
        else:
            Composer().compose(given.overrides)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page):
    links = [link for link in re.findall(r"\]\(([^)#]+)", page.read_text()) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_that_is_named_exists(page):
    named = re.findall(r"`((?:repro|conf|tests|tools|sweeps|docs|examples)/[\w./-]*)`", page.read_text())
    assert [path for path in named if not (REPOSITORY / path).exists()] == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=name_of)
def test_every_target_that_is_named_exists(page):
    targets = set(re.findall(r"^([\w-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([\w-]+)", page.read_text(), re.MULTILINE)) <= targets


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_of_a_page_is_understood(page):
    for part, words in commands_of(page.read_text()):
        understand(part, words)


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_the_commands_above_a_file_are_understood(file):
    for part, words in commands_of("".join(re.findall(r"^# +(python -m repro.*\n)", file.read_text(), re.MULTILINE))):
        understand(part, words)


def test_a_mistake_is_answered_as_the_page_shows():
    shown = re.findall(r"^\$ python -m repro (.+)\nerror: (.+)$", (REPOSITORY / "README.md").read_text(), re.MULTILINE)
    assert shown
    for words, answer in shown:
        with pytest.raises(ConfigError) as mistake:
            check_overrides(words.split())
        assert f"{mistake.value}." == answer


def test_every_benchmark_of_make_bench_is_there_and_loads():
    (subjects,) = re.findall(r"for subject in ([\w ]+);", (REPOSITORY / "Makefile").read_text())
    for subject in subjects.split():
        assert callable(import_module(f"tests.bench.{subject}").main)


def test_commands_are_found():
    readme = list(commands_of((REPOSITORY / "README.md").read_text()))
    assert ("report", ["check=true"]) in readme
    assert ("run", ["-m", "head=fcn,aspp,vortex", "seed=0,1,2", "hydra/launcher=submitit_slurm"]) in readme
    assert ("sweep", ["ledger=vortex", "setting=train_output_stride"]) in readme
    assert len(readme) > 20


@pytest.mark.real
def test_the_generated_tables_are_up_to_date():
    for tool, page in ((heads, heads.README), (parameters, parameters.PAGE), (rates, rates.PAGE)):
        assert tool.written(page.read_text()) == page.read_text(), "run make docs"

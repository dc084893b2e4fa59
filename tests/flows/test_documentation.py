"""Links and commands of the documentation."""

import re

import pytest

from docs import heads, parameters
from repro.config.compose import compose_command
from repro.sweep.request import read_request
from tests.places import REPOSITORY

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page):
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()) if "://" not in link]
    assert links or page.name != "README.md"
    missing = [link for link in links if not (page.parent / link).exists()]
    assert missing == []


def test_the_generated_tables_are_up_to_date():
    page = heads.README.read_text()
    assert heads.written(page) == page, "run make docs"
    page = parameters.PAGE.read_text()
    assert parameters.written(page) == page, "run make docs"


def test_every_sweep_and_report_command_is_understood():
    text = "\n".join(page.read_text() for page in PAGES)
    commands = re.findall(r"python -m repro\.(sweep|report)((?: [\w./]+=(?:'[^']*'|[^\s`']+))+)", text)
    assert len(commands) > 8
    for name, words in commands:
        overrides = [word.replace("'", "") for word in re.findall(r"[\w./]+=(?:'[^']*'|[^\s`']+)", words)]
        if name == "sweep":
            read_request(overrides)
        else:
            compose_command(name, overrides)

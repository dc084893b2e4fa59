"""The structure of the package: imports go downwards, and what is counted stays at its target."""

import re
from pathlib import Path

import pytest

from tests.places import REPOSITORY
from tools.structure import CHECKS, DOORS, LEVELS, dependencies, files, imports_of, level_of, name_of, part_of

FILES = files()

WITHOUT_A_TEST = {
    "nn/context/parts.py": "abstract bases, which say nothing that could be wrong",
    "report/render/style.py": "a text; the test of the index holds it against the page",
}


def test_every_part_has_one_level():
    placed = [part for parts in LEVELS.values() for part in parts]
    assert len(placed) == len(set(placed))
    assert {part_of(file) for file in FILES} - {"__init__"} == set(placed)
    assert len(placed) <= 18
    assert len(LEVELS) <= 6


def test_imports_go_downwards():
    upward = [pair for pair in sorted(dependencies()) if level_of(pair[1]) >= level_of(pair[0])]
    assert [f"{part} imports {other}, which is not below it" for part, other in upward] == []


def test_libraries_enter_by_their_doors():
    wrong = []
    for file in FILES:
        for name in imports_of(file):
            part, library = part_of(file), name.partition(".")[0]
            if name.startswith("."):
                wrong.append(f"{name_of(file)} has a relative import")
            elif part not in DOORS.get(library, (part,)):
                wrong.append(f"{name_of(file)} imports {library}")
    assert wrong == []


@pytest.mark.parametrize("words", CHECKS)
def test_there_are_no(words):
    assert [str(place) for place in CHECKS[words]()] == []


def test_every_module_has_its_test():
    subjects = [Path(name_of(file)) for file in FILES if file.name not in ("__init__.py", "__main__.py")]
    lacking = [path for path in subjects if not (REPOSITORY / "tests" / path.parent / f"test_{path.name}").is_file()]
    assert {path.as_posix() for path in lacking} == WITHOUT_A_TEST.keys()


def test_no_private_name_of_hydra_or_omegaconf_is_used():
    private = re.compile(r"(?:hydra|omegaconf)\.(?:[\w.]*\.)?_\w+")
    assert [name_of(file) for file in FILES if any(private.match(name) for name in imports_of(file))] == []


def test_the_page_on_architecture_has_the_levels():
    page = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d) \| ([^|]+) \|", page, re.MULTILINE)
    told = {int(level): tuple(re.findall(r"`([^`]+?)/?`", parts)) for level, parts in rows}
    assert told == LEVELS

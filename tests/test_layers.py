"""The direction of imports: a module may import its own package and what lies below it, nothing else."""

import ast
from pathlib import Path

import pytest

from tests.places import REPOSITORY

PACKAGE = REPOSITORY / "repro"
LEVELS = {  # design: [0] knows nothing of the rest, [4] are the commands
    "errors": -1, "seeding": -1, "settings": -1, "files": -1, "lock": -1, "switches": -1,
    "groups": 0, "records": 0, "identity": 0, "provenance": 0, "nn": 0, "data": 0, "metrics": 0,
    "compose": 1, "runs_csv": 1, "store": 1, "papers": 1, "tracking": 1, "engine": 1,
    "composer": 2, "build": 2,
    "measure": 3, "session": 3, "run": 3, "experiments": 3,
    "cli": 4, "track": 4, "report": 4, "sweep": 4, "__main__": 4, "__init__": -1,
}  # fmt: skip
SAME_LEVEL_ALLOWED = {
    ("run", "session"),
    ("session", "measure"),
    ("__main__", "cli"),
    ("lock", "files"),
    ("settings", "errors"),
    ("files", "errors"),
    ("lock", "errors"),
    ("switches", "errors"),
}
DOORS = {
    "hydra": {"compose", "build", "cli"},
    "omegaconf": {"compose", "cli"},
    "mlflow": {"tracking"},
    "pandas": {"runs_csv"},
    "submitit": set(),
    "torchvision": {"nn", "data"},
}
FILES = sorted(PACKAGE.rglob("*.py"))


def part_of(file: Path) -> str:
    relative = file.relative_to(PACKAGE)
    return relative.parts[0].removesuffix(".py")


def imports_of(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} has a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_every_part_has_a_level():
    assert len(FILES) > 30
    assert {part_of(file) for file in FILES} <= set(LEVELS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_imports_go_downwards(file):
    here = part_of(file)
    for name in imports_of(file):
        top, _, rest = name.partition(".")
        if top != "repro":
            assert top not in DOORS or here in DOORS[top], f"{file} imports {top}, which belongs to {DOORS[top]}"
            continue
        there = rest.partition(".")[0]
        if there in ("", "__version__") or there == here:
            continue
        assert there in LEVELS, f"{file} imports the unknown part {there}"
        below = LEVELS[there] < LEVELS[here]
        assert below or (here, there) in SAME_LEVEL_ALLOWED, f"{file} imports {there}, which is not below it"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_files_and_functions_stay_short(file):
    text = file.read_text()
    assert text.count("\n") <= 260, f"{file} is too long"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno - node.lineno + 1 <= 60, f"{node.name} in {file} is too long"

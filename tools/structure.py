"""Counts the structure of the package: `python -m tools.structure`; a test holds each count against its target.

The parts are the files and folders directly below `repro/`; a part depends on another if any of its files imports it.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TypeVar

Node = TypeVar("Node", bound=ast.AST)

PACKAGE = Path(__file__).parent.parent / "repro"

LEVELS = {
    0: ("errors", "seeding", "provenance"),
    1: ("console", "config", "store", "papers", "nn", "data", "metrics"),
    2: ("build", "engine", "track"),
    3: ("experiments",),
    4: ("run", "report"),
    5: ("sweep", "__main__"),
}
"""Level to its parts; a part imports only from levels below its own."""

DOORS = {
    "hydra": ("config", "build"),
    "omegaconf": ("config",),
    "mlflow": ("track",),
    "pandas": ("store",),
    "submitit": ("sweep",),
    "torchvision": ("nn", "data"),
}
"""Library to the parts that may import it."""

LONGEST_FILE, LONGEST_FUNCTION, MOST_ARGUMENTS = 250, 60, 12

WIDE_CONSTRUCTORS = {
    "ASPP": "its leaves stand in recorded commands",
    "ModuleA": "its leaves stand in recorded commands",
    "Vortex": "its leaves stand in recorded commands",
    "LDv2": "each leaf is a setting of GALD's ledger",
}
"""Constructors with more arguments, and why."""

PLAIN_DATA = {
    "store": "JSON documents",
    "provenance.py": "facts of a process, as the record holds them",
    "engine/checkpoint.py": "states of tensors",
    "engine/tensor_files.py": "states of tensors",
    "engine/optim.py": "parameter groups of torch",
    "run/weights.py": "states of tensors, and facts that the record holds",
    "run/evaluation.py": "facts that the record holds",
    "run/repetition.py": "facts that the record and the status hold",
    "data/workers.py": "arguments of torch's loader",
    "sweep/plan/estimate.py": "facts that the record holds",
}
"""Where a dictionary of anything is no configuration."""

DISK_NAMES = (
    "weights.pt", "config.yaml", "status.json", "journal.jsonl", "run.log", "panels.png", "job.json", "result.json",
    "log.txt", "mlflow.db", "mlartifacts", "runs.csv", "images.csv", "index.html", "audit.md", "ledger.md",
    "tables.tex", ".damaged",
)  # fmt: skip
DISK_FOLDERS = ("runs", "evaluations", "masks", "checkpoints", "sweep", "running", "lock")
"""Names of files, wherever they stand; and of folders, where they are part of a path."""


@dataclass(frozen=True)
class Place:
    """Something found: where, and what."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"repro/{self.file}:{self.line}: {self.what}"


def files() -> list[Path]:
    """Every module of the package."""
    return sorted(PACKAGE.rglob("*.py"))


def name_of(file: Path) -> str:
    """A module's path below the package."""
    return file.relative_to(PACKAGE).as_posix()


def part_of(file: Path) -> str:
    """The part that a module lies in."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def tree_of(file: Path) -> ast.Module:
    """A module's syntax tree."""
    return ast.parse(file.read_text(encoding="utf-8"))


def nodes(kind: type[Node]) -> Iterator[tuple[Path, Node]]:
    """Every node of a kind, with its module."""
    return ((file, node) for file in files() for node in ast.walk(tree_of(file)) if isinstance(node, kind))


def functions() -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every function and method, with its module."""
    yield from nodes(ast.FunctionDef)
    yield from nodes(ast.AsyncFunctionDef)


@cache
def imports_of(file: Path) -> set[str]:
    """Dotted names that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{'.' * node.level}{node.module}.{alias.name}" for alias in node.names}
    return found


def parts_imported(file: Path) -> set[str]:
    """The other parts that a module imports."""
    names = (name.split(".") for name in imports_of(file) if name.startswith("repro."))
    found = {name[1] for name in names if (PACKAGE / name[1]).is_dir() or (PACKAGE / f"{name[1]}.py").is_file()}
    return found - {part_of(file)}


def circles() -> list[Place]:
    """Modules that import each other in a circle, be it for their types alone; the faces of packages do not count."""
    modules = {name_of(file).removesuffix(".py").replace("/", "."): file for file in files()}
    graph = {}
    for name, file in modules.items():
        imported = (found.removeprefix("repro.") for found in imports_of(file) if found.startswith("repro."))
        ends = (found if found in modules else found.rpartition(".")[0] for found in imported)
        graph[name] = {end for end in ends if end in modules}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [Place(name_of(modules[error.args[1][0]]), 1, " imports ".join(reversed(error.args[1])))]
    return []


def dependencies() -> set[tuple[str, str]]:
    """Pairs of parts of which the first imports the second."""
    return {(part_of(file), other) for file in files() for other in parts_imported(file)}


def level_of(part: str) -> int:
    """The level of a part."""
    return next(level for level, parts in LEVELS.items() if part in parts)


def long_files() -> list[Place]:
    """Modules of more lines than `LONGEST_FILE`."""
    counts = ((file, len(file.read_text(encoding="utf-8").splitlines())) for file in files())
    return [Place(name_of(file), 1, f"{count} lines") for file, count in counts if count > LONGEST_FILE]


def long_functions() -> list[Place]:
    """Functions of more lines than `LONGEST_FUNCTION`."""
    counts = ((file, node, (node.end_lineno or 0) - node.lineno + 1) for file, node in functions())
    return [Place(name_of(file), node.lineno, f"{node.name} has {count} lines")
            for file, node, count in counts if count > LONGEST_FUNCTION]  # fmt: skip


def wide_constructors() -> list[Place]:
    """Constructors of more arguments than `MOST_ARGUMENTS`, those named in `WIDE_CONSTRUCTORS` left out."""
    found = []
    for file, node in nodes(ast.ClassDef):
        made = [item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"]
        for item in made:
            count = len(item.args.args) + len(item.args.kwonlyargs) - 1
            if count > MOST_ARGUMENTS and node.name not in WIDE_CONSTRUCTORS:
                found.append(Place(name_of(file), item.lineno, f"{node.name} takes {count} arguments"))
    return found


def raw_configurations() -> list[Place]:
    """Functions outside config/ and build that take or return a configuration as a dictionary."""
    found = []
    for file, node in functions():
        name = name_of(file)
        if part_of(file) in ("config", "build") or name.startswith(tuple(PLAIN_DATA)):
            continue
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        for annotation in [node.returns, *(argument.annotation for argument in arguments)]:
            text = "" if annotation is None else ast.unparse(annotation)
            if any(raw in text for raw in ("Tree", "dict[str, Any]", "Mapping[str, Any]", "DictConfig")):
                found.append(Place(name, node.lineno, f"{node.name}: {text}"))
    return found


def trees_read() -> list[Place]:
    """Places outside config/ and build that reach into the tree of a configuration."""
    return [Place(name_of(file), node.lineno, ast.unparse(node)) for file, node in nodes(ast.Attribute)
            if node.attr == "tree" and part_of(file) not in ("config", "build")]  # fmt: skip


def disk_names() -> list[Place]:
    """Places outside store/ that know the name of a file or folder of ours on disk."""
    found = []
    in_paths = {id(node.right) for _, node in nodes(ast.BinOp) if isinstance(node.op, ast.Div)}
    for file, node in nodes(ast.Constant):
        if part_of(file) in ("store", "config"):  # the configuration's own files are no outputs
            continue
        if not isinstance(node.value, str) or " " in node.value:
            continue
        folder = id(node) in in_paths and node.value in DISK_FOLDERS
        if folder or node.value.endswith(DISK_NAMES):
            found.append(Place(name_of(file), node.lineno, repr(node.value)))
    return [place for place in found if (place.file, place.what) != ("nn/weights/files.py", "'checkpoints'")]


def enum_values() -> dict[str, str]:
    """Every value of a StrEnum of the package to the enum that has it; signs such as = also mean other things."""
    found: dict[str, str] = {}
    for _, node in nodes(ast.ClassDef):
        if any(ast.unparse(base) == "StrEnum" for base in node.bases):
            values = (item.value for item in node.body if isinstance(item, ast.Assign))
            words = (str(item.value) for item in values if isinstance(item, ast.Constant))
            found |= {word: node.name for word in words if any(map(str.isalpha, word))}
    return found


def bare_comparisons() -> list[Place]:
    """Comparisons with a bare string that is a value of one of our enums, of which the parts of torch know none."""
    values, found = enum_values(), []
    for file, node in nodes(ast.Compare):
        if part_of(file) in ("nn", "data", "metrics"):
            continue
        for side in (node.left, *node.comparators):
            items = side.elts if isinstance(side, (ast.Tuple, ast.List, ast.Set)) else [side]
            for item in items:
                if isinstance(item, ast.Constant) and isinstance(item.value, str) and item.value in values:
                    what = f"{ast.unparse(node)} where {values[item.value]} is meant"
                    found.append(Place(name_of(file), node.lineno, what))
    return found


def stopped_sentences() -> list[Place]:
    """Errors raised with a sentence that ends with a full stop, which is added where it is printed."""
    found = []
    for file, node in nodes(ast.Raise):
        for argument in node.exc.args if isinstance(node.exc, ast.Call) else ():
            text = ast.get_source_segment(file.read_text(encoding="utf-8"), argument) or ""
            if text.endswith(('."', ".'")) and not text.endswith('.."'):
                found.append(Place(name_of(file), node.lineno, text.splitlines()[-1].strip()))
    return found


CHECKS = {
    "circles of modules": circles,
    f"files of more than {LONGEST_FILE} lines": long_files,
    f"functions of more than {LONGEST_FUNCTION} lines": long_functions,
    f"constructors of more than {MOST_ARGUMENTS} arguments": wide_constructors,
    "functions outside config/ and build with a raw configuration": raw_configurations,
    "places outside config/ and build that reach into a configuration's tree": trees_read,
    "places outside store/ that know a name on disk": disk_names,
    "comparisons with a bare string of an enum": bare_comparisons,
    "sentences of errors with a full stop": stopped_sentences,
}


def main() -> None:
    """Prints the counts, and what they count."""
    pairs = dependencies()
    parts = {part_of(file) for file in files()} - {"__init__"}
    upward = [pair for pair in pairs if level_of(pair[0]) <= level_of(pair[1])]
    print(f"{len(parts)} parts on {len(LEVELS)} levels, {len(pairs)} dependencies, {len(upward)} of them upwards")
    for level, names in sorted(LEVELS.items(), reverse=True):
        print(f"  level {level}")
        for name in names:
            below = ", ".join(sorted(other for part, other in pairs if part == name))
            print(f"    {name}" + (f": {below}" if below else ""))
    for words, check in CHECKS.items():
        places = check()
        print(f"{len(places)} {words}")
        for place in places:
            print(f"    {place}")
    for name, reason in WIDE_CONSTRUCTORS.items():
        print(f"wide by decision: {name}: {reason}")


if __name__ == "__main__":
    main()

"""Code of the user's own as a part of what a run is: hashes of the source text behind each `_target_` outside us.

What counts is the text of the target's module and of every module that it reaches by import statements, as far as that
is neither Python's own nor installed. The hash is one of names and texts, so that it is the same under every Python and
at any path; what is installed counts by name and version.
"""

import ast
import hashlib
import importlib
import os
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from repro.config.content import CHANGES_UNSEEN_NS
from repro.config.modules import Module, distribution_of, find_module
from repro.config.tree import Tree
from repro.errors import CodeNotFoundError, ConfigError

OURS = __name__.partition(".")[0]
AT_RUN_TIME = frozenset({
    "__import__", "exec", "eval", "import_module", "run_path", "run_module", "spec_from_file_location", "exec_module",
    "load_module", "load_library", "load_inline", "hub", "get_class", "get_method", "get_object", "instantiate",
    "locate", "resolve_name", "entry_points", "extend_path",
})  # fmt: skip
"""Names by which a module reaches code that no import statement names."""

CALLED_PLAINLY = frozenset({"exec", "eval", "__import__"})
"""Those of them that mean this as functions only: `eval` is a method of every network."""


@dataclass
class OwnCode:
    """What stands behind one target.

    Attributes:
        hash: of all its source; of an installed target name and version.
        texts: name of each module whose source counts, to its source.
        modules: the same names, to where they are.
        installed: distribution to version of what these import.
        at_run_time: module to the names by which it reaches further code, which does not count.
    """

    hash: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    modules: dict[str, Module] = field(default_factory=dict)
    installed: dict[str, str] = field(default_factory=dict)
    at_run_time: dict[str, list[str]] = field(default_factory=dict)


def hashes_of(tree: Tree) -> dict[str, str]:
    """Target to hash of the code behind it, for every `_target_` of a tree that is not of this package.

    Raises:
        ConfigError: there is no source to be had.
        CodeNotFoundError: there is no such module.
    """
    return {target: own_code(target, where).hash for where, target in targets_of(tree)}


def targets_of(tree: Tree | list[Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Dotted path and value of every `_target_` outside this package, those in lists included."""
    for key, value in tree.items() if isinstance(tree, Mapping) else enumerate(tree):
        if isinstance(value, (Mapping, list)):
            yield from targets_of(value, f"{prefix}{key}.")
        elif key == "_target_" and isinstance(value, str) and value.partition(".")[0] != OURS:
            yield f"{prefix}{key}", value


_known: dict[tuple[str, ...], tuple[dict[str, tuple[int, int]], OwnCode]] = {}
"""Target and places where Python looks, to what was found, with sizes and times of the files."""


def own_code(target: str, where: str = "_target_") -> OwnCode:
    """What stands behind a target, by its files as they are now, or as this process has imported them."""
    key = (target, *map(os.path.abspath, sys.path))
    stamps, found = _known.get(key, ({}, None))
    if found is not None and stamps == _stamps(found):
        return found
    importlib.invalidate_caches()  # a file may have come since Python listed its folder
    found = _Reach().of(target, where)
    stamps = _stamps(found)
    settled = time.time_ns() - CHANGES_UNSEEN_NS
    if all(changed < settled for _, changed in stamps.values()):
        _known[key] = stamps, found
    return found


def _stamps(code: OwnCode) -> dict[str, tuple[int, int]]:
    files = {module.file_on_disk for module in code.modules.values() if module.file_on_disk is not None}
    facts = {file: os.stat(file) for file in files if os.path.isfile(file)}
    return {file: (fact.st_size, fact.st_mtime_ns) for file, fact in facts.items()}


class _Reach:
    """Follows import statements from a target."""

    def __init__(self) -> None:
        self._found = OwnCode()
        self._seen: set[str] = set()

    def of(self, target: str, where: str) -> OwnCode:
        module = _module_of(target, where)
        if module.is_of_python or (module.file and distribution_of(module)):
            name, version = distribution_of(module) or ("python", "")
            self._found.hash = f"{name}=={version}" if version else name
            return self._found
        if module.file is not None and module.text() is None:
            raise ConfigError(_no_source(target, where, f"{module.file} is compiled"))
        todo = [module.name]
        while todo:
            todo += self._visit(todo.pop(), target, where)
        texts = self._found.texts
        lines = (f"{name}\0{sha256(texts[name])}\n" for name in sorted(texts))
        self._found.hash = f"sha256:{sha256(''.join(lines))}"
        return self._found

    def _visit(self, name: str, target: str, where: str) -> list[str]:
        """Takes in a module with the packages around it; returns the names of what they import."""
        parts, imported = name.split("."), list[str]()
        for length in range(1, len(parts) + 1):
            inner = ".".join(parts[:length])
            if inner in self._seen:
                continue
            self._seen.add(inner)
            module = find_module(inner) if parts[0] != OURS else None
            if module is None or module.is_of_python:
                break
            if (distribution := distribution_of(module)) is not None:
                self._found.installed[distribution[0]] = distribution[1]
                self._seen.update(".".join(parts[:more]) for more in range(length, len(parts) + 1))
                break
            text = module.text()
            if text is None:
                raise ConfigError(_no_source(target, where, f"it imports {inner}, and {module.file} is compiled"))
            self._found.texts[inner], self._found.modules[inner] = text, module
            names, at_run_time = imports_of(text, inner, is_package=module.folders is not None)
            if at_run_time:
                self._found.at_run_time[inner] = at_run_time
            imported += names
        return imported


def _module_of(target: str, where: str) -> Module:
    """The module that holds a target, or that it is imported from."""
    parts, found = target.split("."), None
    for length in range(1, len(parts)):
        module = find_module(".".join(parts[:length]))
        if module is None:
            break
        found = module
    if parts[0] == "__main__" or (found is None and parts[0] in sys.modules):
        raise ConfigError(_no_source(target, where, f"{parts[0]} is no file"))
    if found is None or (found.folders is not None and found.file is None):
        raise CodeNotFoundError(
            f"code not found: {where} is {target!r}, which cannot be imported: there is no module "
            f"{'.'.join(parts[:-1]) or target}"
        )
    return found


def _no_source(target: str, where: str, why: str) -> str:
    return (
        f"{where} is {target!r}, whose source is not to be had, since {why}: an edit would go unseen; write the class "
        "into a file of its own, such as my_package.py, or install what is compiled, so that it counts by its version"
    )


def imports_of(text: str, name: str, *, is_package: bool) -> tuple[list[str], list[str]]:
    """Names of all that a module's text may import, and the names by which it reaches further code at run time.

    What stands behind `from a import` may be a module or anything else of `a`, and is named as if it were one.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the text, which its import gives too
            nodes = list(ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return [], []  # whoever imports it is told
    imported: dict[str, None] = {}
    at_run_time: set[str] = set()
    for node in nodes:
        match node:
            case ast.Import():
                imported |= dict.fromkeys(alias.name for alias in node.names)
            case ast.ImportFrom():
                base = _base(node, name, is_package)
                imported |= dict.fromkeys([base, *(f"{base}.{alias.name}" for alias in node.names)] if base else [])
                at_run_time |= {alias.name for alias in node.names} & (AT_RUN_TIME - CALLED_PLAINLY)
            case (
                ast.Assign(targets=[ast.Name(id="__all__")], value=ast.List() | ast.Tuple() as listed)
                | ast.AnnAssign(target=ast.Name(id="__all__"), value=ast.List() | ast.Tuple() as listed)
                | ast.AugAssign(target=ast.Name(id="__all__"), value=ast.List() | ast.Tuple() as listed)
            ) if is_package:
                texts = [str(item.value) for item in listed.elts if isinstance(item, ast.Constant)]
                imported |= dict.fromkeys(f"{name}.{text}" for text in texts)  # by those who import *
            case ast.Call(func=ast.Name(id=called)) if called in AT_RUN_TIME:
                at_run_time.add(called)
            case ast.Attribute(attr=attribute) if attribute in AT_RUN_TIME - CALLED_PLAINLY:
                at_run_time.add(attribute)
            case ast.Attribute(value=ast.Name(id="sys"), attr="path"):
                at_run_time.add("sys.path")
    return list(imported), sorted(at_run_time)


def _base(node: ast.ImportFrom, name: str, is_package: bool) -> str:
    """The module that a `from ... import` names; empty where it leads out of the package."""
    if not node.level:
        return node.module or ""
    around = name.split(".") if is_package else name.split(".")[:-1]
    kept = around[: max(0, len(around) - node.level + 1)]
    return ".".join([*kept, *([node.module] if node.module else [])]) if kept else ""


def sha256(text: str) -> str:
    """The sha256 of a text in UTF-8."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def remember_imports(tree: Tree) -> None:
    """Holds that the modules behind a tree's targets that are imported by now are made of what their files hold."""
    for where, target in targets_of(tree):
        for module in own_code(target, where).modules.values():
            module.remember_import()


def facts_of(tree: Tree) -> dict[str, Any]:
    """What a record says of a tree's own code, without its commits: target to hash, files and what does not count."""
    found = {target: own_code(target, where) for where, target in targets_of(tree)}
    return {
        target: {
            "hash": code.hash,
            "files": {
                name: {"file": module.file, "sha256": sha256(code.texts[name])}
                for name, module in sorted(code.modules.items())
                if module.file is not None
            },
            "installed": code.installed,
            "at_run_time": code.at_run_time,
        }
        for target, code in found.items()
    }

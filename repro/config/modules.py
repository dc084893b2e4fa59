"""Where Python would find a module, and the text of its source; nothing is imported, not even a package around it.

The finders of `sys.meta_path` are asked part by part, each with the folders of the package before, so that path hooks,
.pth files and the finders of editable installs count as they do for an import.
"""

import os
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.machinery import ModuleSpec
from importlib.util import decode_source
from pathlib import Path
from typing import Any

_IMPORTS_TO_ANSWER = frozenset({"_distutils_hack"})
"""Modules of finders that import in order to find; what they serve is installed anyway."""

_imported: dict[str, tuple[ModuleSpec, str]] = {}
"""Modules that this process has imported, with the text that they were made of."""


@dataclass(frozen=True)
class Module:
    """A module that an import would find.

    Attributes:
        name: dotted.
        spec: what the finder said.
        folders: where its submodules are looked for; None if it is no package.
    """

    name: str
    spec: ModuleSpec
    folders: tuple[str, ...] | None

    @property
    def file(self) -> str | None:
        """Where it lies; None for a namespace package and for what is built into Python."""
        return self.spec.origin if self.spec.has_location else None

    @property
    def file_on_disk(self) -> str | None:
        """The same, or the archive on the path that it lies in."""
        return getattr(self.spec.loader, "archive", None) or self.file

    @property
    def is_of_python(self) -> bool:
        """Whether it belongs to Python's own library."""
        if self.spec.origin in ("built-in", "frozen"):
            return True
        if self.file is None:
            return False
        return any(_is_below(self.file, folder) for folder in _folders_of_python())

    def text(self) -> str | None:
        """Its source with plain newlines, as this process has imported it if it has; None where there is none."""
        spec, known = getattr(sys.modules.get(self.name), "__spec__", None), _imported.get(self.name)
        if known is not None and spec is known[0]:
            return known[1]
        return self.text_on_disk()

    def text_on_disk(self) -> str | None:
        """Its source as it is now, with plain newlines; None where there is none."""
        if self.file is None:
            return "" if self.folders is not None else None  # a namespace package has none and needs none
        if self.file.endswith(".py") and os.path.isfile(self.file):
            return _decoded(Path(self.file).read_bytes())
        reader = getattr(self.spec.loader, "get_data", None)  # of an archive on the path
        return _decoded(reader(self.file)) if reader and self.file.endswith(".py") else None

    def remember_import(self) -> None:
        """Notes that the module, if this process has imported it, was made of the text that there is now."""
        spec = getattr(sys.modules.get(self.name), "__spec__", None)
        text, known = self.text_on_disk(), _imported.get(self.name)
        if spec is not None and text is not None and (known is None or known[0] is not spec):
            _imported[self.name] = spec, text


def find_module(name: str) -> Module | None:
    """What an import of a dotted name would find; None where it would find nothing."""
    found: Module | None = None
    parts = name.split(".")
    for length in range(1, len(parts) + 1):
        if found is not None and found.folders is None:
            return None
        found = _asked(".".join(parts[:length]), found.folders if found else None)
        if found is None:
            return None
    return found


def _asked(name: str, around: Sequence[str] | None) -> Module | None:
    for finder in sys.meta_path:
        ask: Any = getattr(finder, "find_spec", None)
        if ask is None or getattr(finder, "__module__", None) in _IMPORTS_TO_ANSWER:
            continue
        try:
            spec = ask(name, None if around is None else list(around), None)
        except Exception:  # of somebody's own finder; or of Python's, where a package without a file is in another one
            continue
        if spec is not None and (spec.has_location or spec.submodule_search_locations is None):
            locations = spec.submodule_search_locations
            return Module(name, spec, None if locations is None else tuple(locations))
    below = (os.path.join(entry, name.rpartition(".")[2]) for entry in (sys.path if around is None else around))
    folders = tuple(folder for folder in below if os.path.isdir(folder))
    return Module(name, ModuleSpec(name, None, is_package=True), folders) if folders else None


def _decoded(content: bytes) -> str:
    try:
        return decode_source(content)
    except (SyntaxError, UnicodeDecodeError):  # which the import will tell
        return content.decode("latin-1")


@cache
def _folders_of_python() -> tuple[str, ...]:
    return tuple({os.path.realpath(sysconfig.get_path(key)) for key in ("stdlib", "platstdlib")})


def _is_below(file: str, folder: str) -> bool:
    inside = os.path.relpath(os.path.realpath(file), folder).split(os.sep)
    return inside[0] not in ("..", "site-packages", "dist-packages")


def distribution_of(module: Module) -> tuple[str, str] | None:
    """Name and version of the distribution that has installed a module; None for what is not installed, or editable.

    An editable install leaves the source where it is worked on, outside the folder that the list of its files is of.
    """
    if module.file is None:
        return None
    file = Path(os.path.abspath(module.file))
    root = file.parents[module.name.count(".") + (module.folders is not None)]
    top = module.name.partition(".")[0]
    for name in sorted(_distributions(root), key=lambda name: not name.lower().startswith(top.lower())):
        if _lists(root / name, file.relative_to(root).as_posix(), top):
            title, _, version = name.rpartition(".")[0].partition("-")
            return title.replace("_", "-").lower(), version.partition("-")[0]
    return None


@cache
def _distributions(root: Path) -> tuple[str, ...]:
    names = sorted(os.listdir(root)) if root.is_dir() else []
    return tuple(name for name in names if name.endswith((".dist-info", ".egg-info")))


def _lists(distribution: Path, file: str, top: str) -> bool:
    """Whether a distribution says that it has installed a file; packagers of systems take the list of files away."""
    record = _read(distribution / "RECORD")
    if record:
        return f"\n{file}," in f"\n{record}"
    of_system = distribution.parent.name in ("site-packages", "dist-packages")
    return of_system and top in _read(distribution / "top_level.txt").split()


@cache
def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""

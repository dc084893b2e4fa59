"""Names of papers, tables and scales, from their files alone, for the completion of a shell."""

from collections.abc import Callable, Iterable
from pathlib import Path

from repro.papers.library import SCALES, sweeps_folder


def paper_names() -> list[str]:
    """The papers that come with the package."""
    return [folder.name for folder in _folders()]


def table_names() -> list[str]:
    """Their tables, such as vortex/table1."""
    about = ("paper", "ledger")
    return [f"{folder.name}/{file.stem}" for folder in _folders() for file in sorted(folder.glob("*.yaml"))
            if file.stem not in about]  # fmt: skip


def scale_names() -> list[str]:
    """The scales."""
    return sorted(file.stem for file in (sweeps_folder() / SCALES).glob("*.yaml"))


def _folders() -> list[Path]:
    return sorted(path for path in sweeps_folder().iterdir() if path.is_dir() and path.name != SCALES)


OF_SELECTION: dict[str, Callable[[], Iterable[str]]] = {"table": table_names, "scale": scale_names}
"""Settings of sweep and report that name some of these."""

"""The code that submitted jobs run, copied once under the hash of its content, so that no edit reaches a queued job.

A snapshot holds the package as it is now, changes that were never committed included; the YAML of the configuration and
of the papers; the user's own modules, with all that stands beside them in their packages; and the user's folders of
YAML. Whether the package is a checkout or installed makes no difference.
"""

import hashlib
import json
import os
import secrets
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from repro import provenance
from repro.config.configuration import Configuration
from repro.config.groups import config_folder
from repro.config.modules import Module, find_module
from repro.config.own_code import own_code
from repro.errors import ConfigError, StoreError
from repro.papers import sweeps_folder
from repro.store.files import guarded, is_there, read_bytes, read_json_object, sealed_json, sync_folder
from repro.store.outputs import Outputs

CODE, OWN, FOLDERS = "code", "own", "folders"
"""Parts of a snapshot: our package with its YAML, the user's modules, and the user's folders of YAML."""

LARGE_BYTES = 1_000_000
"""Files beside the user's modules beyond this are no code: the snapshot points to them."""

HASH_DIGITS = 16


@dataclass(frozen=True)
class Snapshot:
    """A copy of code.

    Attributes:
        path: its folder, named by its hash.
    """

    path: Path

    @property
    def python_path(self) -> list[str]:
        """What a job's Python looks through first."""
        return [str(self.path / CODE), str(self.path / OWN)]

    def check(self) -> None:
        """Holds that this process runs the snapshot, and that the snapshot is what was made.

        Raises:
            ConfigError: the package comes from elsewhere.
            StoreError: a file of the snapshot was changed, or is gone.
        """
        here = Path(provenance.__file__).resolve().parent.parent
        if here != (self.path / CODE).resolve():
            raise ConfigError(
                f"this job runs the code in {here} instead of its snapshot {self.path}; no line of cluster.setup may "
                "put another folder before it on PYTHONPATH"
            )
        for name, digest in read_json_object(self.path / provenance.SNAPSHOT)["files"].items():
            if not is_there(self.path / name) or digest_of(read_bytes(self.path / name)) != digest:
                raise StoreError(
                    f"{self.path / name} is not what was submitted; remove {self.path} and give the command of the "
                    "sweep again"
                )


def make_snapshot(outputs: Outputs, configurations: Iterable[Configuration], folders: Iterable[Path]) -> Snapshot:
    """Copies the code that some configurations run, unless the same is there already.

    Args:
        outputs: below which it is kept.
        configurations: of the jobs.
        folders: of YAML of the user's own.

    Raises:
        StoreError: the disk refuses.
    """
    configurations = list(configurations)
    modules = dict(_own_modules(configurations))
    files = {**dict(_ours()), **dict(_of_folders(folders)), **dict(_around(modules))}
    contents = {name: read_bytes(file) for name, file in files.items() if not _is_large(name, file)}
    large = {name: file for name, file in sorted(files.items()) if name not in contents}
    facts = {
        **provenance.checkout_version(),
        "files": {name: digest_of(content) for name, content in sorted(contents.items())},
        "large": {name: str(file) for name, file in large.items()},
    }
    path = outputs.snapshots_path.absolute() / digest_of(json.dumps(facts).encode())[:HASH_DIGITS]
    if not is_there(path):
        counting = {Path(file) for module in modules.values() if (file := module.file) is not None}
        origins = {name: {"file": str(file), **provenance.file_version(file)}
                   for name, file in files.items() if file in counting}  # fmt: skip
        _write(path, contents, large, {**facts, "origins": origins})
    return Snapshot(path)


def _write(path: Path, contents: Mapping[str, bytes], large: Mapping[str, Path], facts: Mapping[str, object]) -> None:
    """Writes beside the place and renames, so that a snapshot is whole or absent."""
    partial = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.partial")
    with guarded(path, "written"):
        try:
            for name, content in contents.items():
                (partial / name).parent.mkdir(parents=True, exist_ok=True)
                (partial / name).write_bytes(content)
            for name, file in large.items():
                (partial / name).parent.mkdir(parents=True, exist_ok=True)
                (partial / name).symlink_to(file)
            (partial / OWN).mkdir(exist_ok=True)
            (partial / provenance.SNAPSHOT).write_text(sealed_json(dict(facts)), encoding="utf-8")
            try:
                partial.rename(path)
            except OSError:
                if not path.is_dir():  # another process was quicker, with the same content
                    raise
            sync_folder(path.parent)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _ours() -> Iterator[tuple[str, Path]]:
    """Name in the snapshot and place now of the files of the package and of its YAML."""
    package = Path(provenance.__file__).parent
    yield from _below(package, f"{CODE}/{package.name}")
    for folder in (config_folder(), sweeps_folder()):
        if not folder.is_relative_to(package):
            yield from _below(folder, f"{CODE}/{folder.name}")


def _of_folders(folders: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    for number, folder in enumerate(folders):
        yield from _below(folder, f"{FOLDERS}/{number}-{folder.resolve().name}")


def _own_modules(configurations: Iterable[Configuration]) -> Iterator[tuple[str, Module]]:
    """The user's modules whose code counts for some configurations, by name."""
    targets = {target: where for item in configurations for target, where in item.own_targets.items()}
    for target, where in targets.items():
        yield from own_code(target, where).modules.items()


def _around(modules: Iterable[str]) -> Iterator[tuple[str, Path]]:
    """The files of modules, or, where they stand in packages, all that stands there."""
    for top in sorted({name.partition(".")[0] for name in modules}):
        module = find_module(top)
        if module is None:
            continue
        for folder in module.folders or ():
            yield from _below(Path(folder), f"{OWN}/{top}")
        if module.file_on_disk != module.file:
            raise ConfigError(
                f"{top} lies in the archive {module.file_on_disk}, which may change while jobs wait; unpack it, or "
                "install it, to submit jobs that need it"
            )
        if module.folders is None and module.file is not None:
            yield f"{OWN}/{top}.py", Path(module.file)


def _below(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    """The files of a folder, without what Python and version control keep in it."""
    with guarded(folder):
        for root, inside, files in os.walk(folder):
            inside[:] = sorted(item for item in inside if item != "__pycache__" and not item.startswith("."))
            place = Path(root).relative_to(folder)
            for file in sorted(files):
                if not file.endswith(".pyc"):
                    yield (Path(name) / place / file).as_posix(), Path(root) / file


def _is_large(name: str, file: Path) -> bool:
    with guarded(file):
        return name.startswith(f"{OWN}/") and not name.endswith(".py") and file.stat().st_size > LARGE_BYTES


def further_path() -> list[str]:
    """Where this process looks for modules that are not installed: code reached at run time may lie there."""
    installed = tuple(os.path.realpath(prefix) + os.sep for prefix in {sys.prefix, sys.base_prefix})
    places = dict.fromkeys(os.path.abspath(entry) for entry in sys.path if os.path.isdir(entry or "."))
    return [place for place in places if not (os.path.realpath(place) + os.sep).startswith(installed)]


def digest_of(content: bytes) -> str:
    """The sha256 of a file's content."""
    return hashlib.sha256(content).hexdigest()

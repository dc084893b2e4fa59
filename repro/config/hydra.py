"""The one door to Hydra: it composes configurations, and carries out grids through its launchers."""

import os
import pickle
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import chdir
from functools import lru_cache
from pathlib import Path
from typing import Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from repro.config.configuration import Configuration
from repro.config.environment import refuse_outside
from repro.config.groups import config_folder, config_folders
from repro.config.overrides import Override, with_letters
from repro.errors import ConfigError, first_line

VERSION_BASE = "1.3"


def composed(overrides: Sequence[str], user_folder: Path | None = None, name: str = "config") -> DictConfig:
    """What Hydra composes from conf/<name>.yaml and some overrides, its own node `hydra` included, unresolved.

    Equal ones are composed once in a process, until a file of settings changes.

    Raises:
        ConfigError: in Hydra's words.
    """
    if any(override.lstrip("+~").startswith("hydra") for override in overrides):  # these may name further folders
        return _composed(overrides, user_folder, name)
    found: DictConfig = pickle.loads(_kept(tuple(overrides), user_folder, name, _files_of(user_folder)))
    return found


@lru_cache(maxsize=256)
def _kept(overrides: tuple[str, ...], user_folder: Path | None, name: str, files: tuple[object, ...]) -> bytes:
    """A composition of files in a certain state, as bytes: Hydra needs 0.3 s for it, a copy of it 3 ms."""
    return pickle.dumps(_composed(overrides, user_folder, name))


def _files_of(user_folder: Path | None) -> tuple[object, ...]:
    """Every file of settings, with its size and the time of its last change."""
    files = [file for folder in config_folders(user_folder) for file in folder.rglob("*.yaml")]
    return tuple((file, stat.st_size, stat.st_mtime_ns) for file in files if (stat := file.stat()))


def _composed(overrides: Sequence[str], user_folder: Path | None, name: str) -> DictConfig:
    searched = [f"hydra.searchpath=[file://{user_folder.resolve()}]"] if user_folder else []
    GlobalHydra.instance().clear()
    try:
        with hydra.initialize_config_dir(str(config_folder()), version_base=VERSION_BASE):
            return hydra.compose(name, overrides=[*map(with_letters, overrides), *searched], return_hydra_config=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(first_line(error)) from error


def choices_of(node: DictConfig) -> dict[str, str]:
    """The choice of each of our groups in what `composed` gave."""
    chosen = node.hydra.runtime.choices.items()
    ours = node.keys() - {"hydra"}
    return {group: choice for group, choice in chosen if group.partition("/")[0] in ours}


def plain(node: DictConfig) -> dict[str, Any]:
    """A composition as plain values, resolved, without Hydra's own node.

    Raises:
        ConfigError: an interpolation or a mandatory value cannot be had.
    """
    if "hydra" in node:
        with open_dict(node):
            del node["hydra"]
    try:
        tree = OmegaConf.to_container(node, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise ConfigError(first_line(error)) from error
    assert isinstance(tree, dict)
    return {str(key): value for key, value in tree.items()}


def with_overrides(node: DictConfig, overrides: Iterable[Override]) -> None:
    """Sets leaves of a composition as Hydra would, had it been given these overrides.

    Raises:
        ConfigError: in OmegaConf's words.
    """
    for override in overrides:
        try:
            OmegaConf.update(node, override.key, override.value, merge=True)
        except OmegaConfBaseException as error:
            raise ConfigError(first_line(error)) from error


def carry_out(
    job: Callable[[Configuration], float | None],
    flags: Sequence[str],
    overrides: Sequence[str],
    user_folder: Path | None = None,
) -> None:
    """Hands a command line over to Hydra, which calls the job for every combination of values that it asks for.

    Args:
        job: carries out one configuration, in this process or, through a launcher, in another one; what it returns is
            for sweepers that seek it. Of a grid, Hydra goes on after a job that raises, and then fails.
        flags: flags of Hydra's command line, such as --multirun.
        overrides: what was asked for.
        user_folder: a folder with further choices of the groups.

    Raises:
        ConfigError: Hydra cannot make sense of it.
        Exception: what the job raised.
    """

    def composed_job(node: DictConfig) -> float | None:
        told = HydraConfig.get()
        refuse_outside(node)
        choices = {group: choice for group, choice in told.runtime.choices.items() if group.partition("/")[0] in node}
        configuration = Configuration(
            plain(node), choices, tuple(told.overrides.task), user_folder=str(user_folder or "")
        )
        with chdir(told.runtime.cwd):  # with hydra.job.chdir=true too, a path means what it meant where it was given
            return job(configuration)

    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # errors reach the caller, which prints them as sentences
    searched = [f"--config-dir={user_folder}"] if user_folder else []
    sys.argv[1:] = [*flags, *searched, *map(with_letters, overrides)]
    try:
        hydra.main(config_path=str(config_folder()), config_name="config", version_base=VERSION_BASE)(composed_job)()
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(first_line(error)) from error

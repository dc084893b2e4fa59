"""Composes the configuration of one run, and tells a mistake in it as a sentence."""

from collections.abc import Sequence
from pathlib import Path

from repro.config.check import check_overrides
from repro.config.configuration import Configuration
from repro.config.environment import refuse_outside
from repro.config.hydra import choices_of, composed, plain, with_overrides
from repro.config.overrides import Override, read, written_out


def compose(overrides: Sequence[str] = (), *, user_folder: Path | None = None) -> Configuration:
    """Composes, resolves and checks the configuration of one run.

    Args:
        overrides: in Hydra's grammar, as on the command line.
        user_folder: a folder with further choices of the groups.

    Raises:
        ConfigError: in one sentence, with the nearest right name.
    """
    asked = written_out(overrides)
    node = check_overrides(asked, user_folder=user_folder)
    choices = choices_of(node)
    given = list(map(read, asked))
    if all(map(_only_sets, given)):  # then the composition of the choices is all that Hydra is needed for
        with_overrides(node, [override for override in given if override.key not in choices])
    else:
        node = composed(asked, user_folder)
        choices = choices_of(node)
    refuse_outside(node)
    configuration = Configuration(plain(node), choices, tuple(asked), user_folder=str(user_folder or ""))
    _ = configuration.settings  # now, so that a mistake is told at once
    return configuration


def _only_sets(override: Override) -> bool:
    return not (override.sign or override.is_grid or override.is_about_hydra or "@" in override.key)

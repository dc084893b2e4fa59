"""What takes long and never changes, made once for all tests of a process: configurations, papers, measurements."""

from functools import cache

from repro.config.composer import Composer
from repro.config.configuration import Configuration
from repro.experiments.measurements import Measurements
from repro.papers import Library, load_papers

COMPOSER = Composer()


@cache
def composed(*overrides: str) -> Configuration:
    """The configuration of some overrides; a `Composer` asks Hydra for each set of choices once."""
    configuration = COMPOSER.compose(overrides)
    assert configuration.missing == ()
    return configuration


@cache
def papers() -> Library:
    """The papers of the package."""
    return load_papers()


@cache
def measured(scale: str = "paper", pattern: str = "*/*") -> Measurements:
    """How the printed cells of some tables are measured at a scale."""
    return Measurements(papers(), papers().matching(pattern), papers().scale(scale))

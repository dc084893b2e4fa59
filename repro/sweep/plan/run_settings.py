"""Settings for every run of a sweep, which must not change what is measured: `runtime.threads=1 tracking=none`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from repro.config.check import unknown_setting
from repro.config.composer import Composer
from repro.config.configuration import Configuration
from repro.config.overrides import split
from repro.errors import ConfigError
from repro.experiments.chain import Chain, Link
from repro.sweep.plan.job import Wanted


@dataclass
class RunSettings:
    """Settings, and what each group choice among them stands for.

    Attributes:
        overrides: the settings.
        groups: outermost group to a configuration with that choice.
        met: leaves that some configuration has.
    """

    overrides: Sequence[str]
    groups: Mapping[str, Configuration]
    met: set[str] = field(default_factory=set)

    def on(self, configuration: Configuration) -> Configuration:
        """A configuration with the settings that it has."""
        for override in self.overrides:
            key, value = split(override)
            group = _outermost(key)
            if group in self.groups:
                configuration = configuration.with_group(self.groups[group], group)
            else:
                try:
                    configuration = configuration.with_leaf(key, value)
                except KeyError:
                    continue  # built-in data lack the leaf of a folder
                self.met.add(key)
            configuration = configuration.asked_for(override)
        return configuration

    def unmet(self) -> list[str]:
        """Leaves that no configuration had."""
        keys = {split(override)[0] for override in self.overrides}
        return sorted(key for key in keys if _outermost(key) not in self.groups and key not in self.met)


def with_settings(
    wanted: Sequence[Wanted], overrides: Sequence[str], outputs: Path, conf_folder: Path | None = None
) -> list[Wanted]:
    """The cells with some settings in all trainings of their chains, and with the folder of the outputs.

    A leaf is set where it exists, so that `dataset.root=...` leaves built-in data alone. Seeds are given afterwards, so
    that each distinct training is altered and checked once, however many there are.

    Raises:
        ConfigError: a setting exists in no configuration, or changes the identity of a run or of an evaluation.
    """
    overrides = [*overrides, *([f"outputs={outputs}"] if str(outputs) != "outputs" else [])]
    settings = RunSettings(overrides, _groups(overrides, conf_folder))
    links: dict[Link, Link] = {}
    chains: dict[Chain, Chain] = {}
    for item in wanted:
        chain = item.measurement.chain
        if chain not in chains:
            for link in chain.links:
                if link not in links:
                    links[link] = replace(link, configuration=settings.on(link.configuration))
            chains[chain] = Chain(tuple(links[link] for link in chain.links))
            if overrides:
                _check(chain, chains[chain], settings)
    if links and (unmet := settings.unmet()):
        known = next(iter(links)).configuration.leaves
        raise ConfigError(f"no run has the setting {unmet[0]}{unknown_setting(unmet[0], known)}")
    return [replace(item, measurement=replace(item.measurement, chain=chains[item.measurement.chain]))
            for item in wanted]  # fmt: skip


def _groups(overrides: Sequence[str], conf_folder: Path | None) -> dict[str, Configuration]:
    """What each group choice among the settings stands for."""
    composer = Composer(conf_folder)
    choices = [override for override in overrides if composer.is_group(split(override)[0])]
    if not choices:
        return {}
    found = composer.compose(choices)
    if found.missing:
        raise ConfigError(composer.explain(found.missing[0], found))
    return {_outermost(split(choice)[0]): found for choice in choices}


def _outermost(key: str) -> str:
    """The group of its own that a group such as head/ga lies in."""
    return key.partition("/")[0]


def _check(before: Chain, after: Chain, settings: RunSettings) -> None:
    """Raises if the settings made another run, or another evaluation, of a chain; names the first one that does."""
    for link, altered in zip(before.links, after.links, strict=True):
        is_measured = link is before.links[-1]
        if _is_same(link.configuration, altered.configuration, is_measured):
            continue
        alone = (override for override in settings.overrides
                 if not _is_same(link.configuration, replace(settings, overrides=[override]).on(link.configuration),
                                 is_measured))  # fmt: skip
        culprit = next(alone, " ".join(settings.overrides))
        raise ConfigError(
            f"{culprit} changes what is measured, so the cells would not get their numbers; a sweep takes settings of "
            "runs such as runtime.workers=4 or tracking=none, others belong into the table's YAML"
        )


def _is_same(one: Configuration, other: Configuration, is_measured: bool) -> bool:
    return one.run_id == other.run_id and (not is_measured or one.evaluation_id == other.evaluation_id)

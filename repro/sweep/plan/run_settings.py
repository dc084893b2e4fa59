"""Settings for every run of a sweep, which must not change what is measured: `runtime.threads=1 tracking=none`."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from repro.config import identity
from repro.config.compose import nearest
from repro.config.composer import Composer, set_leaf, split
from repro.errors import ConfigError
from repro.sweep.plan.plan import Job

Config = dict[str, Any]


def with_settings(
    jobs: Mapping[str, Job], settings: Sequence[str], outputs: Path, conf_folder: Path | None = None
) -> dict[str, Job]:
    """The jobs with some settings in all their configurations, and with the folder of the outputs.

    A leaf is set where it exists, so that `dataset.root=...` leaves built-in data alone.

    Raises:
        ConfigError: a setting exists in no configuration, or changes the identity of a run or of an evaluation.
    """
    settings = [*settings, *([f"outputs={outputs}"] if str(outputs) != "outputs" else [])]
    nodes = _chosen_nodes(settings, conf_folder)
    unused = {key for key in (split(setting)[0] for setting in settings) if _outermost(key) not in nodes}
    result = {}
    for run_id, job in jobs.items():
        altered: dict[int, Config] = {}  # a training and its first evaluation are one and the same object
        for config in (job.config, *job.evaluations.values()):
            if id(config) not in altered:
                altered[id(config)] = _altered(config, settings, nodes, unused)
        evaluations = {key: altered[id(config)] for key, config in job.evaluations.items()}
        result[run_id] = replace(job, config=altered[id(job.config)], evaluations=evaluations)
    if unused and jobs:
        key = sorted(unused)[0]
        known = identity.flatten(next(iter(jobs.values())).config)
        raise ConfigError(f"no run has the setting {key}{nearest(key, known, of_choices=False)}")
    if settings:
        for job in result.values():
            _check(job, jobs[job.run_id], settings, nodes)
    return result


def _chosen_nodes(settings: Sequence[str], conf_folder: Path | None) -> dict[str, Config]:
    """What each group choice among the settings stands for."""
    composer = Composer(conf_folder)
    groups = [setting for setting in settings if composer.is_group(split(setting)[0])]
    if not groups:
        return {}
    composition = composer.compose(groups)
    if composition.missing:
        raise ConfigError(composer.explain(composition.missing[0], composition.config))
    families = {_outermost(split(setting)[0]) for setting in groups}
    return {family: composition.config[family] for family in families}


def _outermost(key: str) -> str:
    """The group of its own that a group such as head/ga lies in."""
    return key.partition("/")[0]


def _altered(config: Config, settings: Sequence[str], nodes: Mapping[str, Config], unused: set[str]) -> Config:
    config = copy.deepcopy(config)
    composition = config["composition"]
    for setting in settings:
        key, value = split(setting)
        if _outermost(key) in nodes:
            config[_outermost(key)] = copy.deepcopy(nodes[_outermost(key)])
            composition["choices"][key] = value
        elif set_leaf(config, key, value):
            unused.discard(key)
        else:
            continue
        composition["overrides"] = [*composition["overrides"], setting]
    return config


def _check(job: Job, before: Job, settings: Sequence[str], nodes: Mapping[str, Config]) -> None:
    """Raises if the settings made another run, or another evaluation, of a job; names the first one that does."""
    if _ids(job) == _ids(before):
        return
    alone = (setting for setting in settings
             if _ids(_alone(before, setting, nodes)) != _ids(before))  # fmt: skip
    culprit = next(alone, " ".join(settings))
    raise ConfigError(
        f"{culprit} changes what is measured, so the cells would not get their numbers; a sweep takes settings of runs "
        "such as runtime.workers=4 or tracking=none, others belong into the table's YAML"
    )


def _alone(job: Job, setting: str, nodes: Mapping[str, Config]) -> Job:
    unused: set[str] = set()
    config = _altered(job.config, [setting], nodes, unused)
    evaluations = {key: _altered(item, [setting], nodes, unused) for key, item in job.evaluations.items()}
    return replace(job, config=config, evaluations=evaluations)


def _ids(job: Job) -> tuple[str, ...]:
    return (identity.run_id(job.config), *map(identity.evaluation_id, job.evaluations.values()))

"""The one value that travels from the command line to the record: a resolved configuration of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from repro.config import identity
from repro.config.own_code import remember_imports, targets_of
from repro.config.settings import Layout, Settings
from repro.config.tree import Leaves, Tree, canonical, flatten, with_leaf, written
from repro.errors import ConfigError, DamagedError, first_line

COMPOSITION = "composition"
"""Key under which the frozen form holds choices, overrides and scale, beside the groups."""

_REMEDY = "the run's command sets it aside and freezes it anew"
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, eq=False)
class Configuration:
    """One resolved configuration; what is derived from it is worked out once, and another one is another value.

    Attributes:
        tree: groups and settings, plain values only; nobody changes it.
        choices: config group, such as head or head/ga, to the choice made.
        overrides: what was asked for, in Hydra's grammar.
        scale: name of the scale that it was composed at; empty where there was none.
        user_folder: folder with further choices that it was composed with, as it was given; empty where there was none.
        missing: choices (`head=unbuilt`) and leaves that were asked for and do not exist. A group whose choice is
            missing holds that choice under `missing`, and under `asked` what it was to be set to.
    """

    tree: Tree = field(repr=False)
    choices: Mapping[str, str]
    overrides: tuple[str, ...] = ()
    scale: str = ""
    missing: tuple[str, ...] = ()
    user_folder: str = ""

    @cached_property
    def settings(self) -> Settings:
        """The typed settings.

        Raises:
            ConfigError: a value of a wrong type, or out of its range.
        """
        from repro.config.settings.read import read_settings  # OmegaConf, which what only reads frozen ones spares

        return read_settings(self.tree, self.choices)

    @cached_property
    def science(self) -> Mapping[str, Any]:
        """The part that decides what training yields, in canonical form."""
        return identity.science(self.tree)

    @cached_property
    def protocol(self) -> Mapping[str, Any]:
        """Data set, split and protocol of the evaluation, in canonical form."""
        return identity.protocol(self.tree)

    @cached_property
    def run_id(self) -> str:
        """The 16 hex digits that name a run: one training of one configuration with one seed."""
        return identity.digest(self.science)

    @cached_property
    def evaluation_id(self) -> str:
        """The 16 hex digits that name the measurement of the run's weights under the evaluation protocol."""
        return identity.evaluation_digest(self.run_id, self.protocol)

    @cached_property
    def leaves(self) -> Leaves:
        """Dotted path -> value of every leaf."""
        return flatten(self.tree)

    @cached_property
    def science_leaves(self) -> Leaves:
        """The leaves that may change what training yields, in canonical form if no file of weights is gone by now."""
        try:
            return flatten(self.science)
        except ConfigError:
            return {path: value for path, value in self.leaves.items() if identity.is_part_of_a_run(path)}

    @property
    def own_targets(self) -> dict[str, str]:
        """Every `_target_` outside this package, to the leaf that names it."""
        return {target: where for where, target in targets_of(self.tree)}

    @property
    def seed(self) -> int:
        """Seed of the run."""
        seed: int = self.tree["seed"]
        return seed

    @property
    def name(self) -> str:
        """The name asked for, or head with the choices inside it, dataset and seed."""
        if self.tree.get("name"):
            return str(self.tree["name"])
        inside = [choice for group, choice in sorted(self.choices.items()) if group.startswith("head/")]
        return "-".join([self.choices["head"], *inside, self.choices["dataset"], f"seed{self.seed}"])

    def key(self, *groups: str) -> str:
        """Equal for configurations that are equal in some groups: what a cache may go by."""
        return repr([self.tree.get(group) for group in groups])

    def with_seed(self, seed: int) -> Configuration:
        """The same experiment with another seed."""
        other = self._with({"seed": seed}, [f"seed={seed}"])
        if "science" in vars(self):  # a plan names thousands of runs that differ in the seed alone
            seeded = {**self.science, "seed": seed} if "seed" in self.science else self.science
            vars(other).update(science=seeded, protocol=self.protocol)
        return other

    def starting_from(self, run_id: str, drop: Iterable[str] = ()) -> Configuration:
        """The same, from the weights of another run, but for those whose names begin as `drop` says."""
        dropped, source = list(drop), f"run:{run_id}"
        overrides = [f"init.from={source}"] + ([f"init.drop={written(dropped)}"] if dropped else [])
        if self.leaves.get("init.layout", Layout.ours) != Layout.ours:  # which is that of the weights it would have had
            overrides.append("init.layout=ours")
        other = self._with({"init": {"from": source, "layout": "ours", "drop": dropped}}, overrides)
        known = vars(self).get("science", {})
        if "seed" in known and "init" not in known:  # weights of its own to start from would have left traces in it
            vars(other).update(science=identity.started_from(known, source, dropped), protocol=self.protocol)
        return other

    def with_evaluation(self, **leaves: Any) -> Configuration:
        """The same run under another protocol: some leaves of the group `evaluation` set."""
        evaluation = {**self.tree["evaluation"], **leaves}
        return self._with({"evaluation": evaluation}, [f"evaluation.{key}={written(leaves[key])}" for key in leaves])

    def forced(self) -> Configuration:
        """The same, to be trained once more although it is there."""
        return self._with({identity.FORCE: True}, [])

    def with_leaf(self, path: str, value: Any) -> Configuration:
        """The same with one leaf set, and as if nobody had asked for it: `overrides` stay.

        Raises:
            KeyError: there is no leaf at the dotted path.
            ConfigError: the value would replace a group of settings.
        """
        other = replace(self, tree=with_leaf(self.tree, path, value))
        if identity.is_beside_the_point(path):
            canonical(value, path)  # which refuses what the ids of a configuration refuse anywhere
            self._hand_on(other)
        return other

    def with_group(self, other: Configuration, group: str) -> Configuration:
        """The same with a group, and the choices inside it, as another configuration has it; `overrides` stay."""
        inside = {key: choice for key, choice in other.choices.items() if key.partition("/")[0] == group}
        kept = {key: choice for key, choice in self.choices.items() if key.partition("/")[0] != group}
        changed = replace(self, tree={**self.tree, group: other.tree[group]}, choices=kept | inside)
        paths = {path for node in (self.tree[group], other.tree[group]) for path in flatten(node, f"{group}.")}
        if all(map(identity.is_beside_the_point, paths)):
            self._hand_on(changed)
        return changed

    def asked_for(self, override: str) -> Configuration:
        """The same, as if an override had been asked for that is set already."""
        other = replace(self, overrides=(*self.overrides, override))
        self._hand_on(other)
        return other

    def _hand_on(self, other: Configuration) -> None:
        """Gives another configuration, equal in all that counts, the ids that are worked out already."""
        names = ("science", "protocol", "run_id", "evaluation_id")
        vars(other).update({name: vars(self)[name] for name in names if name in vars(self)})

    def _with(self, nodes: Mapping[str, Any], overrides: Iterable[str]) -> Configuration:
        return replace(self, tree={**self.tree, **nodes}, overrides=(*self.overrides, *overrides))

    @property
    def command(self) -> list[str]:
        """The words that ask for this run, one for each argument."""
        folder = ["--config-dir", self.user_folder] if self.user_folder else []
        return ["python", "-m", "repro", *folder, *self._lasting()]

    def _lasting(self) -> list[str]:
        """The overrides without what holds for one start alone."""
        return [override for override in self.overrides if override.lstrip("+").partition("=")[0] != identity.FORCE]

    def check_unchanged(self, run_id: str) -> None:
        """Holds that what counts by its content still is what the run was named by, once all of it has been read.

        Raises:
            ConfigError: code of one's own, a file of weights, or the files of a data set were changed meanwhile.
        """
        now = identity.science(self.tree)
        if identity.digest(now) != run_id:
            raise ConfigError(
                f"what run {run_id} was named by has been changed while it started (code of your own, a file of "
                "weights or the data); give the same command again"
            )
        remember_imports(now)

    def frozen(self) -> dict[str, Any]:
        """The form that is written to disk: the tree, with what it was composed from."""
        composition: dict[str, Any] = {"choices": dict(self.choices), "overrides": self._lasting()}
        if self.scale:
            composition["scale"] = self.scale
        if self.user_folder:
            composition["user_folder"] = self.user_folder
        tree = {key: False if key == identity.FORCE else value for key, value in self.tree.items()}
        return {**deepcopy(tree), COMPOSITION: composition}

    def to_yaml(self) -> str:
        """The frozen form as text."""
        return yaml.safe_dump(self.frozen(), sort_keys=False, allow_unicode=True)

    @classmethod
    def thawed(cls, content: Mapping[str, Any]) -> Configuration:
        """What `frozen` gave, also where it comes from an older or a damaged file and lacks its composition."""
        tree = {key: value for key, value in content.items() if key != COMPOSITION}
        composition = content.get(COMPOSITION)
        given = composition if isinstance(composition, Mapping) else {}
        choices, overrides, scale = given.get("choices"), given.get("overrides"), given.get("scale")
        return cls(
            tree,
            dict(choices) if isinstance(choices, Mapping) else {},
            tuple(map(str, overrides)) if isinstance(overrides, list) else (),
            str(scale or ""),
            user_folder=str(given.get("user_folder") or ""),
        )

    @classmethod
    def from_yaml(cls, text: str, source: Path) -> Configuration:
        """What `to_yaml` gave.

        Raises:
            DamagedError: the text, which is that of the file `source`, is no configuration.
        """
        try:
            content = yaml.load(text, _Loader)
        except yaml.YAMLError as error:
            raise DamagedError(f"{source} is damaged ({first_line(error)}); {_REMEDY}") from error
        if not isinstance(content, Mapping):
            raise DamagedError(f"{source} is damaged: it holds no configuration; {_REMEDY}")
        return cls.thawed(content)

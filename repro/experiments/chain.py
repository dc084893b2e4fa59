"""A chain: the trainings behind one evaluation, each from the weights of the one before."""

from __future__ import annotations

from dataclasses import dataclass, field

from repro.config.configuration import Configuration


@dataclass(frozen=True)
class Link:
    """One training of a chain.

    Attributes:
        stage: name of the stage; empty for the last one, which is the row's own.
        configuration: what is trained; its seed and the weights that it starts from are filled in by the chain.
        drop: beginnings of the names of weights that it does not take over from the one before.
    """

    stage: str
    configuration: Configuration
    drop: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Chain:
    """Trainings, upstream first, and the evaluation of the last one; empty if nothing is to be run."""

    links: tuple[Link, ...] = ()
    _of_seed: dict[int, tuple[Configuration, ...]] = field(default_factory=dict, repr=False)

    def __bool__(self) -> bool:
        return bool(self.links)

    @property
    def own(self) -> Configuration:
        """The configuration of the last training, with the seed that it was composed with."""
        return self.links[-1].configuration

    def configurations(self, seed: int) -> tuple[Configuration, ...]:
        """The complete configurations for a seed, upstream first, as they are frozen in run folders."""
        if seed not in self._of_seed:
            found: list[Configuration] = []
            for link in self.links:
                _ = link.configuration.science  # once for all seeds
                configuration = link.configuration.with_seed(seed)
                if found:
                    configuration = configuration.starting_from(found[-1].run_id, link.drop)
                found.append(configuration)
            self._of_seed[seed] = tuple(found)
        return self._of_seed[seed]


NOTHING = Chain()

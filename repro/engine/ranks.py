"""Which of several processes of one run this one is, as whoever started them says; loads no torch."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from repro.errors import ConfigError
from repro.provenance import available_cores

LAUNCH = "REPRO_LAUNCH"
"""Variable by which processes without the address of a leading one know each other: equal in all of one start."""


@dataclass(frozen=True)
class Rank:
    """The place of a process among those of its run.

    Attributes:
        number: from 0, which leads, to `size` - 1.
        size: how many processes there are.
        local: its number among those of its machine, by which it takes a GPU.
        launch: what the processes of one start have in common; empty where they are told an address instead.
        is_watched: whether somebody ends the others once one has failed.
        cores: processor cores that are meant for it; None: all that it may use.
    """

    number: int = 0
    size: int = 1
    local: int = 0
    launch: str = ""
    is_watched: bool = False
    cores: int | None = None

    @property
    def leads(self) -> bool:
        """Whether it is the one that keeps the run."""
        return self.number == 0


def own_rank(environment: Mapping[str, str] | None = None) -> Rank:
    """The place that torchrun, a queue of ours or a step of SLURM has given this process; alone if none has.

    `SLURM_NTASKS` and `SLURM_PROCID` stand in a plain batch script too, where they say nothing: only
    `SLURM_STEP_NUM_TASKS` marks a step of srun.

    Raises:
        ConfigError: what they say are no numbers, or do not fit each other.
    """
    given = os.environ if environment is None else environment
    if "RANK" in given and "WORLD_SIZE" in given:
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
        watched = "TORCHELASTIC_RUN_ID" in given or LAUNCH in given
        launch = "" if "MASTER_ADDR" in given and "MASTER_PORT" in given else given.get(LAUNCH, "")
        beside = _number("LOCAL_WORLD_SIZE", given.get("LOCAL_WORLD_SIZE", "1"))
        cores = max(1, available_cores() // beside) if beside > 1 else None
    elif "SLURM_STEP_NUM_TASKS" in given and "SLURM_PROCID" in given:
        names = ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID")
        watched = True
        parts = (given.get(name, "0") for name in ("SLURM_JOB_ID", "SLURM_STEP_ID", "SLURM_RESTART_COUNT"))
        launch = "slurm-" + "-".join(parts)
        cores = _number("SLURM_CPUS_PER_TASK", given.get("SLURM_CPUS_PER_TASK", "0")) or None
    else:
        return Rank()
    number, size, local = (_number(name, given.get(name, given[names[0]])) for name in names)
    if not 0 <= number < size:
        raise ConfigError(f"{names[0]} is {number}, but {names[1]} is {size}; ranks go from 0 to {size - 1}")
    if size > 1 and not launch and not ("MASTER_ADDR" in given and "MASTER_PORT" in given):
        raise ConfigError(f"{names[1]} is {size}, but neither MASTER_ADDR and MASTER_PORT nor {LAUNCH} is set, by one "
                          "of which the processes find each other; start them by torchrun")  # fmt: skip
    return Rank(number, size, local, launch, watched, cores) if size > 1 else Rank()


def _number(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ConfigError(f"the variable {name} is {text!r}; it must be a whole number, as torchrun and srun set it")
    return int(text)

"""The settings of conf/cluster/slurm.yaml, typed."""

from dataclasses import dataclass
from pathlib import Path

from repro.config.command import Given
from repro.errors import ConfigError


@dataclass(frozen=True)
class SlurmSettings:
    """What SLURM is asked for, for every job alike; see conf/cluster/slurm.yaml for each in words."""

    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    limit_hours: float = 24.0
    memory_gib: float | None = None
    gpus_per_node: int = 1
    gpu_memory_gib: float | None = None
    nodes: int = 1
    processes_per_node: int = 1
    cpus_per_process: int = 4
    requeue: bool = True
    mail_user: str | None = None
    mail_type: str | None = None
    extra: tuple[str, ...] = ()
    setup: tuple[str, ...] = ()
    python: str | None = None
    log_folder: Path | None = None
    scratch: str | None = None
    jobs_at_a_time: int | None = None
    signal_seconds: int = 120
    timeouts_margin: int = 20

    @property
    def limit_minutes(self) -> int:
        """The time limit as SLURM counts it: whole minutes, at least one."""
        return max(1, round(60 * self.limit_hours))

    @property
    def place(self) -> dict[str, str | int | None]:
        """Where a job may run and what it gets there, by the names of sbatch's options; None: the site's own choice."""
        return {
            "partition": self.partition,
            "account": self.account,
            "qos": self.qos,
            "constraint": self.constraint,
            "mem": None if self.memory_gib is None else f"{round(self.memory_gib * 1024)}M",
            "gpus-per-node": self.gpus_per_node or None,
        }

    @property
    def extra_parameters(self) -> dict[str, str | bool]:
        """The further lines for sbatch by name; a flag without a value is true."""
        pairs = (line.removeprefix("#SBATCH").strip().lstrip("-").partition("=") for line in self.extra)
        return {name.strip(): value.strip() if equals else True for name, equals, value in pairs}


def read_slurm(given: Given) -> SlurmSettings:
    """Reads the group `cluster` as a cluster of SLURM.

    Raises:
        ConfigError: a setting of a wrong kind.
    """
    settings = SlurmSettings(
        partition=given.optional_text("cluster.partition"),
        account=given.optional_text("cluster.account"),
        qos=given.optional_text("cluster.qos"),
        constraint=given.optional_text("cluster.constraint"),
        limit_hours=given.positive("cluster.limit_hours"),
        memory_gib=given.optional_positive("cluster.memory_gib"),
        gpus_per_node=given.whole("cluster.gpus_per_node", 0),
        gpu_memory_gib=given.optional_positive("cluster.gpu_memory_gib"),
        nodes=given.whole("cluster.nodes", 1),
        processes_per_node=given.whole("cluster.processes_per_node", 1),
        cpus_per_process=given.whole("cluster.cpus_per_process", 1),
        requeue=given.flag("cluster.requeue"),
        mail_user=given.optional_text("cluster.mail_user"),
        mail_type=given.optional_text("cluster.mail_type"),
        extra=given.texts("cluster.extra"),
        setup=given.texts("cluster.setup"),
        python=given.optional_text("cluster.python"),
        log_folder=given.optional_path("cluster.log_folder"),
        scratch=given.optional_text("cluster.scratch"),
        jobs_at_a_time=given.optional_count("cluster.jobs_at_a_time"),
        signal_seconds=given.whole("cluster.signal_seconds", 0),
        timeouts_margin=given.whole("cluster.timeouts_margin", 0),
    )
    for line in settings.extra:
        if not line.removeprefix("#SBATCH").strip().startswith("--"):
            raise ConfigError(f"cluster.extra has {line!r}; write a line as sbatch takes it, such as --exclude=node7")
    return settings

"""A real, private SLURM on this machine: python -m tests.slurm.cluster [nodes=2 accounting=true ...] shows one."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from time import sleep
from types import TracebackType
from typing import Any, Self

from tests.slurm.daemons import Daemons, found, free_ports, kill_jobs, wait_until
from tests.slurm.flavour import Flavour
from tests.slurm.needs import lacking


class CommandFailed(AssertionError):
    """A command of SLURM did not do what it was asked for."""


class Cluster:
    """A cluster of its own: ports, munge, folder; several may live side by side.

    Attributes:
        environment: SLURM_CONF, which a process needs in order to use this cluster and no other.
        folder: everything that the cluster writes; gone after the end.
    """

    def __init__(self, **options: Any) -> None:
        """Takes the attributes of `Flavour`."""
        self.flavour = Flavour(**options)
        self.folder = Path(tempfile.mkdtemp(prefix="slurm-"))  # short: paths of sockets have at most 107 characters
        self.environment = {"SLURM_CONF": str(self.folder / "slurm.conf")}
        self._ports = free_ports(self.flavour.ports)
        self._daemons = Daemons(self.folder / "log")

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    # --- use ---

    def run(self, *command: str, seconds: float = 60, folder: Path | None = None) -> str:
        """What a command prints.

        Raises:
            CommandFailed: it did not end with 0.
        """
        done = self._try(*command, seconds=seconds, folder=folder)
        if done.returncode:
            raise CommandFailed(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def wait_for(self, happened: Callable[[], object], seconds: float = 60, what: str = "it") -> None:
        """Looks until something happened.

        Raises:
            NotInTime: it did not; with the queue and the logs' last lines.
        """
        wait_until(happened, seconds, what, self.told)

    def submit(self, script: str, *options: str, folder: Path | None = None) -> str:
        """Hands in a shell script; returns the job's id."""
        return self.run("sbatch", "--parsable", *options, "--wrap", script, folder=folder).strip()

    def states(self, job: str) -> dict[str, str]:
        """The state of each task of a job by its id, such as 7 or 7_0, as long as the controller remembers it."""
        lines = self._try("squeue", "--noheader", "--array", "--states=all", f"--jobs={job}", "--format=%i %T").stdout
        return dict(line.split() for line in lines.splitlines())  # type: ignore[misc]

    def wait_for_end(self, job: str, seconds: float = 60) -> dict[str, str]:
        """Waits until no task of a job waits or runs; returns the states."""
        moving = {"PENDING", "RUNNING", "COMPLETING", "CONFIGURING", "SUSPENDED", "REQUEUED"}
        self.wait_for(lambda: moving.isdisjoint(self.states(job).values()), seconds, f"the end of job {job}")
        return self.states(job)

    def release(self, job: str) -> None:
        """Lets a requeued job start, not two minutes later; within a second of its end SLURM would revoke it."""
        sleep(2)
        self.run("scontrol", "update", f"jobid={job}", "StartTime=now")

    def kill_node(self, name: str) -> None:
        """Kills the daemon of a node; its jobs' processes go on, and SLURM learns of it after a while."""
        self._daemons.kill(name)

    def kill_controller(self) -> None:
        """Kills slurmctld, as where a site restarts it; jobs go on."""
        self._daemons.kill("slurmctld")

    def start_controller(self) -> None:
        """Starts slurmctld and waits until it answers."""
        self._daemons.start("slurmctld", "slurmctld", "-D", environment=self.environment)
        self.wait_for(lambda: self._works("scontrol", "ping"), 60, "slurmctld")

    def start_node(self, name: str) -> None:
        """Starts the daemon of a node."""
        (self.folder / "spool" / name).mkdir(parents=True, exist_ok=True)
        self._daemons.start(name, "slurmd", "-D", "-N", name, environment=self.environment)

    def node_state(self, name: str) -> str:
        """State of a node, such as idle, mixed, allocated, down."""
        return self.run("sinfo", "--noheader", "--partition=gpu", f"--nodes={name}", "--format=%T").strip()

    def told(self) -> str:
        """The queue and the last lines of the logs."""
        logs = [f"--- {log.name}\n{log.read_text('utf-8', 'replace')[-2000:]}" for log in self._logs()]
        return "\n".join([self._try("squeue", "--array", "--states=all").stdout, *logs])

    def stop(self) -> None:
        """Ends jobs and daemons and removes the folder; harmless when nothing runs."""
        self._daemons.stop_all()
        wait_until(lambda: not kill_jobs(self.environment["SLURM_CONF"]), 10, "the end of all jobs")
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- start and stop ---

    def _try(self, *command: str, seconds: float = 60, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **self.environment}
        return subprocess.run(
            command, env=environment, cwd=folder or self.folder, capture_output=True, text=True, timeout=seconds,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def _works(self, *command: str) -> bool:
        try:
            return self._try(*command, seconds=5).returncode == 0
        except subprocess.TimeoutExpired:  # a missing munge socket hangs SLURM's commands
            return False

    def _logs(self) -> list[Path]:
        """What daemons wrote; what they print repeats the log of those that keep one."""
        logs = sorted((self.folder / "log").glob("*.log"))
        kept = {log.stem for log in logs}
        return logs + [out for out in sorted((self.folder / "log").glob("*.out")) if out.stem not in kept]

    def _start(self) -> None:
        lack = lacking(self.flavour.accounting)
        assert lack is None, lack
        self._write()
        socket = self.folder / "munge" / "socket"
        files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "seed-file": "seed", "log-file": "log"}
        settings = [f"--{name}={self.folder / 'munge' / file}" for name, file in files.items()]
        self._daemons.start("munged", "munged", "--foreground", *settings, user="munge", environment={})
        self.wait_for(lambda: self._works("munge", f"--socket={socket}", "--no-input"), 20, "munged")
        if self.flavour.accounting:
            self._start_accounting()
        self.start_controller()
        for name in self.flavour.node_names:
            self.start_node(name)
        for name in self.flavour.node_names:
            self.wait_for(lambda name=name: self.node_state(name) == "idle", 60, f"slurmd of {name}")  # type: ignore[misc]

    def _write(self) -> None:
        folder = self.folder
        folder.chmod(0o755)  # munge and mysql pass through
        for name in ("log", "run", "state", "spool", "gpu", "munge", "database"):
            (folder / name).mkdir()
        (folder / "run").chmod(0o1777)
        key = folder / "munge" / "key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        shutil.chown(key, "munge", "munge")
        shutil.chown(key.parent, "munge", "munge")
        for number in range(self.flavour.gpus):
            os.mknod(folder / "gpu" / f"gpu{number}", 0o666 | 0o020000, os.makedev(1, 3))
        (folder / "slurm.conf").write_text(self.flavour.slurm_conf(folder, self._ports), encoding="utf-8")
        (folder / "gres.conf").write_text(self.flavour.gres_conf(folder), encoding="utf-8")

    def _start_accounting(self) -> None:
        folder, database, socket = self.folder, self.folder / "database", self.folder / "run" / "mariadb.sock"
        shutil.chown(database, "mysql", "mysql")
        install = [found("mariadb-install-db") or "", "--no-defaults", "--user=mysql", f"--datadir={database}"]
        self.run(*install, "--auth-root-authentication-method=socket", "--skip-test-db", seconds=120)
        self._daemons.start(
            "mariadbd", "mariadbd", "--no-defaults", f"--datadir={database}", f"--socket={socket}",
            "--bind-address=127.0.0.1", f"--port={self._ports['mariadbd']}", f"--pid-file={folder}/run/mariadb.pid",
            "--innodb-buffer-pool-size=64M", "--innodb-lock-wait-timeout=900", user="mysql", environment={},
        )  # fmt: skip
        sql = ("mariadb", "--no-defaults", f"--socket={socket}", "--user=root", "--execute")
        self.wait_for(lambda: self._works(*sql, "select 1"), 60, "MariaDB")
        grants = [f"grant all on slurm_acct_db.* to slurm@'{host}' identified by 'slurm'"
                  for host in ("localhost", "127.0.0.1")]  # fmt: skip
        self.run(*sql, "; ".join(["create database slurm_acct_db", *grants]))
        configuration = folder / "slurmdbd.conf"
        configuration.write_text(self.flavour.slurmdbd_conf(folder, self._ports), encoding="utf-8")
        configuration.chmod(0o600)
        self._daemons.start("slurmdbd", "slurmdbd", "-D", environment=self.environment)
        self.wait_for(lambda: self._works("sacctmgr", "--noheader", "show", "cluster"), 60, "slurmdbd")
        for words in self._associations():
            self.run("sacctmgr", "--immediate", *words.split())

    def _associations(self) -> list[str]:
        words = ["add cluster test", "add account lab cluster=test", "add user root account=lab"]
        if self.flavour.preempts_by_qos:
            words += ["add qos high preempt=normal preemptmode=requeue",
                      f"modify qos normal set gracetime={self.flavour.grace_seconds} preemptmode=requeue",
                      "modify user root set qos=normal,high defaultqos=normal"]  # fmt: skip
        if self.flavour.max_submit is not None:
            words.append(f"modify user root set maxsubmitjobs={self.flavour.max_submit}")
        return words


def _read_options(words: list[str]) -> dict[str, Any]:
    defaults = {field.name: field.default for field in fields(Flavour)}
    options: dict[str, Any] = {}
    for word in words:
        name, _, value = word.partition("=")
        if name not in defaults:
            sys.exit(f"error: there is no option {name}; there are {', '.join(defaults)}")
        options[name] = value == "true" if isinstance(defaults[name], bool) else int(value)
    return options


def main() -> None:
    """Starts a cluster and keeps it until Ctrl-C."""
    lack = lacking()
    if lack:
        sys.exit(f"error: {lack}")
    with Cluster(**_read_options(sys.argv[1:])) as cluster:
        print(cluster.run("sinfo"), "\nin another shell:", sep="")
        print(f"    export SLURM_CONF={cluster.environment['SLURM_CONF']}")
        print("    sinfo; sbatch --wrap 'srun hostname'; squeue")
        print("Ctrl-C ends it and its jobs", flush=True)
        try:
            while True:
                sleep(3600)
        except KeyboardInterrupt:
            print("\nended")


if __name__ == "__main__":
    main()

"""Programs that a test keeps running: started in the foreground, ended with whoever started them."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from time import monotonic, sleep

SEARCHED = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
"""Daemons lie where a user's path does not reach."""


class NotInTime(AssertionError):
    """Something did not happen before its deadline."""


def found(program: str) -> str | None:
    """Where a program lies; None: it is not installed."""
    return shutil.which(program, path=SEARCHED)


def wait_until(happened: Callable[[], object], seconds: float, what: str, told: Callable[[], str] = str) -> None:
    """Looks until it happened.

    Args:
        told: what is known about it, for the sentence.

    Raises:
        NotInTime: it did not.
    """
    deadline = monotonic() + seconds
    while not happened():
        if monotonic() > deadline:
            raise NotInTime(f"{what}: not within {seconds:g} s\n{told()}")
        sleep(0.05)


def free_ports(names: Iterable[str]) -> dict[str, int]:
    """A port for each name, below those that the kernel gives to clients, so that none takes it in between."""
    ports: dict[str, int] = {}
    with contextlib.ExitStack() as held:
        for name in names:
            while name not in ports:
                port = random.SystemRandom().randrange(10_000, 32_000)
                taken = held.enter_context(socket.socket())
                with contextlib.suppress(OSError):
                    taken.bind(("127.0.0.1", port))
                    ports[name] = port
    return ports


class Daemons:
    """Daemons by name, in the order in which they were started."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *command: str, user: str = "root", environment: Mapping[str, str]) -> None:
        """Starts a program in the foreground as a user; it gets SIGTERM when this process dies."""
        program = found(command[0])
        assert program is not None, f"{command[0]} is not installed"
        as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--pdeathsig=TERM"]
        with (self.log / f"{name}.out").open("ab") as out:
            self._running[name] = subprocess.Popen(
                [*as_user, program, *command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env={**os.environ, **environment},
                start_new_session=True,
            )

    def runs(self, name: str) -> bool:
        """Whether a daemon was started and lives."""
        return name in self._running and self._running[name].poll() is None

    def kill(self, name: str) -> None:
        """Ends one as a crash does."""
        self.stop(name, signal.SIGKILL)

    def stop(self, name: str, how: signal.Signals = signal.SIGTERM, seconds: float = 15) -> None:
        """Asks one to end, and ends it when it does not."""
        daemon = self._running.pop(name)
        daemon.send_signal(how)
        try:
            daemon.wait(seconds)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()

    def stop_all(self) -> None:
        """Ends all, the last one first."""
        for name in reversed(list(self._running)):
            self.stop(name)


def kill_jobs(configuration: str) -> int:
    """Kills the processes of a SLURM's jobs, which outlive its daemons; returns how many there were."""
    killed = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):  # ended meanwhile
            variables = (entry / "environ").read_bytes().split(b"\0")
            of_cluster = f"SLURM_CONF={configuration}".encode() in variables
            of_job = any(variable.startswith(b"SLURM_JOB_ID=") for variable in variables)
            if of_cluster and (of_job or (entry / "comm").read_text() == "slurmstepd\n"):
                os.kill(int(entry.name), signal.SIGKILL)
                killed += 1
    return killed

"""The processes on this machine that carry one job out together: started, signalled and ended as one."""

import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from repro.engine.ranks import LAUNCH
from repro.sweep.clusters.jobs import FrozenJob

WORKER = "repro.sweep.clusters.worker"
GRACE_SECONDS = 15.0
"""How long the others have, once one has failed, to say why and end."""

_OF_LAUNCHERS = ("MASTER_ADDR", "MASTER_PORT")


class Crew:
    """The processes of one job.

    Args:
        job: whose log they write.
        file: the frozen job.
        processes: how many there are.
        threads: of the CPU, for each.
        gpu: the GPUs that all of them see, as CUDA_VISIBLE_DEVICES names them; None: what this process sees.
    """

    def __init__(self, job: FrozenJob, file: Path, processes: int, threads: int, gpu: str | None) -> None:
        self._log: IO[bytes] = job.folder.log_path.open("ab")
        self._failed_since: float | None = None
        environment = {key: value for key, value in os.environ.items() if key not in _OF_LAUNCHERS}
        environment |= {"OMP_NUM_THREADS": str(threads), "PYTHONUTF8": "1"}  # all letters, in any locale
        if gpu is not None:
            environment["CUDA_VISIBLE_DEVICES"] = gpu
        together = {"WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes), LAUNCH: secrets.token_hex(8)}
        self._processes: list[subprocess.Popen[bytes]] = []
        for number in range(processes):
            place = {**together, "RANK": str(number), "LOCAL_RANK": str(number)} if processes > 1 else {}
            process = subprocess.Popen(
                [sys.executable, "-m", WORKER, str(file)],
                stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT, env=environment | place,
                start_new_session=True,  # a Ctrl-C at the terminal reaches it once, from here
            )  # fmt: skip
            self._processes.append(process)

    def poll(self) -> int | None:
        """The exit code once all have ended: that of the first that failed, by rank; None while some are at work.

        What is left of them a while after one has failed is killed: it may wait for that one for ever.
        """
        codes = [process.poll() for process in self._processes]
        if None not in codes:
            self._log.close()
            return next((code for code in codes if code), 0)
        if any(codes):
            now = time.monotonic()
            self._failed_since = self._failed_since or now
            if now - self._failed_since > GRACE_SECONDS:
                self.send_signal(signal.SIGKILL)
        return None

    def send_signal(self, number: int) -> None:
        """Hands a signal to all that are at work."""
        for process in self._processes:
            process.send_signal(number)

    def kill(self) -> None:
        """Ends all at once, and waits until they have."""
        self.send_signal(signal.SIGKILL)
        for process in self._processes:
            process.wait()

"""cluster=local: a queue on this machine, one job per GPU, or some at a time on the CPU with a share of its cores."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import IO, Any

import torch

from repro.engine.device import available_threads
from repro.engine.stop import StopRequest
from repro.errors import ConfigError, ReproError, StoreError
from repro.store.files import read_json_object
from repro.store.run_folder import RunFolder
from repro.sweep.clusters.jobs import BLOCKED, DONE, FAILED, INTERRUPTED, FrozenJob, Result, describe
from repro.sweep.clusters.progress import Active, Board

LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Slot:
    """A place for one job: a GPU (as CUDA_VISIBLE_DEVICES names it), or some threads of the CPU."""

    gpu: str | None
    threads: int


@dataclass
class _Running:
    job: FrozenJob
    slot: Slot
    process: subprocess.Popen[bytes]
    log: IO[bytes]
    active: Active


def slots_of(cluster: Mapping[str, Any], devices: Sequence[str]) -> list[Slot]:
    """The places for jobs on this machine.

    Args:
        cluster: the group of that name; `slots` is the number of jobs at a time, or null.
        devices: `runtime.device` of the jobs; GPUs are given out unless all of them say cpu.

    Raises:
        ConfigError: `slots` is no positive number.
    """
    wanted = cluster["slots"]
    if wanted is not None and (not isinstance(wanted, int) or isinstance(wanted, bool) or wanted < 1):
        raise ConfigError(f"cluster.slots is {wanted!r}; it must be at least 1, or null")
    gpus = [] if all(device == "cpu" for device in devices) else visible_gpus()
    count = wanted or len(gpus) or 1
    threads = max(1, available_threads() // count)
    return [Slot(gpus[number % len(gpus)] if gpus else None, threads) for number in range(count)]


def visible_gpus() -> list[str]:
    """Names of the GPUs that this process may use, as CUDA_VISIBLE_DEVICES would list them."""
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = listed.split(",") if listed else [str(number) for number in range(torch.cuda.device_count())]
    return names[: torch.cuda.device_count()]


def fitted(job: FrozenJob, slot: Slot) -> tuple[FrozenJob, int]:
    """The job with the threads of its slot, and their number; a run that has begun keeps the threads it began with."""
    threads = job.configs[0]["runtime"]["threads"]
    folder = RunFolder(job.run_path.parent, job.run_id)
    if threads is None and folder.config_path.exists():
        threads = folder.frozen_config()["runtime"]["threads"]
    threads = threads or slot.threads
    configs = [{**config, "runtime": {**config["runtime"], "threads": threads}} for config in job.configs]
    return replace(job, configs=configs), threads


class LocalQueue:
    """Starts jobs as slots become free, each after its upstream, and hands signals on to them.

    Args:
        jobs: each after its upstream.
        slots: from `slots_of`.
        refresh_seconds: between two redrawings of the progress.
    """

    def __init__(self, jobs: Sequence[FrozenJob], slots: Sequence[Slot], refresh_seconds: float, board: Board) -> None:
        self._waiting = list(jobs)
        self._total = len(jobs)
        self._free = list(slots)
        self._running: list[_Running] = []
        self._refresh, self._board = refresh_seconds, board
        self._results: dict[str, Result] = {}
        self._told = False

    def run(self) -> dict[str, Result]:
        """Carries everything out; run id to result, without the jobs that a signal kept from starting."""
        shown = 0.0
        with StopRequest() as stop:
            try:
                while self._running or (self._waiting and not stop.requested()):
                    if stop.requested():
                        self._pass_on()
                    else:
                        self._start_ready()
                    self._collect()
                    if time.monotonic() - shown > self._refresh:
                        shown = time.monotonic()
                        self._show()
                    time.sleep(LOOK_SECONDS)
            except KeyboardInterrupt:  # the second Ctrl-C
                self._kill()
            finally:
                if self._running:  # no worker outlives the queue, whatever ends it
                    self._kill()
        return self._results

    def _start_ready(self) -> None:
        busy = {item.job.run_id for item in self._running} | {job.run_id for job in self._waiting}
        for job in list(self._waiting):
            if job.upstream in busy:
                continue
            if job.lacks_upstream():
                self._waiting.remove(job)
                self._end(job, Result(BLOCKED, f"run {job.upstream}, which it starts from, has no weights here"))
            elif self._free:
                self._waiting.remove(job)
                try:
                    self._start(job, self._free[0])
                except (ReproError, OSError) as error:  # such as a damaged run folder, or a full disk
                    self._end(job, Result(FAILED, str(error), exit_code=1))
                else:
                    self._free.pop(0)

    def _start(self, job: FrozenJob, slot: Slot) -> None:
        job, threads = fitted(job, slot)
        file = job.freeze()
        log = job.log_path.open("ab")
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        if slot.gpu is not None:
            environment["CUDA_VISIBLE_DEVICES"] = slot.gpu
        process = subprocess.Popen(
            [sys.executable, "-m", "repro.sweep.clusters.worker", str(file)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment,
            start_new_session=True,  # a Ctrl-C at the terminal reaches it once, from here
        )  # fmt: skip
        self._running.append(_Running(job, slot, process, log, Active(job)))
        place = f"GPU {slot.gpu}" if slot.gpu is not None else f"{threads} thread{'s' if threads > 1 else ''}"
        self._board.say(f"started  {job.title}, run {job.run_id}, {place}; log {job.log_path}")

    def _collect(self) -> None:
        for item in list(self._running):
            code = item.process.poll()
            if code is None:
                continue
            item.log.close()
            self._running.remove(item)
            self._free.append(item.slot)
            self._end(item.job, result_of(item.job, code, asked_to_end=self._told))

    def _end(self, job: FrozenJob, result: Result) -> None:
        self._results[job.run_id] = result
        self._board.say(f"[{len(self._results)}/{self._total}] {job.title}: {describe(result)}")

    def _pass_on(self) -> None:
        if not self._told:
            self._told = True
            count = len(self._running)
            self._board.say(f"ending: {count} job{'s' if count > 1 else ''} write a checkpoint; Ctrl-C kills them")
            for item in self._running:
                item.process.send_signal(signal.SIGTERM)

    def _kill(self) -> None:
        self._told = True
        for item in self._running:
            item.process.kill()
        for item in self._running:
            item.process.wait()
        self._collect()

    def _show(self) -> None:
        lines = [f"  {item.active.line()}" for item in self._running]
        self._board.show([*lines, f"  {len(self._waiting)} waiting, {len(self._results)} of {self._total} ended"])


def result_of(job: FrozenJob, code: int, *, asked_to_end: bool) -> Result:
    """What a worker left, or what its exit code says if it was killed before it could say so itself."""
    try:
        return Result(**read_json_object(job.result_path))
    except (StoreError, TypeError):
        pass
    if code == 0:
        return Result(DONE)
    if asked_to_end:
        return Result(INTERRUPTED, "ended before its first checkpoint, or killed", exit_code=1)
    how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    memory = "; often for lack of memory" if code == -signal.SIGKILL else ""
    return Result(FAILED, f"its process ended with {how}{memory}; see {job.log_path}", exit_code=1)


def run_local(jobs: Sequence[FrozenJob], cluster: Mapping[str, Any], board: Board) -> dict[str, Result]:
    """Carries out jobs as the group `cluster` says."""
    devices = [config["runtime"]["device"] for job in jobs for config in job.configs]
    refresh = cluster["refresh_seconds"]
    if not isinstance(refresh, (int, float)) or isinstance(refresh, bool) or refresh <= 0:
        raise ConfigError(f"cluster.refresh_seconds is {refresh!r}; it must be a positive number of seconds")
    return LocalQueue(jobs, slots_of(cluster, devices), float(refresh), board).run()

"""cluster=local: a queue on this machine, one job per GPU, or some at a time on the CPU with a share of its cores."""

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from repro.config.configuration import Configuration
from repro.engine.stop import StopRequest
from repro.errors import ConfigError, DamagedError, ReproError, StoreError
from repro.provenance import available_cores
from repro.store.files import is_there
from repro.sweep.clusters.crew import Crew
from repro.sweep.clusters.jobs import Ending, FrozenJob, Result, describe, without_upstream
from repro.sweep.clusters.progress import Active, Board
from repro.sweep.request import ClusterSettings

LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Slot:
    """A place for one job: a GPU for each of its processes, or some threads of the CPU.

    Attributes:
        gpu: the GPUs, as CUDA_VISIBLE_DEVICES names them.
        threads: for each process.
        processes: that carry the job out together.
    """

    gpu: str | None
    threads: int
    processes: int = 1

    def __str__(self) -> str:
        if self.gpu is not None:
            return f"GPU {self.gpu}"
        threads = f"{self.threads} thread{'s' if self.threads > 1 else ''}"
        return threads if self.processes == 1 else f"{self.processes} processes of {threads}"


@dataclass
class _Running:
    job: FrozenJob
    slot: Slot
    crew: Crew
    active: Active


def slots_of(wanted: int | None, devices: Sequence[str], processes: int = 1) -> list[Slot]:
    """The places for jobs on this machine.

    Args:
        wanted: jobs at a time; None: as many as the GPUs are enough for, or one without a GPU.
        devices: `runtime.device` of the jobs; GPUs are given out unless all of them say cpu.
        processes: of each job, which take a GPU each.

    Raises:
        ConfigError: there are fewer GPUs than processes of one job.
    """
    gpus = [] if all(device == "cpu" for device in devices) else visible_gpus()
    if gpus and processes > len(gpus):
        raise ConfigError(
            f"cluster.processes is {processes}, one GPU for each, but this machine shows {len(gpus)}; give "
            f"cluster.processes={len(gpus)}, or runtime.device=cpu"
        )
    together = [",".join(gpus[start : start + processes]) for start in range(0, len(gpus), processes)]
    together = together[: len(gpus) // processes]
    count = wanted or len(together) or 1
    threads = max(1, available_cores() // (count * processes))
    places = [together[number % len(together)] if together else None for number in range(count)]
    return [Slot(place, threads, processes) for place in places]


def visible_gpus() -> list[str]:
    """Names of the GPUs that this process may use, as CUDA_VISIBLE_DEVICES would list them."""
    from torch.cuda import device_count  # takes seconds, which a sweep with nothing to do spares

    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = listed.split(",") if listed else [str(number) for number in range(device_count())]
    return names[: device_count()]


def fitted(job: FrozenJob, slot: Slot) -> tuple[FrozenJob, int]:
    """The job with the threads of its slot, and their number; a run that has begun keeps the threads it began with."""
    threads = job.configurations[0].leaves["runtime.threads"]
    if threads is None and is_there(job.run.config_path):
        try:
            kept = Configuration.from_yaml(job.run.read_config(), job.run.config_path)
            threads = kept.leaves["runtime.threads"]
        except DamagedError:
            threads = None  # the run sets it aside and says so
    threads = threads or slot.threads
    configurations = [item.with_leaf("runtime.threads", threads) for item in job.configurations]
    return replace(job, configurations=configurations), threads


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
                self._end(job, without_upstream(job))
            elif self._free:
                self._waiting.remove(job)
                try:
                    self._start(job, self._free[0])
                except (ReproError, OSError) as error:  # such as a damaged run folder, or a full disk
                    self._end(job, Result(Ending.FAILED, str(error), exit_code=1))
                else:
                    self._free.pop(0)

    def _start(self, job: FrozenJob, slot: Slot) -> None:
        job, threads = fitted(job, slot)
        crew = Crew(job, job.freeze(), slot.processes, threads, slot.gpu)
        self._running.append(_Running(job, slot, crew, Active(job)))
        place = replace(slot, threads=threads)
        self._board.say(f"started  {job.title}, run {job.run_id}, {place}; log {job.folder.log_path}")

    def _collect(self) -> None:
        for item in list(self._running):
            code = item.crew.poll()
            if code is None:
                continue
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
                item.crew.send_signal(signal.SIGTERM)

    def _kill(self) -> None:
        self._told = True
        for item in self._running:
            item.crew.kill()
        self._collect()

    def _show(self) -> None:
        lines = [f"  {item.active.line()}" for item in self._running]
        self._board.show([*lines, f"  {len(self._waiting)} waiting, {len(self._results)} of {self._total} ended"])


def result_of(job: FrozenJob, code: int, *, asked_to_end: bool) -> Result:
    """What a worker left, or what its exit code says if it was killed before it could say so itself."""
    try:
        return Result.read(job.folder.result_path)
    except StoreError:
        if code == 0:
            return Result(Ending.DONE)
    if asked_to_end:
        return Result(Ending.INTERRUPTED, "ended before its first checkpoint, or killed", exit_code=1)
    how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    memory = "; often for lack of memory" if code == -signal.SIGKILL else ""
    message = f"its process ended with {how}{memory}; see {job.folder.log_path}"
    return Result(Ending.FAILED, message, exit_code=1)


def run_local(jobs: Sequence[FrozenJob], cluster: ClusterSettings, board: Board) -> dict[str, Result]:
    """Carries out jobs as the group `cluster` says."""
    devices = [item.settings.runtime.device for job in jobs for item in job.configurations]
    return LocalQueue(jobs, slots_of(cluster.slots, devices, cluster.processes), cluster.refresh_seconds, board).run()

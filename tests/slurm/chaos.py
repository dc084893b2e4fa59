"""python -m tests.slurm.chaos [small]: forty short jobs on two nodes, or eight, and all that a cluster does to them.

While they run, jobs are preempted, requeued, told by USR2 and killed, a node is lost while its processes go on, the
quota of one run ends, and MLflow goes down and comes back. In the end all are done, with undisturbed runs' weights.
"""

import logging
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from repro.store.status import RunState
from repro.sweep.plan.job import Job, JobState
from repro.track.command import main as track
from tests.example_mlflow import Seen, Server
from tests.slurm.cluster import Cluster
from tests.slurm.faults import Faults, Quota, quota
from tests.slurm.needs import lacking
from tests.slurm.study import Study, digests, states, steps_taken

QUOTA_KIBIBYTES = 48
"""Less than the checkpoint of a tiny network."""

END_SECONDS = 1500.0


@dataclass(frozen=True)
class Form:
    """How much of it.

    Attributes:
        widths, seeds: rows of the table, and seeds of each.
        rounds: how often the faults strike that can be repeated.
        steps, pause_seconds: of a run; the pause is of each step.
    """

    widths: int
    seeds: int
    rounds: int
    steps: int
    pause_seconds: float


FULL = Form(widths=8, seeds=5, rounds=3, steps=30, pause_seconds=0.8)
SMALL = Form(widths=4, seeds=2, rounds=1, steps=40, pause_seconds=1.0)


def flavour(cpus: int) -> dict[str, object]:
    """Two nodes on which things happen fast."""
    return {
        "nodes": 2, "cpus": cpus, "user_signal": True, "grace_seconds": 20, "requeue_wait_seconds": 20,
        "node_timeout_seconds": 8,
    }  # fmt: skip


def carry_out(cluster: Cluster, folder: Path, form: Form) -> None:
    """Runs the study through all faults and asserts what must hold."""
    server = Server(folder)
    server.start()
    try:
        words = ["cluster.partition=low", "cluster.signal_seconds=20", "cluster.timeouts_margin=20", "tracking=mlflow",
                 f"tracking.uri={server.uri}"]  # fmt: skip
        study = Study(
            cluster, folder, widths=range(8, 8 + form.widths), seeds=form.seeds, steps=form.steps,
            pause_seconds=form.pause_seconds, words=words,
        )  # fmt: skip
        faults = Faults(study)
        poor = sorted(study.jobs())[0]
        with quota(study.outputs.run(poor).path, QUOTA_KIBIBYTES) as of_poor:
            _strike(study, faults, server, form)
            _check_ends(study, faults, poor)
            _retry(study, faults, of_poor)
            _compare(study, faults, poor)
        _check_tracking(study, faults, server)
    finally:
        server.kill()


def _strike(study: Study, faults: Faults, server: Server, form: Form) -> None:
    faults.say(f"{study.submit()} jobs submitted; the folder of one of them holds {QUOTA_KIBIBYTES} KiB")
    faults.victim()
    for number in range(form.rounds):
        faults.notice()
        faults.kill_worker()
        faults.requeue()
        if number == 0:
            server.kill()
            faults.say("MLflow is down")
            faults.lose_node("node2")
            server.start()
            faults.say("MLflow is back")
            faults.return_node("node2")
        faults.preempt("node1")
    study.wait_until_nothing_is_queued(END_SECONDS)


def _check_ends(study: Study, faults: Faults, poor: str) -> None:
    """All are done, or not done with the true reason."""
    jobs = study.jobs()
    faults.say(f"the queue is empty: {_counted(jobs)}")
    for job in jobs.values():
        if job.state is not JobState.DONE:
            faults.say(f"    {job.title} ({job.run_id}) {job.state}: {job.reason}")
    assert jobs[poor].state is JobState.FAILED, study.told()
    assert "No space left" in jobs[poor].reason, jobs[poor].reason
    others = {job.run_id for job in jobs.values() if job.state is not JobState.DONE} - {poor}
    assert all(jobs[run_id].reason for run_id in others)
    assert others <= faults.killed, f"{others - faults.killed} neither done nor killed\n{study.told()}"


def _retry(study: Study, faults: Faults, of_poor: Quota) -> None:
    """What failed is repeated once there is room, what was killed goes on by the same command: all are done."""
    of_poor.raise_to(64)
    faults.say(f"the quota is raised; action=retry submits {study.retry()}, and the same command {study.submit()} more")
    study.wait_until_nothing_is_queued(END_SECONDS)
    jobs = study.jobs()
    faults.say(f"the queue is empty: {_counted(jobs)}")
    assert states(jobs) == {JobState.DONE: len(jobs)}, study.told()


def _compare(study: Study, faults: Faults, poor: str) -> None:
    """Weights are those of undisturbed runs; only what was killed, or kept no checkpoint, took steps twice."""
    found, wanted = digests(study.outputs), study.undisturbed()
    assert found.keys() == wanted.keys()
    different = [run_id for run_id in wanted if found[run_id] != wanted[run_id]]
    assert different == []
    runs = list(study.outputs.runs())
    twice = {run.run_id: sum(count - 1 for count in steps_taken(run).values()) for run in runs}
    starts = {run.run_id: run.records()[0].provenance["starts"]["count"] for run in runs}
    faults.say(f"{len(wanted)} digests of weights equal those of undisturbed runs; {sum(starts.values())} starts, at "
               f"most {max(starts.values())} of one run; steps taken twice: {sum(twice.values())}")  # fmt: skip
    assert {run_id for run_id, count in twice.items() if count} <= faults.killed | {poor}


def _check_tracking(study: Study, faults: Faults, server: Server) -> None:
    """MLflow shows every run once, as finished."""
    assert track([f"outputs={study.outputs.root}", f"tracking.uri={server.uri}"]) == 0
    shown = Seen(server.uri).runs
    assert sorted(run.data.tags["repro.run_id"] for run in shown) == sorted(digests(study.outputs))
    assert {run.info.status for run in shown} == {RunState.FINISHED.upper()}
    faults.say(f"MLflow shows {len(shown)} runs, each once, all finished")


def _counted(jobs: dict[str, Job]) -> str:
    return ", ".join(f"{count} {state}" for state, count in states(jobs).items())


def main() -> None:
    """The form asked for."""
    lack = lacking(accounting=False)
    if lack is not None:
        sys.exit(f"error: {lack}")
    if sys.argv[1:] not in ([], ["small"]):
        sys.exit("error: there is nothing to give but small, for eight jobs and each fault once.")
    logging.getLogger("repro").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, Cluster(**flavour(cpus=4)) as cluster:
        carry_out(cluster, Path(folder), SMALL if sys.argv[1:] else FULL)
    print("all held")


if __name__ == "__main__":
    main()

"""Jobs handed to a real SLURM: at once, once, within its limits, and with the code that they were submitted with."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from repro.report.command import main as report
from repro.store.outputs import Outputs
from repro.sweep.clusters.slurm.submissions import awaited
from repro.sweep.command import main
from repro.sweep.plan.job import JobState
from tests.one_second_paper import TRAINING, row, words, write_table
from tests.places import REPOSITORY
from tests.slurm.cluster import Cluster
from tests.slurm.conftest import need_slurm
from tests.sweep.planning import plan_for, sweep_for

pytestmark = pytest.mark.real

CPU = ["cluster=slurm", "cluster.gpus_per_node=0", "cluster.cpus_per_process=1", "cluster.limit_hours=0.2"]
HELD = [*CPU, "cluster.extra=['--hold']"]
"""Jobs that stay in the queue."""


@pytest.fixture(autouse=True)
def reached(cluster, monkeypatch):
    """This process talks to the cluster; its queue is emptied afterwards."""
    monkeypatch.setenv("SLURM_CONF", cluster.environment["SLURM_CONF"])
    yield
    cluster.run("scancel", "--me")
    cluster.wait_for(lambda: not queue(cluster), what="an empty queue")


def rows(count):
    return [row(f"R{width}", f"head.width={width}") for width in range(16, 16 + count)]


def queue(cluster, what="%i"):
    return cluster.run("squeue", "--me", "--array", "--noheader", f"--format={what}").split()


def submitted(folder, outputs, *more):
    """Plans and submits; returns the exit code and the seconds that the submission took."""
    asked = sweep_for(folder, outputs, *more)
    plan = asked.plan()
    began = time.monotonic()
    code = asked.execute(plan.open_jobs)
    return code, time.monotonic() - began


def states(folder, outputs, *more):
    return [job.state for job in plan_for(folder, outputs, *CPU, *more).jobs.values()]


@pytest.mark.parametrize(("seeds", "limit_seconds"), [(3, 2), (75, 20)])
def test_jobs_are_handed_over_in_seconds_and_once(cluster, tmp_path, seeds, limit_seconds):
    folder, given = write_table(tmp_path / "papers", rows(4)), [*HELD, f"seeds={seeds}"]
    outputs, other = tmp_path / "outputs", tmp_path / "other"
    code, seconds = submitted(folder, outputs, *given)
    assert (code, len(queue(cluster))) == (0, 4 * seeds)
    assert min(seconds, submitted(folder, other, *given)[1]) < limit_seconds  # a busy machine is no failure
    cluster.run("scancel", "--me", f"--name={next(iter(Outputs(other).submissions_path.glob('*.json'))).stem}")
    assert set(states(folder, outputs, f"seeds={seeds}")) == {JobState.QUEUED}
    assert submitted(folder, outputs, *given)[0] == 0
    assert len(queue(cluster)) == 4 * seeds


KILLED = """
import os, sys
import submitit.core.utils as utils
from repro.sweep.command import main

def killed(self, *arguments):
    found = real(self, *arguments)
    if self.command[0] == "sbatch":
        os.kill(os.getpid(), 9)
    return found

real = utils.CommandFunction.__call__
utils.CommandFunction.__call__ = killed
main(sys.argv[1:])
"""


def test_a_submitter_killed_before_the_answer_doubles_nothing_and_loses_nothing(cluster, tmp_path):
    folder, outputs = write_table(tmp_path / "papers", rows(2)), tmp_path / "outputs"
    command = [sys.executable, "-c", KILLED, *words(folder, outputs, *CPU, "submit=true")]
    assert subprocess.run(command, cwd=REPOSITORY, capture_output=True).returncode == -9
    assert len(list(awaited(Outputs(outputs)))) == 1
    assert submitted(folder, outputs, *CPU)[0] == 0
    assert list(awaited(Outputs(outputs))) == []
    cluster.wait_for(lambda: not queue(cluster), seconds=180, what="the end of two jobs")
    assert states(folder, outputs) == [JobState.DONE] * 2
    assert len(list(Outputs(outputs).submissions_path.glob("*.json"))) == 1


def test_arrays_keep_to_the_largest_index(tmp_path, monkeypatch):
    folder, outputs = write_table(tmp_path / "papers", rows(5)), tmp_path / "outputs"
    need_slurm(accounting=False)
    with Cluster(max_array_size=2, max_jobs=5) as small:
        monkeypatch.setenv("SLURM_CONF", small.environment["SLURM_CONF"])
        assert submitted(folder, outputs, *HELD)[0] == 1
        assert sorted(queue(small)) == ["1_0", "1_1", "2_0", "2_1"]
        assert states(folder, outputs) == [JobState.QUEUED] * 4 + [JobState.TO_DO]


def test_a_limit_on_the_users_jobs_leaves_the_rest_for_later(accounting_cluster, tmp_path, monkeypatch, capsys):
    folder, outputs = write_table(tmp_path / "papers", rows(4)), tmp_path / "outputs"
    monkeypatch.setenv("SLURM_CONF", accounting_cluster.environment["SLURM_CONF"])
    given = [*HELD, "seeds=15"]
    assert submitted(folder, outputs, *given)[0] == 1
    told = capsys.readouterr().out
    assert "10 jobs of 60 left: MaxSubmitJobs of account root allows 50 in the queue, where 0 are" in told
    assert "50 of 60 submitted; the same command later submits the rest" in told
    assert len(queue(accounting_cluster)) == 50
    accounting_cluster.run("scancel", *queue(accounting_cluster)[:2])
    accounting_cluster.wait_for(lambda: len(queue(accounting_cluster)) == 48)
    assert submitted(folder, outputs, *given)[0] == 1
    assert len(queue(accounting_cluster)) == 50
    accounting_cluster.run("scancel", "--me")


NET = "from tests.tiny_network import Small as Base\n\n\nclass Net(Base):\n    '''{}'''\n"


def test_edits_after_the_submission_reach_no_job_in_the_queue(cluster, tmp_path, monkeypatch):
    """A table, a config group and a module of the user's own; the plan knows them as other runs from then on."""
    outputs, own = tmp_path / "outputs", tmp_path / "own"
    (own / "groups" / "head").mkdir(parents=True)
    (own / "own_edited.py").write_text(NET.format("first"))
    head = yaml.safe_load((REPOSITORY / "conf" / "head" / "fcn.yaml").read_text())
    group = own / "groups" / "head" / "mine.yaml"
    group.write_text(yaml.safe_dump({**head, "width": 16}))
    run = [word for word in TRAINING if not word.startswith(("head", "backbone._target_"))]
    run += ["head=mine", "backbone._target_=own_edited.Net"]
    varies = {"run": run, "varies": ["schedule.length"]}
    folder = write_table(tmp_path / "papers", [row("R", "schedule.length=3 steps")], **varies)
    monkeypatch.syspath_prepend(own)
    given = [*HELD, f"conf_folder={own / 'groups'}"]
    assert submitted(folder, outputs, *given)[0] == 0
    [planned] = plan_for(folder, outputs, *given).jobs
    group.write_text(yaml.safe_dump({**head, "width": 24}))
    (own / "own_edited.py").write_text("raise SystemExit('edited')\n")
    write_table(tmp_path / "papers", [row("R", "schedule.length=4 steps")], **varies)
    cluster.run("scontrol", "release", *queue(cluster))
    cluster.wait_for(lambda: not queue(cluster), seconds=120, what="the end of the job")
    done = Outputs(outputs).run(planned)
    frozen = yaml.safe_load(done.read_config())
    assert (frozen["head"]["width"], frozen["schedule"]["length"]) == (16, "3 steps")
    record = done.read_record(done.evaluation_ids()[0])
    assert record.provenance["code"]["commit"] is not None
    (own / "own_edited.py").write_text(NET.format("second"))
    assert states(folder, outputs, f"conf_folder={own / 'groups'}") == [JobState.TO_DO]


def test_our_own_code_edited_after_the_submission_reaches_no_job(cluster, tmp_path):
    """From a copy of the checkout, whose files are broken once the job is in the queue."""
    checkout, outputs = tmp_path / "checkout", tmp_path / "outputs"
    for name in ("repro", "conf", "sweeps", "tests"):
        shutil.copytree(REPOSITORY / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    folder = write_table(tmp_path / "papers", rows(1))
    command = [sys.executable, "-m", "repro.sweep", *words(folder, outputs, *HELD, "submit=true")]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    subprocess.run(command, cwd=checkout, env=environment, check=True, capture_output=True)
    for module in ("repro/engine/train.py", "repro/sweep/clusters/worker.py", "tests/tiny_network.py"):
        (checkout / module).write_text("raise SystemExit('edited')\n")
    cluster.run("scontrol", "release", *queue(cluster))
    cluster.wait_for(lambda: not queue(cluster), seconds=120, what="the end of the job")
    assert states(folder, outputs) == [JobState.DONE]


FLAKY = """
from pathlib import Path
from tests.tiny_network import Small


class Net(Small):
    def __init__(self, *arguments, **settings):
        if Path({!r}).exists():
            raise RuntimeError("the node is out of order")
        super().__init__(*arguments, **settings)
"""


def test_a_chain_whose_first_stage_fails_is_blocked_and_retried(cluster, tmp_path, monkeypatch):
    outputs, own, broken = tmp_path / "outputs", tmp_path / "own", tmp_path / "broken"
    own.mkdir()
    (own / "own_flaky.py").write_text(FLAKY.format(str(broken)))
    monkeypatch.syspath_prepend(own)
    run = [word for word in TRAINING if not word.startswith("backbone._target_")]
    stages = {"first": {"run": ["backbone._target_=own_flaky.Net", "schedule.learning_rate=0.01"]}}
    rows = [row("late", "backbone._target_=tests.tiny_network.Small", after="first")]
    folder = write_table(tmp_path / "papers", rows, run=run, stages=stages)
    broken.touch()
    assert submitted(folder, outputs, *CPU)[0] == 0
    *_, second = plan_for(folder, outputs, *CPU).jobs
    cluster.wait_for(lambda: "DependencyNeverSatisfied" in queue(cluster, "%r"), 120, "the failure of the first stage")
    assert states(folder, outputs) == [JobState.FAILED, JobState.BLOCKED]
    assert plan_for(folder, outputs, *CPU).open_jobs == []
    broken.unlink()
    assert main(words(folder, outputs, *CPU, "action=retry")) == 0
    cluster.wait_for(lambda: not queue(cluster), 180, "the end of both stages")
    assert states(folder, outputs) == [JobState.DONE, JobState.DONE]
    assert Outputs(outputs).run(second).has_weights


def test_a_job_whose_upstream_slurm_has_forgotten_ends_blocked(cluster, tmp_path):
    """SLURM takes a dependency on an id that it does not know, and runs the job."""
    folder = write_table(tmp_path / "papers", [row("late", after="first")], stages={"first": {"run": []}})
    outputs = tmp_path / "outputs"
    assert submitted(folder, outputs, *HELD)[0] == 0
    first, second = sorted(queue(cluster), key=int)
    cluster.run("scancel", first)
    cluster.run("scontrol", "update", f"jobid={second}", "dependency=afterok:99999999")
    cluster.run("scontrol", "release", second)
    states = cluster.wait_for_end(second, 120)
    assert states == {second: "FAILED"}
    [log] = Outputs(outputs).submissions_path.glob(f"*/{second}_0_log.out")
    assert "blocked: run" in log.read_text()


def test_a_smoke_table_from_submission_to_report(cluster, tmp_path):
    outputs = tmp_path / "outputs"
    given = ["table=vortex/table1", "scale=smoke", "seeds=2", f"outputs={outputs}", f"reports={tmp_path / 'reports'}"]
    assert main([*given, *CPU, "tracking=none", "submit=true"]) == 0
    cluster.wait_for(lambda: not queue(cluster), seconds=600, what="the end of twelve jobs")
    assert main([*given, *CPU, "action=status"]) == 0
    assert report(["table=vortex/table1", "scale=smoke", *given[3:]]) == 0
    assert (Path(tmp_path / "reports") / "runs.csv").read_text().count("\n") >= 12

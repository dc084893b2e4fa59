import io
import signal
import sys

import pytest
import yaml

from repro.errors import ConfigError
from repro.provenance import available_cores
from repro.store.outputs import Outputs
from repro.sweep.clusters import crew, local
from repro.sweep.clusters.jobs import Ending, FrozenJob, Result
from repro.sweep.clusters.local import LocalQueue, Slot, fitted, result_of, slots_of, visible_gpus
from repro.sweep.clusters.progress import Board
from repro.sweep.plan.job import JobState
from tests.one_second_paper import row, sweep, write_table
from tests.sweep.planning import plan_for, states_by_row
from tests.tiny_runs import tiniest

CORES = available_cores()


def job_of(outputs, run_id="a" * 16, upstream=None, threads=None):
    configuration = tiniest(outputs).with_leaf("runtime.threads", threads)
    return FrozenJob(run_id, f"job {run_id[0]}", [configuration], upstream)


def test_without_a_gpu_there_is_one_slot_with_all_cores(monkeypatch):
    monkeypatch.setattr(local, "visible_gpus", list)
    assert slots_of(None, ["auto"]) == [Slot(None, CORES)]
    assert slots_of(CORES, ["auto"]) == [Slot(None, 1)] * CORES
    assert slots_of(10 * CORES, ["auto"]) == [Slot(None, 1)] * 10 * CORES


def test_every_gpu_gets_one_job_unless_more_are_asked_for(monkeypatch):
    monkeypatch.setattr(local, "visible_gpus", lambda: ["2", "5"])
    assert [slot.gpu for slot in slots_of(None, ["auto"])] == ["2", "5"]
    assert [slot.gpu for slot in slots_of(3, ["auto", "cpu"])] == ["2", "5", "2"]
    assert [slot.gpu for slot in slots_of(1, ["auto"])] == ["2"]
    assert [slot.gpu for slot in slots_of(None, ["cpu"])] == [None]


def test_the_processes_of_a_job_take_a_gpu_each_or_shares_of_the_threads(monkeypatch):
    monkeypatch.setattr(local, "visible_gpus", lambda: ["2", "5", "6"])
    assert slots_of(None, ["auto"], 2) == [Slot("2,5", max(1, CORES // 2), 2)]
    assert [slot.gpu for slot in slots_of(2, ["auto"], 2)] == ["2,5", "2,5"]
    assert slots_of(None, ["cpu"], 2) == [Slot(None, max(1, CORES // 2), 2)]
    with pytest.raises(ConfigError, match=r"cluster\.processes is 4, .* shows 3; give cluster\.processes=3, or"):
        slots_of(None, ["auto"], 4)
    assert [str(slot) for slot in (Slot("2,5", 1, 2), Slot(None, 3), Slot(None, 1, 2))] == [
        "GPU 2,5",
        "3 threads",
        "2 processes of 1 thread",
    ]


def test_gpus_are_named_as_the_environment_names_them(monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert visible_gpus() == ["0", "1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-7")
    assert visible_gpus() == ["3", "GPU-7"]


def test_a_job_takes_the_threads_of_its_slot_unless_it_has_its_own(tmp_path):
    job = job_of(tmp_path)
    fit, threads = fitted(job, Slot(None, 3))
    assert (fit.configurations[0].settings.runtime.threads, threads) == (3, 3)
    assert job.configurations[0].settings.runtime.threads is None
    assert fitted(job_of(tmp_path, threads=5), Slot(None, 3))[1] == 5
    job.run.freeze_config(yaml.safe_dump({"runtime": {"threads": 7}}))
    assert fitted(job, Slot(None, 3))[1] == 7


def test_a_process_that_says_nothing_is_judged_by_its_exit_code(tmp_path):
    job = job_of(tmp_path)
    assert result_of(job, 0, asked_to_end=False).ending is Ending.DONE
    killed = result_of(job, -signal.SIGKILL, asked_to_end=False)
    assert killed.ending is Ending.FAILED
    assert "SIGKILL; often for lack of memory; see" in killed.message
    assert "exit code 3" in result_of(job, 3, asked_to_end=False).message
    assert result_of(job, -signal.SIGTERM, asked_to_end=True).ending is Ending.INTERRUPTED
    said = Result(Ending.FAILED, "the loss is nan", 3.0, None, 1)
    said.write(job.folder.result_path)
    assert result_of(job, 1, asked_to_end=False) == said


@pytest.fixture
def stub_worker(monkeypatch):
    """Replaces the worker's module by a few words of Python."""

    def install(code):
        starts = []

        def popen(command, **settings):
            starts.append((command[-1], settings["env"]))
            return real([sys.executable, "-c", code, command[-1]], **settings)

        real = crew.subprocess.Popen
        monkeypatch.setattr(crew.subprocess, "Popen", popen)
        return starts

    return install


def queue_of(jobs, slots=2):
    output = io.StringIO()
    return LocalQueue(jobs, [Slot(None, 1)] * slots, 0.1, Board(output)), output


def test_jobs_wait_for_their_upstream_and_are_blocked_without_its_weights(tmp_path, stub_worker):
    starts = stub_worker("pass")
    first, second = job_of(tmp_path, "a" * 16), job_of(tmp_path, "b" * 16, upstream="a" * 16)
    queue, output = queue_of([first, second])
    results = queue.run()
    assert results["a" * 16].ending is Ending.DONE
    assert results["b" * 16].ending is Ending.BLOCKED
    assert "has no weights here" in output.getvalue()
    assert len(starts) == 1
    assert starts[0][1]["OMP_NUM_THREADS"] == "1"


def test_a_worker_knows_all_letters_in_a_locale_that_has_few(tmp_path, stub_worker, monkeypatch):
    for name, value in {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}.items():
        monkeypatch.setenv(name, value)
    stub_worker("import sys; assert sys.getfilesystemencoding() == 'utf-8'")
    assert queue_of([job_of(tmp_path)])[0].run()["a" * 16].ending is Ending.DONE


def test_a_gpu_is_given_by_the_environment(tmp_path, stub_worker):
    starts = stub_worker("pass")
    LocalQueue([job_of(tmp_path)], [Slot("5", 2)], 1, Board(io.StringIO())).run()
    assert starts[0][1]["CUDA_VISIBLE_DEVICES"] == "5"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_passed_on_once_and_nothing_more_is_started(tmp_path, stub_worker, number):
    starts = stub_worker(
        "import os, signal, sys, time\n"
        "def end(*_): sys.exit(143)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        f"os.kill(os.getppid(), {int(number)})\n"
        "time.sleep(60)"
    )
    queue, output = queue_of([job_of(tmp_path, letter * 16) for letter in "abc"], slots=1)
    results = queue.run()
    assert len(starts) == 1
    assert [result.ending for result in results.values()] == [Ending.INTERRUPTED]
    assert "ending: 1 job write a checkpoint" in output.getvalue()


def test_a_second_ctrl_c_kills(tmp_path, stub_worker):
    stub_worker(
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "os.kill(os.getppid(), signal.SIGINT); time.sleep(1)\n"
        "os.kill(os.getppid(), signal.SIGINT); time.sleep(60)"
    )
    queue, _ = queue_of([job_of(tmp_path)])
    assert [result.ending for result in queue.run().values()] == [Ending.INTERRUPTED]


def test_a_job_with_a_damaged_configuration_is_started_since_the_run_mends_it(tmp_path, stub_worker):
    starts = stub_worker("pass")
    job = job_of(tmp_path, "a" * 16)
    job.run.freeze_config("{torn")
    queue, _ = queue_of([job], slots=1)
    assert queue.run()["a" * 16].ending is Ending.DONE
    assert len(starts) == 1


def test_a_job_that_cannot_be_started_stops_no_other(tmp_path, stub_worker):
    starts = stub_worker("pass")
    broken, whole = job_of(tmp_path, "a" * 16), job_of(tmp_path, "b" * 16)
    broken.folder.path.parent.mkdir(parents=True)
    broken.folder.path.write_text("a file where its folder should be")
    queue, _ = queue_of([broken, whole], slots=1)
    results = queue.run()
    assert results["a" * 16].ending is Ending.FAILED
    assert "cannot be written" in results["a" * 16].message
    assert results["b" * 16].ending is Ending.DONE
    assert len(starts) == 1


@pytest.mark.slow
def test_two_slots_carry_out_a_table_and_a_broken_row_stops_no_other(tmp_path, capfd):
    stages = {"first": {"run": ["schedule.learning_rate=0.01"]}, "bad": {"run": ["schedule.batch_size=64"]}}
    rows = [row("after", after="first"), row("hungry", "schedule.batch_size=64"), row("lost", after="bad")]
    folder, outputs = write_table(tmp_path / "sweeps", rows, stages=stages), tmp_path / "outputs"
    assert sweep(folder, outputs, "submit=true", "cluster=local", "cluster.slots=2", run=["runtime.threads=null"]) == 1
    text = capfd.readouterr().out
    plan = plan_for(folder, outputs)
    assert states_by_row(plan) == {"after": JobState.DONE, "hungry": JobState.FAILED, "lost": JobState.BLOCKED}
    assert text.count("started  ") == 3
    assert "Traceback" not in text
    assert "\x1b" not in text
    assert "fewer than one batch" in text.rpartition("\nfailed\n")[2]
    places = Outputs(outputs)
    assert len([job for job in plan.jobs if places.job(job).log_path.exists()]) == 3
    assert not list(places.running_sweeps_path.iterdir())
    done = next(job for job in plan.jobs.values() if job.state is JobState.DONE and job.evaluations)
    (record,) = places.run(done.run_id).records()
    assert record.provenance["hardware"]["threads"] == max(1, CORES // 2)

import re

import pytest

from repro.sweep.clusters.slurm import sbatch
from repro.sweep.clusters.slurm.sbatch import RefusedError, hand_over
from repro.sweep.clusters.slurm.settings import SlurmSettings
from repro.sweep.clusters.slurm.submissions import Submission


def submission(outputs, count=2):
    made = Submission("mine.1a2b3c.0", str(outputs), tuple("abcd"[:count]), "/snap", str(outputs / "logs"), 90, 2)
    made.write()
    return made


def lines_of(slurm):
    script = slurm.scripts()[-1]
    return {key: value for key, _, value in re.findall(r"^#SBATCH --([\w-]+)(=(.*))?$", script, re.MULTILINE)}, script


def test_an_array_has_every_setting(tmp_path, slurm):
    settings = SlurmSettings("gpu", "lab", "long", "a100", limit_hours=1.5, memory_gib=16, gpus_per_node=2,
                             cpus_per_process=6, jobs_at_a_time=1, mail_user="me@lab", mail_type="END",
                             signal_seconds=30, extra=("--reservation=night", "--exclusive"),
                             setup=("module load cuda",),
                             scratch="/scratch/$SLURM_JOB_ID", python="apptainer exec image python")  # fmt: skip
    assert hand_over(submission(tmp_path), settings, "aftercorr:7") == "101"
    lines, script = lines_of(slurm)
    expected = {
        "array": "0-1%1", "job-name": "mine.1a2b3c.0", "partition": "gpu", "account": "lab", "qos": "long",
        "constraint": "a100", "time": "90", "mem": "16384M", "gpus-per-node": "2", "nodes": "1",
        "ntasks-per-node": "1", "cpus-per-task": "6", "mail-user": "me@lab", "mail-type": "END",
        "signal": "USR2@30", "dependency": "aftercorr:7", "reservation": "night", "exclusive": "", "requeue": "",
        "open-mode": "append", "output": f"{tmp_path}/logs/%A_%a_0_log.out",
    }  # fmt: skip
    assert lines == expected
    setup = script[script.index("# setup") : script.index("# command")].splitlines()
    assert setup[1:4] == ["module load cuda", 'export TMPDIR="/scratch/$SLURM_JOB_ID"', 'mkdir -p "$TMPDIR"']
    assert setup[4].startswith("export PYTHONPATH=/snap/code:/snap/own")
    assert "PYTHONSAFEPATH=1" in setup[5]
    command = next(line for line in script.splitlines() if line.startswith("srun"))
    assert "--cpus-per-task=6 --kill-on-bad-exit=1 apptainer exec image python -u -m" in command
    assert command.endswith(f"repro.sweep.clusters.slurm.start {tmp_path}/sweep/submissions/mine.1a2b3c.0.json")


def test_a_single_job_is_no_array_and_what_is_not_said_is_left_to_the_site(tmp_path, slurm):
    assert hand_over(submission(tmp_path, 1), SlurmSettings(gpus_per_node=0, requeue=False), None) == "101"
    lines, _ = lines_of(slurm)
    assert lines.keys() == {
        "job-name", "time", "nodes", "ntasks-per-node", "cpus-per-task", "signal", "no-requeue", "open-mode", "output",
    }  # fmt: skip


def test_an_array_is_not_held_back_unless_asked(tmp_path, slurm):
    hand_over(submission(tmp_path, 4), SlurmSettings(), None)
    assert lines_of(slurm)[0]["array"] == "0-3%4"


def test_a_refusal_is_a_sentence(tmp_path, slurm, capsys):
    slurm.tell("refuses", "sbatch: error: Batch job submission failed: Invalid partition name specified\n")
    with pytest.raises(RefusedError, match=r"^sbatch refused: .*Invalid partition name specified$"):
        hand_over(submission(tmp_path), SlurmSettings(), None)
    assert capsys.readouterr() == ("", "")


def test_without_slurm_here_it_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RefusedError, match="Could not detect"):
        sbatch.hand_over(submission(tmp_path), SlurmSettings(), None)

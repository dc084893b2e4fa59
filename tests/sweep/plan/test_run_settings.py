from pathlib import Path

import pytest

from repro.config import identity
from repro.config.compose import compose
from repro.errors import ConfigError
from repro.sweep.plan.plan import Job
from repro.sweep.plan.run_settings import with_settings
from tests.tiny import TINY

OUTPUTS = Path("outputs")


def job_of(*overrides):
    overrides = overrides or TINY
    config = compose(overrides)
    other = compose([*overrides, "evaluation.flip=true"])
    evaluations = {identity.evaluation_id(item): item for item in (config, other)}
    run_id = identity.run_id(config)
    return {run_id: Job(run_id, 0, config, evaluations=evaluations)}


def only(jobs):
    return next(iter(jobs.values()))


def test_settings_reach_training_and_evaluations_and_are_written_down():
    jobs = job_of()
    job = only(with_settings(jobs, ["runtime.threads=2", "tracking=mlflow", "evaluation.batch_size=1"], Path("/o")))
    for config in (job.config, *job.evaluations.values()):
        assert config["runtime"]["threads"] == 2
        assert config["tracking"]["kind"] == "mlflow"
        assert config["evaluation"]["batch_size"] == 1
        assert config["outputs"] == "/o"
        assert config["composition"]["choices"]["tracking"] == "mlflow"
        assert config["composition"]["overrides"][-4:] == [
            "runtime.threads=2", "tracking=mlflow", "evaluation.batch_size=1", "outputs=/o"
        ]  # fmt: skip
    assert only(jobs).config["runtime"]["threads"] == 1


def test_a_leaf_is_set_where_it_is():
    jobs = job_of() | job_of("dataset=camvid")
    shapes, camvid = with_settings(jobs, ["dataset.root=/data"], OUTPUTS).values()
    assert "root" not in shapes.config["dataset"]
    assert camvid.config["dataset"]["root"] == "/data"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (["runtime.threads=1", "schedule.learning_rate=3"], "schedule.learning_rate=3 changes what is measured"),
        (["seed=4"], "seed=4 changes what is measured"),
        (["evaluation=multi_scale_flip"], "evaluation=multi_scale_flip changes what is measured"),
        (["evaluation.flip=true"], "evaluation.flip=true changes what is measured"),
        (["head=aspp"], "head=aspp changes what is measured"),
        (["runtime.thread=1"], "no run has the setting runtime.thread; did you mean runtime.threads?"),
        (["runtime=1"], "runtime=1 is no choice of runtime"),
        (["tracking=wandb"], "tracking=wandb is no choice of tracking"),
        (["+head.colour=red"], "write it as key=value"),
    ],
)
def test_what_would_change_a_number_is_refused(settings, sentence):
    with pytest.raises(ConfigError) as caught:
        with_settings(job_of(), settings, OUTPUTS)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)

from functools import cache
from pathlib import Path

import pytest

from repro.config.compose import compose
from repro.errors import ConfigError
from repro.sweep.plan.job import Job
from repro.sweep.plan.run_settings import with_settings
from tests.tiny import TINY

OUTPUTS = Path("outputs")


@cache
def job_of(*overrides):
    configuration = compose(overrides or TINY)
    mirrored = configuration.with_evaluation(flip=True)
    evaluations = {item.evaluation_id: item for item in (configuration, mirrored)}
    return Job(configuration.run_id, configuration, evaluations=evaluations)


def jobs_of(*jobs):
    return {job.run_id: job for job in jobs}


def test_settings_reach_training_and_evaluations_and_are_written_down():
    before = job_of()
    settings = ["runtime.threads=2", "tracking=mlflow", "evaluation.batch_size=1"]
    (job,) = with_settings(jobs_of(before), settings, Path("/o")).values()
    for configuration in (job.configuration, *job.evaluations.values()):
        assert configuration.settings.runtime.threads == 2
        assert configuration.settings.tracking.kind == "mlflow"
        assert configuration.settings.evaluation.batch_size == 1
        assert configuration.settings.outputs == Path("/o")
        assert configuration.choices["tracking"] == "mlflow"
        assert configuration.overrides[-4:] == (*settings, "outputs=/o")
    assert job.evaluations.keys() == before.evaluations.keys()
    assert before.configuration.settings.runtime.threads == 1


def test_without_settings_the_jobs_stay_as_they_are():
    (job,) = with_settings(jobs_of(job_of()), [], OUTPUTS).values()
    assert job == job_of()


def test_a_leaf_is_set_where_it_is():
    jobs = jobs_of(job_of(), job_of("dataset=camvid"))
    shapes, camvid = with_settings(jobs, ["dataset.root=/data"], OUTPUTS).values()
    assert "dataset.root" not in shapes.configuration.leaves
    assert "dataset.root=/data" not in shapes.configuration.overrides
    assert camvid.configuration.leaves["dataset.root"] == "/data"


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
        with_settings(jobs_of(job_of()), settings, OUTPUTS)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)

from dataclasses import dataclass
from pathlib import Path

import pytest

from repro.errors import ConfigError
from repro.experiments.chain import NOTHING, Chain, Link
from repro.sweep.plan.job import Wanted
from repro.sweep.plan.plan import distinct_jobs
from repro.sweep.plan.run_settings import with_settings
from tests.composed import composed
from tests.sweep.fakes import FakeMeasurement
from tests.tiny import TINY

OUTPUTS = Path("outputs")


@dataclass(frozen=True)
class Cell(FakeMeasurement):
    """A cell with a chain of real configurations."""

    chain: Chain = NOTHING


def wanted(*overrides, mirrored=False):
    """A cell in two stages, of which the second one is as asked for."""
    configuration = composed(*(overrides or TINY))
    own = configuration.with_evaluation(flip=True) if mirrored else configuration
    before = configuration.with_leaf("schedule.length", "1 steps")
    return Wanted(Cell("row", (), chain=Chain((Link("before", before), Link("", own)))))


def configurations(cells, seed=0):
    return [link for cell in cells for link in cell.measurement.chain.configurations(seed)]


def test_settings_reach_training_and_evaluations_and_are_written_down():
    before = [wanted(), wanted(mirrored=True)]
    settings = ["runtime.threads=2", "tracking=mlflow", "evaluation.batch_size=1"]
    after = with_settings(before, settings, Path("/o"))
    for configuration in configurations(after, seed=3):
        assert configuration.settings.runtime.threads == 2
        assert configuration.settings.tracking.kind == "mlflow"
        assert configuration.settings.evaluation.batch_size == 1
        assert configuration.settings.outputs == Path("/o")
        assert configuration.choices["tracking"] == "mlflow"
        place = configuration.overrides.index("outputs=/o")
        assert configuration.overrides[place - 3 : place + 2] == (*settings, "outputs=/o", "seed=3")
    jobs, unaltered = distinct_jobs(after, [0, 3]), distinct_jobs(before, [0, 3])
    assert {key: set(job.evaluations) for key, job in jobs.items()} == {
        key: set(job.evaluations) for key, job in unaltered.items()
    }
    assert before[0].measurement.chain.own.settings.runtime.threads == 1


def test_a_training_that_cells_share_is_altered_once():
    cell = wanted()
    one, other = with_settings([cell, cell], ["runtime.threads=2"], OUTPUTS)
    assert one.measurement.chain is other.measurement.chain


def test_without_settings_the_cells_stay_as_they_are():
    (cell,) = with_settings([wanted()], [], OUTPUTS)
    before = wanted().measurement.chain.links
    assert [link.configuration.tree for link in cell.measurement.chain.links] == [
        link.configuration.tree for link in before
    ]


def test_a_leaf_is_set_where_it_is():
    cells = [wanted(), wanted("dataset=camvid")]
    shapes, camvid = (configurations([cell])[-1] for cell in with_settings(cells, ["dataset.root=/data"], OUTPUTS))
    assert "dataset.root" not in shapes.leaves
    assert "dataset.root=/data" not in shapes.overrides
    assert camvid.leaves["dataset.root"] == "/data"


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
        (["runtime.checkpoint_seconds=inf"], "runtime.checkpoint_seconds is inf"),
        (["+head.colour=red"], "write it as key=value"),
    ],
)
def test_what_would_change_a_number_is_refused(settings, sentence):
    with pytest.raises(ConfigError) as caught:
        with_settings([wanted()], settings, OUTPUTS)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)

"""Configurations of the smallest runs."""

from collections.abc import Callable
from pathlib import Path

import pytest
from torch import Tensor

from repro.config.configuration import Configuration
from repro.engine.step import Learner, training_step
from repro.run.lifecycle import run
from tests.tiny_runs import tiniest

Configure = Callable[..., Configuration]


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """Configures the smallest run, in a folder of the test's own unless another one is given."""
    return lambda *overrides, outputs=tmp_path / "outputs": tiniest(outputs, *overrides)


@pytest.fixture
def break_off(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs until a step is about to be taken, and breaks off there without a checkpoint."""

    def broken_off(configuration: Configuration, at_step: int) -> None:
        def taken(learner: Learner, image: Tensor, label: Tensor) -> tuple[Tensor, float]:
            if learner.state.step == at_step:
                raise KeyboardInterrupt
            return training_step(learner, image, label)

        with monkeypatch.context() as patch:
            patch.setattr("repro.engine.train.training_step", taken)
            with pytest.raises(KeyboardInterrupt):
                run(configuration)

    return broken_off

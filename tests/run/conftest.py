"""Configurations of the smallest runs."""

from collections.abc import Callable
from pathlib import Path

import pytest
from torch import Tensor

from repro.config.compose import compose
from repro.config.configuration import Configuration
from repro.engine.step import Learner, training_step
from repro.run.lifecycle import run
from repro.store.outputs import Outputs
from repro.store.run_folder import RunFolder
from tests.tiny import TINIEST

Configure = Callable[..., Configuration]


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """Composes a run of a second in a folder of the test's own."""
    return lambda *overrides: compose([*TINIEST, f"outputs={tmp_path / 'outputs'}", *overrides])


@pytest.fixture
def folder_of() -> Callable[[Configuration], RunFolder]:
    """The run folder of a configuration."""
    return lambda configuration: Outputs(configuration.settings.outputs).run(configuration.run_id)


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

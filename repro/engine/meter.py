"""The figures of a training between two points of its log: loss, speed and time."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from repro.engine.step import Learner
from repro.errors import ReproError

CHECKPOINT_SHARE = 50
"""Training lasts at least so many times what the last checkpoint took, so that checkpoints take 2 % at most."""


class Diverged(ReproError):
    """The loss, or the scores of an evaluation, are no finite numbers any more."""


class Meter:
    """Averages the loss between two log points, watches that it is finite, and keeps the time.

    The loss stays on the device between log points, so that a GPU is not made to wait at every step. Several processes
    add up theirs when it is looked at, which all of them do after the same steps, so that what is not finite in one of
    them ends them all.

    Args:
        learner: whose steps are watched.
        checkpoint_took: seconds of the last checkpoint, where an earlier process has written it.
        clock: seconds that only go forward.

    Attributes:
        checkpoint_took: seconds of the last checkpoint; 0 before the first.
    """

    def __init__(
        self, learner: Learner, checkpoint_took: float = 0.0, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._learner, self._clock = learner, clock
        self.checkpoint_took = checkpoint_took
        self._loss = torch.zeros((), device=learner.device)
        self._steps = self._images = 0
        self._since = self._booked = self._saved = clock()
        self._finite_up_to = learner.state.step

    def take(self, loss: Tensor, images: int) -> None:
        """Takes one step's loss."""
        self._loss += loss
        self._steps += 1
        self._images += images

    def figures(self) -> tuple[float, float]:
        """Mean loss and images per second since the last time that they were asked for.

        Raises:
            Diverged: see `check_finite`.
        """
        self.check_finite()
        now = self._clock()
        mean, speed = self._joint_loss() / self._steps, self._images / (now - self._since)
        self._loss.zero_()
        self._steps = self._images = 0
        self._since = now
        return mean, speed

    def check_finite(self) -> None:
        """Raises `Diverged` with the range of steps if a loss since the last check was NaN or infinite."""
        step = self._learner.state.step
        if not math.isfinite(loss := self._joint_loss()):
            rate = self._learner.settings.schedule.learning_rate
            raise Diverged(
                f"the loss is {loss} between steps {self._finite_up_to} and {step}; "
                f"a smaller schedule.learning_rate than {rate} or precision=fp32 may help"
            )
        self._finite_up_to = step

    def _joint_loss(self) -> float:
        return self._learner.team.sum(self._loss).item()

    def checkpoint_due(self) -> bool:
        """Whether the time of `runtime.checkpoint_seconds` has passed, and enough of it for what a checkpoint costs.

        With 0 seconds one is due after every step, whatever it costs.
        """
        wanted = self._learner.settings.runtime.checkpoint_seconds
        pause = max(wanted, CHECKPOINT_SHARE * self.checkpoint_took) if wanted else 0.0
        return self._clock() - self._saved >= pause

    @contextmanager
    def checkpointing(self) -> Iterator[None]:
        """Takes the time of the checkpoint that is written meanwhile."""
        start = self._clock()
        yield
        self._saved = self._clock()
        self.checkpoint_took = self._saved - start

    def book_time(self) -> None:
        """Adds the time since the last booking to the state."""
        now = self._clock()
        state = self._learner.state
        state.wall_seconds += now - self._booked
        if self._learner.device.type == "cuda":
            state.gpu_seconds += (now - self._booked) * self._learner.team.size
        self._booked = now

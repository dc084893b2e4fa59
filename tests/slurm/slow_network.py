"""The tiny network, as slow as the environment says: how long a job takes is up to the test, and no number changes."""

import os
import time

from torch import Tensor

from tests.tiny_network import Small

PAUSE = "REPRO_TEST_PAUSE_SECONDS"
"""Variable of the seconds that each pass of the network takes longer; 0 where it is not set."""


class Slow(Small):
    """Waits before every pass."""

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        time.sleep(float(os.environ.get(PAUSE, 0)))
        return super().forward(image)

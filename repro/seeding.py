"""Independent random streams, each named: what one stream draws never depends on what another has drawn."""

import hashlib

import numpy as np


def stream(seed: int, *names: str | int) -> int:
    """Derives a 63-bit seed from the run's seed and a stream's name, such as `("augmentation", epoch, position)`."""
    digest = hashlib.sha256("/".join(str(part) for part in (seed, *names)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def numpy_generator(seed: int, *names: str | int) -> np.random.Generator:
    """A numpy generator for one named stream."""
    return np.random.Generator(np.random.PCG64(stream(seed, *names)))

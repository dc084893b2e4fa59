"""GALD's attention to dilated neighbourhoods against the same on neighbourhoods laid out by `unfold`.

python -m tests.bench.local_attention [--rounds 7] [--device cuda --dtype bfloat16]
"""

from functools import partial
from typing import Any

import torch

from repro.nn.context.local_attention import local_attention
from tests.bench.forms import compare, parser
from tests.nn.context import plain

SWITCHES: dict[str, Any] = {"kernel_size": 5, "dilation": 6, "scale": 1.0, "masked_border": False}
WIDTH = 512  # of values


def main() -> None:
    """Prints time and memory at GALD's sizes, and the largest difference."""
    arguments = parser(__doc__).parse_args()
    forms = {"unfold": partial(plain.local_attention, **SWITCHES), "ours": partial(local_attention, **SWITCHES)}
    inputs = [torch.randn(1, channels, 65, 65) for channels in (64, 64, WIDTH)]
    difference = (forms["ours"](*inputs) - forms["unfold"](*(tensor.double() for tensor in inputs))).abs().max()
    print(f"{SWITCHES}; largest difference from unfold in float64: {float(difference):.1e}")
    for channels in (64, 256):
        for batch, side in ((2, 65), (1, 97)):
            compare(forms, [(batch, count, side, side) for count in (channels, channels, WIDTH)], arguments)


if __name__ == "__main__":
    main()

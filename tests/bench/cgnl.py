"""CGNL's attention of the dot-product kernel against its public code: split, products of matrices, concatenation.

python -m tests.bench.cgnl [--rounds 11] [--device cuda --dtype bfloat16]
"""

from functools import partial

from repro.nn.context.cgnl import grouped_attention
from tests.bench.forms import compare, parser
from tests.nn.context import plain

GROUPS, CHANNELS = 8, 256


def main() -> None:
    """Prints time and memory at the sizes that GALD has it at: half a map of 97 or 129, and one of 65."""
    options = parser(__doc__)
    options.add_argument("--batch", type=int, default=2)
    arguments = options.parse_args()
    forms = {
        "public code": partial(plain.cgnl_attention, groups=GROUPS),
        "ours": partial(grouped_attention, groups=GROUPS),
    }
    for side in (49, 65):
        compare(forms, [(arguments.batch, CHANNELS, side, side)] * 3, arguments)


if __name__ == "__main__":
    main()

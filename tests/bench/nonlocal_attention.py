"""Attention among all positions against the whole matrix of products, as mmsegmentation's non-local block has it.

python -m tests.bench.nonlocal_attention [--rounds 7] [--device cuda --dtype bfloat16]
"""

from repro.nn.context.attention import dot_product_attention
from tests.bench.forms import compare, parser
from tests.nn.context import plain


def main() -> None:
    """Prints time and memory: ours grows with the number of positions, the matrix with its square."""
    options = parser(__doc__)
    options.add_argument("--batch", type=int, default=2)
    arguments = options.parse_args()
    forms = {"matrix": plain.dot_product_attention, "ours": dot_product_attention}
    for channels in (64, 256):
        for side in (65, 97):
            compare(forms, [(arguments.batch, channels, side, side)] * 3, arguments)


if __name__ == "__main__":
    main()

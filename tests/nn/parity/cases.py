"""All that is compared."""

from tests.nn.parity.blocks import BLOCKS
from tests.nn.parity.heads import HEADS
from tests.nn.parity.networks import NETWORKS

CASES = (*NETWORKS, *HEADS, *BLOCKS)

"""Sizes of what is compared: small, but with rates and pools that reach beyond the map."""

from tests.nn.heads.checks import CHANNELS

CLASSES = 5
MAP = (17, 13)
RATES = (2, 15, 20)
"""One within the map, one beyond its width, one beyond both sides."""
ASPP_RATES = (1, *RATES)
MAPS = {"res5": (3, CHANNELS["res5"], *MAP)}
TWO_MAPS = {"res3": (3, CHANNELS["res3"], 2 * MAP[0], 2 * MAP[1])} | MAPS
FEATURES = {"features": MAPS["res5"]}

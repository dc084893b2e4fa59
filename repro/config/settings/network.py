"""The settings of a network's parts that are no argument of their classes."""

import math
from dataclasses import dataclass

from repro.errors import ConfigError

RULES = ("torch", "kaiming_normal", "kaiming_normal_fan_in", "xavier_uniform", "normal")
"""How convolutions may start; `normal` with its standard deviation."""


@dataclass(frozen=True)
class FirstDraw:
    """How the convolutions of a part start, and the standard deviation of `normal`."""

    rule: str
    std: float | None = None

    @classmethod
    def parse(cls, text: object, where: str) -> "FirstDraw":
        """Reads `kaiming_normal` or `normal:0.01`; `where` names the leaf in the error."""
        rule, colon, number = text.partition(":") if isinstance(text, str) else ("", "", "")
        std = _positive(number) if rule == "normal" else None
        if rule not in RULES or bool(colon) != (rule == "normal") or (colon and std is None):
            *plain, _ = RULES
            raise ConfigError(
                f"{where} is {text!r}; it must be one of {', '.join(plain)}, or normal: and a standard deviation, "
                "such as normal:0.01"
            )
        return cls(rule, std)

    def __str__(self) -> str:
        return self.rule if self.std is None else f"{self.rule}:{self.std!r}"


def _positive(number: str) -> float | None:
    try:
        value = float(number)
    except ValueError:
        return None
    return value if 0 < value < math.inf else None

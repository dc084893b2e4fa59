"""What the settings share: how they refuse a value, and durations."""

from dataclasses import dataclass

from repro.errors import ConfigError


def require(condition: bool, sentence: str) -> None:
    """Raises `ConfigError` with the sentence unless the condition holds."""
    if not condition:
        raise ConfigError(sentence)


@dataclass(frozen=True)
class Length:
    """A duration with its unit."""

    count: int
    unit: str

    @classmethod
    def parse(cls, text: str, where: str, *, least: int = 1) -> "Length":
        """Reads `"30000 steps"` or `"80 epochs"`; `where` names the leaf in the error."""
        parts = str(text).replace("_", "").split()
        units = {"step": "steps", "steps": "steps", "epoch": "epochs", "epochs": "epochs"}
        if len(parts) != 2 or not parts[0].isdigit() or parts[1] not in units or int(parts[0]) < least:
            raise ConfigError(f'{where} is {text!r}; it needs a count and a unit, such as "30000 steps" or "80 epochs"')
        return cls(int(parts[0]), units[parts[1]])

    def steps(self, steps_per_epoch: int) -> int:
        """The duration in steps."""
        return self.count if self.unit == "steps" else self.count * steps_per_epoch

    def __str__(self) -> str:
        return f"{self.count} {self.unit}"

"""The learning rate as a pure function of the step."""


def poly(step: int, steps: int, learning_rate: float, power: float) -> float:
    """The "poly" rate: `learning_rate * (1 - step / steps) ** power`.

    Args:
        step: the step about to be taken, counted from 0; the last is `steps - 1`, so that no step has rate 0.

    Source: DeepLabv3, section 4.1, with power 0.9.
    """
    return float(learning_rate * (1 - step / steps) ** power)

"""From printed cells to chains of configurations: overrides, scales, differences, open readings."""

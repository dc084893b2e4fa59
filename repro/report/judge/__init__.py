"""Evaluations -> values of cells, verdicts on cells and claims."""

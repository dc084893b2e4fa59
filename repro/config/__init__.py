"""Configurations of runs: composed, checked, named."""

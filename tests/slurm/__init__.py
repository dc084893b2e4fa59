"""Tests on a real SLURM that is started for them."""

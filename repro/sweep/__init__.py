"""Sweeps: which trainings the chosen tables need, what is done already, and how the rest is carried out."""

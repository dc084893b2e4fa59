"""Wanted cells -> distinct trainings, what is there of them, and what the rest costs."""

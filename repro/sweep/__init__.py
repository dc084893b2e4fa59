"""Sweeps: which trainings the chosen tables need, what is done already, and how the rest is carried out."""

from repro.sweep.plan import Job, Observed, Plan, Wanted, distinct_jobs, make_plan

__all__ = ["Job", "Observed", "Plan", "Wanted", "distinct_jobs", "make_plan"]

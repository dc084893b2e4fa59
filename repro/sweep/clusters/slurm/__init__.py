"""cluster=slurm: jobs handed to SLURM and left to it; what becomes of them stands in the run folders."""

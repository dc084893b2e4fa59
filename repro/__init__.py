"""A harness that reproduces the experiments of four semantic segmentation papers and rebuilds their tables."""

__version__ = "0.1.0"

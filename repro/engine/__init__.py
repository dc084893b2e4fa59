"""Training and evaluation of a segmenter: the loop, its parts, and what survives a kill."""

"""One run: train, evaluate, record."""

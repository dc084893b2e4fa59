"""Parity of networks with public code and plain transcriptions of it, in training and in evaluation."""

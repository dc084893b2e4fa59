"""Generators: what writes parts of the documentation and counts the structure of the code."""

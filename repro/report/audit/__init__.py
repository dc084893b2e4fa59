"""The printed numbers, checked against each other."""

"""Errors that speak to the person at the keyboard: one sentence with what is wrong, where, and what would be right."""


class ReproError(Exception):
    """A mistake or a circumstance that the user can mend; printed as one sentence without a traceback."""


class ConfigError(ReproError):
    """The composed configuration asks for something that does not exist or does not fit together."""


class DataError(ReproError):
    """A data set, or one file of it, is missing, damaged or not what its declaration says."""


class StoreError(ReproError):
    """A run folder cannot be used: it is held by another process, or what lies in it is damaged."""

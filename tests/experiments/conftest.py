"""The small paper of the reports, read once at its own scale and at another one."""

from tests.report.conftest import as_printed, papers, shortened

__all__ = ["as_printed", "papers", "shortened"]

"""The folder of a sweep's job: what its process is to do, what it printed, how it ended."""

from pathlib import Path


class JobFolder:
    """Paths of one job; making the object touches nothing on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.job_path = path / "job.json"
        self.log_path = path / "log.txt"
        self.result_path = path / "result.json"

    @classmethod
    def of(cls, job_path: Path) -> "JobFolder":
        """The folder that a job's file lies in."""
        return cls(job_path.parent)

"""What the commands of real clusters printed (SLURM 22.05.8), as tests read it."""

from pathlib import Path

FOLDER = Path(__file__).parent / "recorded"


def recorded(name: str) -> str:
    """The output of a command on a cluster, such as accounting_config."""
    return (FOLDER / f"{name}.txt").read_text(encoding="utf-8")

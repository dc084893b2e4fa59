"""What the command of a sweep takes."""

from collections.abc import Iterator

from repro.config.groups import config_folder, settings_of

EXAMPLES = {
    "table=vortex/table1 scale=smoke": "what it takes, and what is done already",
    "table=vortex/table1 scale=smoke submit=true": "carry it out; once more after any interruption",
    "table='gald/*' seeds=3 cluster=local": "all tables of a paper, three seeds each",
    "ledger=vortex setting=width scale=shapes": "what a choice that the paper leaves open changes",
    "table=vortex/table1 scale=smoke action=retry": "repeat what failed",
    "table='*/*' tracking=none runtime.workers=4": "settings of runs, as long as they do not change what is measured",
    "action=doctor cluster=slurm": "what of a cluster would bite",
    "action=cancel": "end what runs here, each run after a checkpoint",
}


def help_text() -> str:
    """The settings of conf/sweep.yaml with their comments, the clusters, and examples."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "repro.sweep: plans the trainings that tables need, and carries them out."
    yield "Usage: python -m repro.sweep table=<paper>/<table> [key=value ...]"
    yield "\nSettings"
    yield from (f"  {line}" for line in settings_of("sweep"))
    for file in sorted((config_folder() / "cluster").glob("*.yaml")):
        lines = file.read_text(encoding="utf-8").splitlines()
        yield f"\ncluster={file.stem}: {lines[1].lstrip('# ')}"
        yield from (f"  cluster.{line}" for line in lines if line and line[0].isalpha() and not line.startswith("kind"))
    yield "\nExamples"
    yield from (f"  python -m repro.sweep {example:46} {words}" for example, words in EXAMPLES.items())

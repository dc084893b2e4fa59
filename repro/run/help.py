"""What the command of a run takes."""

from collections.abc import Iterator
from pathlib import Path

from repro.config.groups import config_file, config_folder, config_folders, content_of, groups_of, settings_of
from repro.config.identity import GROUPS

EXAMPLES = {
    "head=vortex dataset=voc": "a composition",
    "head=gald head/ga=aspp head/ld=v2": "a head that is put together from parts",
    "dataset=voc init=torchvision:fcn_resnet50": "published weights, evaluated without training",
    "schedule.length='80 epochs' seed=1": "single settings",
    "--config-dir my_conf head=mine": "your own choices; the README shows how",
    "-m head=fcn,aspp,vortex seed=0,1,2": "a grid, one after the other",
}
FLAGS = {
    "-m, --multirun": "every combination of values with commas between them",
    "--config-dir DIR": "a folder with further choices of the groups",
    "--help [all]": "this page; all: with the settings of every group",
    "--version": "the version",
    "--hydra-help": "flags of Hydra, such as --cfg job",
}
WIDTH = 110


def help_text(user_folder: Path | None = None, *, everything: bool = False) -> str:
    """Groups with their choices, settings with their comments, flags and examples; in all its length, or on a page."""
    return "\n".join(_lines(user_folder, everything))


def _lines(user_folder: Path | None, everything: bool) -> Iterator[str]:
    yield "repro: one training of one composed configuration, evaluated, recorded and tracked."
    yield "Usage: repro [run] [group=choice ...] [key=value ...]    = python -m repro ..."
    yield "       repro sweep | report | track ...                  the tables of the papers; --help tells more of each"
    yield "\nGroups and their choices"
    groups = groups_of(config_folders(user_folder))
    for group in sorted(groups):
        if group.partition("/")[0] in GROUPS:
            yield from _wrapped(f"  {group:12} ", sorted(groups[group]))
    yield "\nSettings"
    yield from (f"  {line}" for line in settings_of("config"))
    if everything:
        yield from _of_groups()
    yield "\nFlags"
    yield from (f"  {flag:18} {words}" for flag, words in FLAGS.items())
    yield "\nExamples"
    yield from (f"  repro {example:44} {words}" for example, words in EXAMPLES.items())


def _wrapped(head: str, words: list[str]) -> Iterator[str]:
    line = head + words[0]
    for word in words[1:]:
        if len(line) + len(word) + 3 > WIDTH:  # with a comma before it and one behind it
            yield line + ","
            line = " " * len(head) + word
        else:
            line += f", {word}"
    yield line


def _of_groups() -> Iterator[str]:
    """What every choice of a group has, then the settings of each group in its default choice, with their comments."""
    common = config_file().read_text(encoding="utf-8").partition("\n# What every")[2]
    yield "\nWhat every" + common.partition("\nhydra:")[0].replace("\n", "\n  ").rstrip()
    for entry in content_of(config_file())["defaults"]:
        for group, choice in entry.items() if isinstance(entry, dict) else ():
            if group in GROUPS:
                yield f"\n{group}={choice}"
                yield from _file(config_folder() / group / f"{choice}.yaml", group)


def _file(file: Path, group: str) -> Iterator[str]:
    for line in file.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith(("#", "defaults", "  -", "_target_")):
            yield f"  {group}.{line}" if line[0].isalpha() else f"  {line}"

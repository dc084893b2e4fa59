"""Every head with every choice of its nested groups, and with switches that make it compute another way, all thin."""

import itertools
from functools import cache

import torch

from repro.nn import Head
from tests.nn.heads.checks import CHANNELS, head_from_yaml, leaves
from tests.places import CONF

CLASSES = 5
WIDTH = 8
# Beside the choices: what takes another way through a part.
SWITCHES: dict[str, tuple[str, dict[str, object]]] = {
    "aspp fusion=projected_3x3": ("aspp", {"fusion": "projected_3x3"}),
    "vortex count_include_pad": ("vortex", {"count_include_pad": True}),
    "dsnet guide=res5 sampler=nonlocal": ("dsnet", {"guide": "res5", "sampling.sampler": "nonlocal"}),
    "dsnet sampled=res5 origin=centre": ("dsnet", {"sampled": "res5", "sampling.origin": "centre"}),
    "gald v1 bilinear": ("gald", {"ga": "none", "ld.kind": "bilinear"}),
    "gald v1 average": ("gald", {"ga": "none", "ld.kind": "average"}),
    "gald without padding": ("gald", {"ga.padding": 0, "ld.padding": 0, "ld.ratio": 2}),
    "gald ldga": ("gald", {"arrangement": "ldga", "ga.downsample": False}),
    "gald parallel masked_border": ("gald", {"ld": "v2", "ld.masked_border": True, "arrangement": "parallel"}),
    "gald v2 sum": ("gald", {"ga": "aspp", "ld": "v2", "ld.key": "context", "ld.combination": "sum"}),
}


def _parts(head: str) -> dict[str, str]:
    """The nested groups of a head and their choices by default."""
    return {
        group: choice for entry in leaves(f"head/{head}").get("defaults", [])[:-1] for group, choice in entry.items()
    }


@cache
def variants() -> dict[str, tuple[str, dict[str, object]]]:
    """Names to heads and what is changed in them."""
    found: dict[str, tuple[str, dict[str, object]]] = {}
    for head in sorted(path.stem for path in (CONF / "head").glob("*.yaml")):
        groups = list(_parts(head))
        choices = [sorted(path.stem for path in (CONF / "head" / group).glob("*.yaml")) for group in groups]
        for chosen in itertools.product(*choices):
            changes: dict[str, object] = dict(zip(groups, chosen, strict=True))
            if {changes.get("ga"), changes.get("ld")} != {"none"}:
                found[" ".join((head, *chosen))] = (head, changes)
    return found | SWITCHES


def make(name: str, channels: dict[str, int] = CHANNELS) -> Head:
    """A variant with statistics and weights that leave no layer without a part in the result; in evaluation mode."""
    head, changes = variants()[name]
    files = {"": f"head/{head}"}
    for group, choice in _parts(head).items():
        files[f"{group}."] = f"head/{group}/{changes.get(group, choice)}"
    thin = {
        prefix + leaf: WIDTH
        for prefix, file in files.items()
        for leaf, value in leaves(file).items()
        if leaf.endswith("width") and value is not None
    }
    torch.manual_seed(0)
    made = head_from_yaml(head, channels, CLASSES, **thin, **changes)
    for value in made.state_dict().values():
        if value.is_floating_point() and (value.dim() == 1 or not value.any()):
            value.uniform_(0.2, 1.5)
    return made.eval()

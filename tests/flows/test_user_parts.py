"""A user's own head and data set, in the user's package and configuration folder, without touching ours."""

import os
import re
import subprocess
import sys

import pytest

from tests.places import REPOSITORY
from tests.tiny import TINIEST, TINY

README = (REPOSITORY / "README.md").read_text()


def block(after: str, language: str) -> str:
    """The first code block of the README after a phrase."""
    match = re.search(rf"```{language}\n(.*?)```", README[README.index(after) :], re.DOTALL)
    assert match, f"the README has no {language} block after {after!r}"
    return match.group(1)


@pytest.fixture
def users_folder(tmp_path):
    (tmp_path / "my_package.py").write_text(block("Your own head in 20 lines", "python"))
    (tmp_path / "my_conf" / "head").mkdir(parents=True)
    (tmp_path / "my_conf" / "head" / "mine.yaml").write_text(block("Your own head in 20 lines", "yaml"))
    return tmp_path


def test_the_readmes_own_head_trains(users_folder):
    overrides = [leaf for leaf in TINY if not leaf.startswith("head")] + ["schedule.length=2 steps"]
    done = subprocess.run(
        [sys.executable, "-m", "repro", "--config-dir", "my_conf", "head=mine", *overrides],
        cwd=users_folder, capture_output=True, text=True, timeout=300, check=False, env=os.environ.copy(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "mine-shapes-seed0: mIoU" in done.stdout
    assert len(block("Your own head in 20 lines", "python").strip().splitlines()) <= 20


def test_a_users_backbone_trains(users_folder, runs):
    (users_folder / "my_backbone.py").write_text(
        "import torch\nfrom torch import nn\n\n\n"
        "class Small(nn.Module):\n"
        "    channels = {'res2': 8, 'res3': 8, 'res4': 8, 'res5': 8}\n"
        "    output_stride = 16\n\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.layers = nn.Conv2d(3, 8, 3, stride=16)\n\n"
        "    def set_output_stride(self, output_stride):\n"
        "        if output_stride != 16:\n"
        "            raise ValueError('this backbone has output stride 16 only')\n\n"
        "    def forward(self, image):\n"
        "        return dict.fromkeys(self.channels, self.layers(image))\n"
    )
    (users_folder / "my_conf" / "backbone").mkdir()
    (users_folder / "my_conf" / "backbone" / "small.yaml").write_text("_target_: my_backbone.Small\n")
    done = runs.finish(["--config-dir", "my_conf", "backbone=small", *TINY], users_folder)
    assert done.returncode == 0, done.stderr


def test_a_users_dataset_trains(users_folder, runs):
    (users_folder / "my_data.py").write_text(
        "from repro.data import Shapes\n\n\nclass Mine(Shapes):\n    name = 'mine'\n"
    )
    (users_folder / "my_conf" / "dataset").mkdir()
    (users_folder / "my_conf" / "dataset" / "mine.yaml").write_text(
        "_target_: my_data.Mine\ntrain_split: train\nevaluation_split: val\n"
        "size: 64\ncue_distance: 0\ntrain_images: 16\nval_images: 5\n"
    )
    overrides = [leaf for leaf in TINIEST if not leaf.startswith("dataset")]
    done = runs.finish(["--config-dir", "my_conf", "dataset=mine", *overrides], users_folder)
    assert done.returncode == 0, done.stderr
    assert "fcn-mine-seed0: mIoU" in done.stdout

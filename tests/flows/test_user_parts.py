"""A user's own head and data set, in the user's package and configuration folder, without touching ours."""

import os
import re
import subprocess
import sys

import pytest

from repro.run.command import main
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


@pytest.mark.real
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


DATA = """\
import torch
from repro.data import SegmentationDataset


class Own(SegmentationDataset):
    name, class_names, palette = "own", ("a", "b"), ((0, 0, 0), (255, 0, 0))

    def __init__(self, split, *, side=64):
        self.side = side
        super().__init__(split, [f"{split}{number}" for number in range(8)])

    def load(self, index):
        image = torch.zeros(3, self.side, self.side, dtype=torch.uint8)
        label = torch.zeros(self.side, self.side, dtype=torch.uint8)
        return image, label
"""
DATA_YAML = "_target_: own_data.Own\ntrain_split: train\nevaluation_split: val\nside: 64\n"
BACKBONE = """\
from torch import nn


class Own(nn.Module):
    channels = {"res2": 8, "res3": 8, "res4": 8, "res5": 8}
    output_stride = 16

    def __init__(self):
        super().__init__()
        self.layers = nn.Conv2d(3, 8, 3, stride=16)

    def set_output_stride(self, output_stride):
        if output_stride != 16:
            raise ValueError("this backbone has output stride 16 only")

    def forward(self, image):
        return dict.fromkeys(self.channels, self.layers(image))
"""
HEAD = """\
from torch import nn
from repro.nn import Head


class Own(Head):
    def __init__(self, channels, num_classes):
        super().__init__(channels, num_classes)
        self.logits = nn.Conv2d(self.in_channels, num_classes, 1)

    def forward(self, features):
        return self.logits(features["res5"])
"""
PARTS = {
    "data": ("dataset", DATA, DATA_YAML),
    "backbone": ("backbone", BACKBONE, "_target_: own_backbone.Own\n"),
    "head": ("head", HEAD, "_target_: own_head.Own\n"),
}
LABEL = "label = torch.zeros(self.side, self.side, dtype=torch.uint8)"
CALL = 'super().__init__(split, [f"{split}{number}" for number in range(8)])'
GIVEN = "return dict.fromkeys(self.channels, self.layers(image))"
LOGITS = 'return self.logits(features["res5"])'
FAULTS = [
    ("data", "evaluation_split: val\n", "", "dataset.evaluation_split is missing; .* to dataset/own.yaml"),
    ("data", "train_split: train\n", "", "dataset.train_split is missing; .* to dataset/own.yaml"),
    ("data", "side: 64", "sides: 64", r"own_data.py\): .* unexpected keyword argument 'sides'"),
    ("data", LABEL, "label = torch.full((64, 64), 7, dtype=torch.uint8)",
     r"item 'val0' .*own_data.py\): the label holds the value 7 at row 0, column 0; .* classes 0 to 1 of class_names"),
    ("data", LABEL, LABEL.replace("uint8", "int64"), r"own_data.py\): the label is int64 \[64, 64\]; .* uint8"),
    ("data", LABEL, LABEL.replace("zeros(", "zeros(1, "), r"the label is uint8 \[1, 64, 64\]"),
    ("data", LABEL, LABEL.replace("zeros(self.side", "zeros(32"), "the image is 64x64 .*, its label 64x32"),
    ("data", "zeros(3, self.side, self.side, dtype=torch.uint8)", "rand(3, self.side, self.side)",
     r"the image is float32 \[3, 64, 64\]; it must be a tensor uint8"),
    ("data", "image = torch.zeros(3, self.side, self.side,", "image = torch.zeros(self.side, self.side, 3,",
     r"the image is uint8 \[64, 64, 3\]; it must be a tensor uint8 \[3, height, width\]"),
    ("data", "return image, label", "return image, label.numpy()", "the label is a ndarray"),
    ("data", "return image, label", "return image", r"load gave uint8 \[3, 64, 64\]; it must give two tensors"),
    ("data", "return image, label", 'raise KeyError("x")', r"loaded: KeyError: 'x' \(.*own_data.py, line 15\)"),
    ("data", "(255, 0, 0))", ")", "palette has 1 colours for 2 class_names"),
    ("data", "(255, 0, 0))", "(256, 0, 0))", r"the colour of b in palette is \(256, 0, 0\)"),
    ("data", '("a", "b")', '"ab"', "class_names is 'ab'; it must be a tuple of texts"),
    ("data", '("a", "b")', '("a", "a")', "class_names has 2 names; there must be 1 to 255, each of them once"),
    ("data", "name, class_names, palette = ", "name, names, palette = ", r"own_data.py\) sets no class_names"),
    ("data", "name, class_names, palette = ", "name, class_names, colours = ", r"own_data.py\) sets no palette"),
    ("data", "name, class_names, palette = ", "title, class_names, palette = ", r"own_data.py\) sets no name"),
    ("data", CALL, "super().__init__(split, list(range(8)))", "has the id 0; ids must be texts"),
    ("data", CALL, "self.split = split", r"own_data.py\): its constructor must call super\(\).__init__\(split, ids\)"),
    ("data", "self.side = side", 'self.side = {}["side"]', r"KeyError: 'side' \(.*own_data.py, line 9\)"),
    ("data", "class Own", "clas Own", r"cannot be imported: SyntaxError: invalid syntax \(own_data.py, line 5\)"),
    ("data", "import torch", "torch", r"cannot be imported: NameError: .* \(.*own_data.py, line 1\)"),
    ("backbone", 'channels = {"res2": 8, "res3": 8, "res4": 8, "res5": 8}', "",
     r"own_backbone.py\): channels is None; it must map each output to its channels"),
    ("backbone", '"res5": 8}', '"res5": "8"}', "channels has 'res5': '8'"),
    ("backbone", "output_stride = 16\n", "\n", r"own_backbone.py\): output_stride is None"),
    ("backbone", "def set_output_stride", "def set_stride", r"it has no method set_output_stride\(output_stride\)"),
    ("backbone", GIVEN, 'return {"out": self.layers(image)}', "channels declares res2, .* gives out"),
    ("backbone", GIVEN, "return self.layers(image)", r"forward gave a tensor \[2, 8, 4, 4\]; it must give a dict"),
    ("backbone", GIVEN, 'raise RuntimeError("boom")',
     r"own_backbone.py\) fails on images of 64x64 pixels: RuntimeError: boom \(.*own_backbone.py, line 17\)"),
    ("backbone", "stride=16", "stride=8", "output res5 is 8x8 for an image of 64x64; output_stride = 16 .* 4x4"),
    ("backbone", "Conv2d(3, 8,", "Conv2d(3, 4,", r"output res2 is a tensor \[2, 4, 4, 4\]; channels declares"),
    ("head", 'features["res5"]', 'features["res9"]',
     r"own_head.py\) reads 'res9', which is no output of the backbone; it gives res2, res3, res4, res5"),
    ("head", "def forward", "def sources(self):\n        return ('res5',)\n\n    def forward",
     r"own_head.py\): sources is a method; it must be a tuple of the outputs that the head reads, among res2"),
    ("head", "num_classes)\n        self", "num_classes, source='res9')\n        self",
     r"own_head.py\): source 'res9' is no output of this backbone; it gives res2"),
    ("head", "self.in_channels, num", "channels['res9'], num", r"head: .*KeyError: 'res9' \(.*own_head.py, line 8\)"),
    ("head", "num_classes, 1)", "num_classes + 1, 1)",
     r"forward gave a tensor \[2, 9, 4, 4\]; it must give a tensor \[2, 8, height, width\], one channel for each"),
    ("head", LOGITS, 'return {"out": features["res5"]}', "forward gave a dict"),
    ("head", LOGITS, "pass", "forward gave nothing"),
    ("head", LOGITS, LOGITS + "[0]", r"forward gave a tensor \[8, 4, 4\]"),
    ("head", LOGITS, LOGITS + ".argmax(1, keepdim=True).expand(-1, 8, -1, -1)", "logits are floating point numbers"),
    ("head", "self.in_channels, num", "3, num", r"own_head.py\) fails: RuntimeError: .*own_head.py, line 11"),
]  # fmt: skip


@pytest.fixture(scope="module")
def conf(tmp_path_factory):
    """The folder with the YAML of each part, written once: what stays as it is, is composed once."""
    folder = tmp_path_factory.mktemp("conf")
    for group, _, text in PARTS.values():
        (folder / group).mkdir()
        (folder / group / "own.yaml").write_text(text)
    return folder


@pytest.fixture
def own(conf, tmp_path, monkeypatch, capsys):
    """Writes one part, with a change in its code or its YAML, and runs it; returns the exit code and the errors."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def run(part, before="", after=""):
        group, code, text = PARTS[part]
        assert before in code or before in text
        name, file = f"own_{part}", conf / group / "own.yaml"
        monkeypatch.delitem(sys.modules, name, raising=False)
        (tmp_path / f"{name}.py").write_text(code.replace(before, after, 1))
        if before not in code:
            file.write_text(text.replace(before, after, 1))
        words = [word for word in TINIEST if not word.startswith(group)]
        code = main(["--config-dir", str(conf), f"{group}=own", *words, f"outputs={tmp_path / 'outputs'}"])
        monkeypatch.delitem(sys.modules, name, raising=False)
        if file.read_text() != text:
            file.write_text(text)
        printed = capsys.readouterr()
        assert "Error getting class" not in printed.out
        return code, printed.err

    return run


@pytest.mark.parametrize("part", PARTS)
def test_own_parts_as_they_should_be_train(own, part):
    assert own(part) == (0, "")


@pytest.mark.parametrize(("part", "before", "after", "sentence"), FAULTS)
def test_a_fault_in_an_own_part_is_a_sentence_before_any_training(own, monkeypatch, part, before, after, sentence):
    monkeypatch.setattr("repro.engine.train.training_step", lambda *_: pytest.fail("trained first"))
    code, errors = own(part, before, after)
    assert code == 2
    (line,) = errors.splitlines()
    assert re.search(sentence, line), line

"""An edit of one's own code is another run, never a stale number; and what is done again because it is asked for."""

import json
import shlex
import sys
from pathlib import Path

import pytest

from repro.run.command import main
from repro.store.outputs import Outputs
from repro.store.runs_csv import recorded
from tests.tiny import TINIEST

HEAD = """\
from repro.nn import Head
from own_helper import logits


class Own(Head):
    def __init__(self, channels, num_classes):
        super().__init__(channels, num_classes)
        self.logits = logits(self.in_channels, num_classes)

    def forward(self, features):
        return self.logits(features["res5"])
"""
HELPER = """\
from torch import nn


def logits(channels, num_classes):
    return nn.Conv2d(channels, num_classes, 1)
"""
DATA = """\
from repro.data import Shapes


class Own(Shapes):
    name = "own"
"""


class Place:
    """A user's folder: code, configuration and outputs, all with a blank in their names."""

    def __init__(self, path, capsys):
        self.path, self._capsys = path, capsys
        (self.path / "my conf" / "head").mkdir(parents=True)
        (self.path / "my conf" / "dataset").mkdir()
        (self.path / "my conf" / "head" / "own.yaml").write_text("_target_: own_head.Own\n")
        self.outputs = Outputs(self.path / "out  puts")
        self.write("own_head", HEAD)
        self.write("own_helper", HELPER)
        self.command = ["--config-dir", str(self.path / "my conf"), "head=own",
                        *(word for word in TINIEST if not word.startswith("head")),
                        f"outputs='{self.outputs.root}'"]  # fmt: skip

    def write(self, name, text):
        (self.path / f"{name}.py").write_text(text)

    def run(self, *words, command=None):
        """As in a process of its own; returns the exit code, what was printed, and what was complained of."""
        self._capsys.readouterr()
        try:
            code = main([*(command or self.command), *words])
        finally:
            self._forget()
        told = self._capsys.readouterr()
        return code, told.out, told.err

    @staticmethod
    def _forget():
        for name in ("own_head", "own_helper", "own_data"):
            sys.modules.pop(name, None)

    def runs(self):
        return list(self.outputs.runs())

    def records(self):
        return [record for folder in self.runs() for record in folder.records()]


@pytest.fixture
def place(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return Place(tmp_path, capsys)


@pytest.mark.parametrize(("name", "text"), [("own_head", HEAD), ("own_helper", HELPER)])
def test_an_edited_head_is_another_run(place, name, text):
    assert place.run()[0] == 0
    assert "nothing to do" in place.run()[1]
    place.write(name, text.replace("num_classes, 1)", "num_classes, 1, bias=False)").replace("class Own", "class  Own"))
    code, out, _ = place.run()
    assert code == 0
    assert "nothing to do" not in out
    assert len(place.runs()) == 2
    place.write(name, text)
    assert "nothing to do" in place.run()[1]


def test_an_edited_data_set_is_another_run(place):
    (place.path / "my conf" / "dataset" / "own.yaml").write_text(
        "_target_: own_data.Own\ntrain_split: train\nevaluation_split: val\n"
        "size: 64\ncue_distance: 0\ntrain_images: 16\nval_images: 5\n"
    )
    place.write("own_data", DATA)
    words = [word for word in place.command if not word.startswith("dataset")]
    words.insert(2, "dataset=own")
    assert place.run(command=words)[0] == 0
    place.write("own_data", DATA + "    version = 2\n")
    assert "nothing to do" not in place.run(command=words)[1]
    assert len(place.runs()) == 2


def test_the_record_holds_the_code_and_a_command_that_can_be_given_again(place):
    place.run()
    (record,) = place.records()
    code = record.provenance["own_code"]["own_head.Own"]
    assert code["hash"] == record.config["code"]["own_head.Own"]
    assert {name: Path(file["file"]).name for name, file in code["files"].items()} == {
        "own_head": "own_head.py", "own_helper": "own_helper.py",
    }  # fmt: skip
    assert {"commit", "dirty", "sha256"} <= code["files"]["own_head"].keys()
    assert len(record.provenance["code"]["science"]) == 16
    words = shlex.split(recorded(record).command)
    assert words[:3] == ["python", "-m", "repro"]
    assert "nothing to do" in place.run(command=words[3:])[1]


def test_code_that_is_edited_while_a_run_starts_is_refused(place, monkeypatch):
    from repro.run import session

    def edited(*arguments):
        place.write("own_helper", HELPER + "# edited\n")

    monkeypatch.setattr(session, "try_network", edited)
    code, _, err = place.run()
    assert code == 2
    assert "has been changed while it started" in err
    assert place.records() == []


def test_a_grid_in_one_process_goes_on_with_the_code_that_it_has(place, monkeypatch):
    """What is edited between two runs of a grid is not imported, so it names none of them."""
    from repro.run import lifecycle

    def then_edit(*arguments):
        outcome = lifecycle_run(*arguments)
        place.write("own_helper", HELPER + "# edited\n")
        return outcome

    lifecycle_run = lifecycle.run
    monkeypatch.setattr(lifecycle, "run", then_edit)
    monkeypatch.setattr(sys, "argv", ["repro"])
    assert place.run("-m", "seed=0,1")[0] == 0
    hashes = {record.config["code"]["own_head.Own"] for record in place.records()}
    assert len(place.records()) == 2
    assert len(hashes) == 1
    commands = {tuple(record.provenance["command"][3:5]) for record in place.records()}
    assert commands == {("--config-dir", str(place.path / "my conf"))}


def test_code_reached_at_run_time_is_told(place):
    place.write("own_helper", HELPER + "\n\ndef more(name):\n    return importlib.import_module(name)\n")
    place.run()
    (record,) = place.records()
    assert record.provenance["own_code"]["own_head.Own"]["at_run_time"] == {"own_helper": ["import_module"]}
    (folder,) = place.runs()
    assert "own_helper reaches code at run time (import_module)" in folder.log_path.read_text()


def test_force_repeats_a_run_and_says_by_how_much_it_differs(place):
    place.run()
    (before,) = place.records()
    code, out, _ = place.run("force=true")
    assert code == 0
    assert "repeated: the same weights, the same prediction of every class, to the last pixel" in out
    (record,) = place.records()
    assert record.provenance["repeated"]["differences"] == {"miou_percent": 0.0, "pixel_accuracy_percent": 0.0}
    assert record.weights_sha256 == before.weights_sha256
    assert record.provenance["restarts"] == 0
    (folder,) = place.runs()
    kept = sorted(path.name for path in folder.evaluations_path.iterdir() if "before" in path.name)
    assert kept == [f"{before.evaluation_id}.json.before-1", f"{before.evaluation_id}.npz.before-1"]
    assert json.loads((folder.evaluations_path / kept[0]).read_text())["created"] == before.created
    assert "force: false" in folder.read_config()
    assert "force=true" not in (*record.provenance["command"], *folder.read_config().split())
    assert "nothing to do" in place.run()[1]


def test_force_of_the_evaluation_keeps_the_weights(place, monkeypatch):
    place.run()
    monkeypatch.setattr("repro.run.session.train_network", lambda *_: pytest.fail("trained again"))
    code, out, _ = place.run("force=evaluation")
    assert code == 0
    assert "repeated: the same weights" in out


def test_a_repetition_that_is_killed_goes_on_under_the_same_command(place, monkeypatch):
    place.run()
    with monkeypatch.context() as patch:
        patch.setattr("repro.run.session.record_evaluation", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert place.run("force=true")[0] == 130
    monkeypatch.setattr("repro.run.session.train_network", lambda *_: pytest.fail("trained a third time"))
    code, out, _ = place.run("force=true")
    assert code == 0
    assert "repeated: " in out


def test_what_cannot_be_forced_is_a_sentence(place):
    code, _, err = place.run("force=weights")
    assert code == 2
    assert "force is weights; it must be true, evaluation, or false" in err

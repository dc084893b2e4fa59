"""The weights that a run starts from and those that it leaves, without a run around them."""

import pytest
import torch

from repro.build import build_model
from repro.config.settings import Init
from repro.engine.stop import StopRequest
from repro.engine.tensor_files import digest
from repro.errors import ConfigError, DataError
from repro.run.held import HeldRun
from repro.run.weights import load_weights, store_weights, take_over_weights
from repro.store.journal import Journal, read_journal
from repro.store.outputs import Outputs
from repro.track import NullTracker
from tests.tiny_runs import final_weights, same_weights

CPU = torch.device("cpu")


@pytest.fixture
def held(tmp_path):
    """The run folder `aa`, held by this process."""
    outputs = Outputs(tmp_path)
    folder = outputs.run("aa")
    with folder.lock() as lock, Journal(folder.journal_path) as journal:
        yield HeldRun(outputs, folder, lock, journal, NullTracker(), StopRequest())


@pytest.fixture
def models(configure):
    """Two networks of one architecture with other weights."""
    return [build_model(configure(f"seed={seed}"), num_classes=4)[0] for seed in (0, 1)]


def events(held):
    return [(event.kind, event.fields) for event in read_journal(held.folder.journal_path).events]


def test_stored_weights_come_back_with_what_is_known_of_them(held, models):
    one, other = models
    facts = {"batch_norm_samples": 4, "split": {"name": "train", "images": 16}}
    store_weights(held.folder, one.state_dict(), CPU, step=6, wall_seconds=1.5, gpu_seconds=0.0, **facts)
    training = load_weights(held.folder, other)
    assert same_weights(other.state_dict(), one.state_dict())
    assert same_weights(final_weights(held.folder), one.state_dict())
    assert (training.step, training.wall_seconds, training.gpu_seconds) == (6, 1.5, 0.0)
    assert facts.items() <= training.facts.items()
    assert training.facts["step"] == 6
    assert {"versions", "hardware", "code"} <= training.facts.keys()
    assert "model" not in training.facts


def test_no_origin_changes_nothing_and_says_nothing(held, models):
    before = {name: value.clone() for name, value in models[0].state_dict().items()}
    take_over_weights(models[0], Init(), held)
    assert same_weights(models[0].state_dict(), before)
    assert events(held) == []


def test_another_runs_weights_are_taken_over_and_that_is_journalled(held, models):
    one, other = models
    store_weights(held.outputs.run("bb"), one.state_dict(), CPU, step=1, wall_seconds=0.0, gpu_seconds=0.0)
    fresh = other.head.state_dict()["classifier.logits.weight"].clone()
    take_over_weights(other, Init("run:bb", ["head.classifier"]), held)
    assert same_weights(other.backbone.state_dict(), one.backbone.state_dict())
    assert torch.equal(other.head.state_dict()["classifier.logits.weight"], fresh)
    told = {"source": "run:bb", "dropped": ["head.classifier"], "left_out": [], "sha256": digest(one.state_dict())}
    assert events(held) == [("weights_taken_over", told)]


def test_an_auxiliary_head_that_is_not_wanted_is_left_out_and_said(held, models, configure, tmp_path, caplog):
    one, _ = models
    own, _ = build_model(configure("auxiliary=none"), num_classes=4)
    torch.save(one.state_dict() | {"auxiliary.hidden.convolution.weight": torch.zeros(1)}, tmp_path / "mine.pt")
    take_over_weights(own, Init(f"file:{tmp_path / 'mine.pt'}"), held)
    assert events(held)[0][1]["left_out"] == ["auxiliary."]
    assert "has weights under auxiliary., which this network lacks; they are left out" in caplog.text


def test_a_file_of_weights_is_taken_over(held, models, tmp_path, monkeypatch):
    one, other = models
    monkeypatch.setenv("HOME", str(tmp_path))
    torch.save(one.state_dict(), tmp_path / "mine.pt")
    take_over_weights(other, Init("file:~/mine.pt"), held)
    assert same_weights(other.state_dict(), one.state_dict())


@pytest.mark.parametrize(
    ("source", "error", "sentence"),
    [
        ("run:bb", DataError, r"the run bb, which has no weights at .*bb/weights\.pt; carry it out first"),
        ("yesterday", ConfigError, "init.from is 'yesterday'; write run:<run id>, file:<path> or torchvision:<name>"),
        ("file:/nowhere.pt", DataError, r"/nowhere\.pt"),
        ("torchvision:lraspp", ConfigError, "lraspp"),
    ],
)
def test_a_mistake_is_a_sentence_and_is_not_journalled(held, models, source, error, sentence):
    with pytest.raises(error, match=sentence):
        take_over_weights(models[0], Init(source), held)
    assert events(held) == []

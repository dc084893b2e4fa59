"""Runs that start from the weights of another."""

import pytest
import torch

from repro.errors import ConfigError, DataError
from repro.run.lifecycle import run
from tests.tiny_runs import final_weights, same_weights, tiniest


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    outputs = tmp_path_factory.mktemp("outputs")
    return outputs, run(tiniest(outputs))


def start(outputs, *overrides):
    still = ["schedule.learning_rate=1e-30", "schedule.length=1 steps", "schedule.batch_norm.frozen=true"]
    return run(tiniest(outputs, *still, *overrides))


def test_the_weights_are_those_of_the_run_before(upstream):
    outputs, first = upstream
    taken = final_weights(start(outputs, f"init.from=run:{first.folder.run_id}").folder)
    for name, value in final_weights(first.folder).items():
        assert torch.allclose(taken[name], value) or name.endswith("num_batches_tracked"), name


def test_what_is_dropped_is_fresh(upstream):
    outputs, first = upstream
    taken = final_weights(start(outputs, f"init.from=run:{first.folder.run_id}", "init.drop=[head.classifier]").folder)
    before = final_weights(first.folder)
    assert not torch.equal(taken["head.classifier.logits.weight"], before["head.classifier.logits.weight"])
    assert torch.allclose(taken["head.hidden.convolution.weight"], before["head.hidden.convolution.weight"])


def test_a_file_counts_by_its_content(upstream):
    outputs, first = upstream
    path = first.folder.weights_path
    outcome = start(outputs, f"init.from=file:{path}")
    assert outcome.record.config["init"]["from"].startswith("file:")
    assert str(path) not in str(outcome.record.config)


@pytest.mark.parametrize(
    ("overrides", "error", "sentence"),
    [
        (["init.from=run:0123456789abcdef"], DataError, "has no weights at"),
        (["init.from=yesterday"], ConfigError, "write run:<run id>, file:<path> or torchvision:<name>"),
        (["init.from=file:/nowhere.pt"], ConfigError, "cannot be read"),
    ],
)
def test_a_mistake_is_a_sentence(upstream, overrides, error, sentence):
    with pytest.raises(error, match=sentence):
        start(upstream[0], *overrides)


def test_weights_that_do_not_fit_are_listed(upstream):
    outputs, first = upstream
    with pytest.raises(DataError, match=r"of another shape: head.hidden.convolution.weight \[16, 8"):
        start(outputs, f"init.from=run:{first.folder.run_id}", "head.width=8")
    with pytest.raises(ConfigError, match=r"init\.drop names 'head.clasifier'"):
        start(outputs, f"init.from=run:{first.folder.run_id}", "init.drop=[head.clasifier]")


def test_weights_are_evaluated_without_training(upstream):
    outputs, first = upstream
    origin = f"init=run:{first.folder.run_id}"
    outcome = run(tiniest(outputs, "schedule.length=0 steps", origin, "dataset.train_split=nowhere"))
    assert outcome.record.steps == 0
    assert outcome.record.scores == first.record.scores
    assert outcome.record.confusion_sha256 == first.record.confusion_sha256
    assert outcome.record.config["schedule"] == {"length": "0 steps"}
    assert same_weights(final_weights(outcome.folder), final_weights(first.folder))

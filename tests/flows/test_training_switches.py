"""What a schedule or a data set asks for besides reaches the training: each switch changes a tiny run's weights."""

import pytest
import torch

from repro.errors import ConfigError
from repro.run.lifecycle import run
from tests.tiny_runs import final_weights, tiniest

SWITCHES = {
    "hard pixels": ["schedule.loss=ohem", "schedule.ohem.kept_pixels=100", "schedule.ohem.threshold=null"],
    "loss at the size of the logits": ["schedule.upsample_logits=false"],
    "old gradients": ["schedule.replicas=3"],
    "frozen statistics": ["schedule.batch_norm.frozen=true"],
    "oversampled images": ["dataset.duplicate=[wire]", "dataset.duplicate_times=3"],
}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    return tmp_path_factory.mktemp("outputs")


def outcome(outputs, *overrides):
    return run(tiniest(outputs, *overrides))


@pytest.mark.parametrize("name", SWITCHES)
def test_a_switch_changes_what_is_trained(outputs, name):
    plain, other = (final_weights(outcome(outputs, *switch).folder) for switch in ([], SWITCHES[name]))
    assert plain.keys() == other.keys()
    assert not torch.equal(plain["head.classifier.logits.weight"], other["head.classifier.logits.weight"])


def test_mining_that_could_leave_no_pixel_out_is_refused(outputs):
    with pytest.raises(ConfigError, match=r"sees 4096 pixels of a training image, so that none would be .* 573"):
        outcome(outputs, "schedule.loss=ohem")
    small = ["schedule.loss=ohem", "schedule.ohem.kept_pixels=100", "schedule.upsample_logits=false"]
    with pytest.raises(ConfigError, match=r"sees 16 pixels of a training image, .* 2, .*upsample_logits=true"):
        outcome(outputs, *small)

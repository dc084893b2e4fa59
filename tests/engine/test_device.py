import pytest
import torch

from repro.config.settings import Determinism, Precision
from repro.engine.device import autocast, choose_device, set_determinism
from repro.errors import ConfigError


def test_a_device_that_is_not_there_is_an_error():
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type in ("cpu", "cuda")
    with pytest.raises(ConfigError, match="shows"):
        choose_device(f"cuda:{torch.cuda.device_count()}")
    with pytest.raises(ConfigError, match=r"runtime\.device"):
        choose_device("graphics card")


def test_determinism_levels_set_torch():
    try:
        set_determinism(Determinism.strict)
        assert torch.are_deterministic_algorithms_enabled()
        set_determinism(Determinism.cudnn)
        assert not torch.are_deterministic_algorithms_enabled()
        assert torch.backends.cudnn.deterministic
    finally:
        set_determinism(Determinism.off)
    assert not torch.backends.cudnn.deterministic


@pytest.mark.parametrize(
    ("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)]
)
def test_autocast_sets_the_number_format(precision, dtype):
    with autocast(torch.device("cpu"), Precision(precision)):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype

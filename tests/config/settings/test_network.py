import pytest

from repro.config.settings import FirstDraw
from repro.config.settings.network import RULES
from repro.errors import ConfigError


@pytest.mark.parametrize("rule", RULES[:-1])
def test_a_rule_is_its_name(rule):
    assert FirstDraw.parse(rule, "head.first_draw") == FirstDraw(rule)
    assert str(FirstDraw(rule)) == rule


@pytest.mark.parametrize("text", ["normal:0.01", "normal:1e-2", "normal:.010"])
def test_a_normal_distribution_has_its_deviation_and_one_form(text):
    found = FirstDraw.parse(text, "head.first_draw")
    assert found == FirstDraw("normal", 0.01)
    assert str(found) == "normal:0.01"
    assert FirstDraw.parse(str(found), "head.first_draw") == found


@pytest.mark.parametrize(
    "text", [None, 3, "", "orthogonal", "normal", "normal:", "normal:0", "normal:-1", "normal:inf", "normal:nan",
             "normal:much", "torch:", "torch:1", "Torch"],
)  # fmt: skip
def test_anything_else_is_one_sentence(text):
    with pytest.raises(ConfigError) as caught:
        FirstDraw.parse(text, "auxiliary.first_draw")
    assert str(caught.value) == (
        f"auxiliary.first_draw is {text!r}; it must be one of torch, kaiming_normal, kaiming_normal_fan_in, "
        "xavier_uniform, or normal: and a standard deviation, such as normal:0.01"
    )

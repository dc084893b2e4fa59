from repro.experiments.chain import NOTHING, Chain, Link
from tests.composed import composed

FIRST, SECOND, OWN = (composed("head=fcn", f"schedule.length={steps} steps") for steps in (9, 8, 7))
CHAIN = Chain((Link("first", FIRST), Link("second", SECOND, ("head.a",)), Link("", OWN, ("head.classifier", "head.b"))))


def test_an_empty_chain_is_nothing():
    assert not NOTHING
    assert NOTHING.configurations(0) == ()
    assert CHAIN
    assert CHAIN.own is OWN


def test_every_training_starts_from_the_one_before_as_the_command_line_would_have_it():
    first, second, own = CHAIN.configurations(3)
    assert first.run_id == composed("head=fcn", "schedule.length=9 steps", "seed=3").run_id
    for configuration, before, steps, drop in (
        (second, first, 8, "head.a"),
        (own, second, 7, "head.classifier,head.b"),
    ):
        asked = ("head=fcn", f"schedule.length={steps} steps", "seed=3", f"init.from=run:{before.run_id}",
                 f"init.drop=[{drop}]")  # fmt: skip
        assert configuration.run_id == composed(*asked).run_id
        assert configuration.tree == composed(*asked).tree


def test_a_seed_is_worked_out_once_and_goes_through_the_whole_chain():
    assert CHAIN.configurations(1) is CHAIN.configurations(1)
    assert [item.seed for item in CHAIN.configurations(1)] == [1, 1, 1]
    zero, one = ({item.run_id for item in CHAIN.configurations(seed)} for seed in (0, 1))
    assert not zero & one
    assert [item.seed for item in (FIRST, SECOND, OWN)] == [0, 0, 0]


def test_the_first_training_alone_has_no_origin():
    (configuration,) = Chain((Link("", OWN),)).configurations(0)
    assert configuration.tree["init"] == {"from": None, "layout": "ours", "drop": []}

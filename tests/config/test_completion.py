import pytest

from repro.config.completion import choices_of_group, of_command, of_run


def test_a_choice_or_a_leaf_that_is_begun_is_offered():
    offered = of_run("he", [])
    assert {"head=", "head/ga=", "schedule.length=", "seed=", "runtime.threads="} <= set(offered)
    assert not any(name.startswith(("hydra", "defaults", "cluster")) for name in offered)
    assert len(offered) == len(set(offered))


def test_leaves_are_those_of_the_choices_made():
    assert "head.rates=" not in of_run("head.", ["head=fcn"])
    assert "head.rates=" in of_run("head.", ["head=aspp"])
    parts = of_run("head.ga.", ["head=gald", "head/ga=aspp"])
    assert "head.ga.rates=" in parts
    assert "head.ga.rates=" not in of_run("head.ga.", ["head=gald", "head/ga=none"])
    assert not any(name.endswith("_target_=") for name in parts)


@pytest.mark.parametrize(
    ("prefix", "values"),
    [
        ("precision=", ["bf16", "fp16", "fp32"]),
        ("selection=", ["best", "last"]),
        ("schedule.loss=", ["cross_entropy", "ohem"]),
        ("evaluation.flip=", ["false", "true"]),
        ("seed=", []),
        ("schedule.nothing=", []),
        ("seed.nothing=", []),
    ],
)
def test_values_of_a_setting_with_few_are_offered(prefix, values):
    assert of_run(prefix, []) == [f"{prefix}{value}" for value in values]


def test_choices_of_a_users_folder_are_offered_with_their_leaves(tmp_path):
    (tmp_path / "head").mkdir()
    (tmp_path / "head" / "mine.yaml").write_text("_target_: mine.Head\nwidth: 3\n")
    assert "head=mine" in of_run("head=", [], tmp_path)
    assert "head.width=" in of_run("head.", ["head=mine"], tmp_path)


def test_another_command_offers_its_settings_and_their_values():
    values = {"table": lambda: ["b/table1", "a/table2"]}
    offered = of_command("sweep", "", [], {**values, "cluster": list})
    assert {"table=", "seeds=", "submit=", "cluster=", "cluster.kind="} <= set(offered)
    assert "cluster.slots=" not in offered
    assert "cluster.slots=" in of_command("sweep", "cluster.", ["cluster=local"], values)
    assert of_command("sweep", "table=", [], values) == ["table=a/table2", "table=b/table1"]
    assert of_command("sweep", "submit=", [], values) == ["submit=false", "submit=true"]
    assert of_command("sweep", "seeds=", [], values) == []
    assert choices_of_group("cluster") == sorted(choices_of_group("cluster"))
    assert "local" in choices_of_group("cluster")

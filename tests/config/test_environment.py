import pytest

from repro.config.compose import compose
from repro.config.composer import Composer
from repro.errors import ConfigError
from repro.run.command import main

ENV = "'${oc.env:REPRO_TEST_WIDTH}'"


@pytest.fixture(autouse=True)
def width(monkeypatch):
    monkeypatch.setenv("REPRO_TEST_WIDTH", "64")


@pytest.mark.parametrize(
    "overrides",
    [
        [f"head.width={ENV}"],
        [f"schedule.augmentation.crop_size={ENV}"],
        [f"seed={ENV}"],
        [f"evaluation.window={ENV}"],
        ["head.width='${oc.decode:${oc.env:REPRO_TEST_WIDTH}}'"],
        ["head.width='${oc.env :REPRO_TEST_WIDTH}'"],
        [f"name={ENV}", "head.width='${oc.decode:\"${name}\"}'"],
        [f"name={ENV}", "head.width='${oc.select:name}'"],
        [f"tracking.uri={ENV}", "head.width='${tracking[uri]}'"],
        ["seed='${hydra.job.num}'"],
        ["seed='${now:%H}'"],
        [f"schedule.batch_size={ENV}", "head.width='${schedule.batch_size}'"],
        [f"+mine={ENV}", "head.width='${mine}'"],
        [f"+mine.a={ENV}", "+mine.b='${.a}'", "head.width='${mine.b}'"],
        [f"evaluation.scales=[{ENV}]"],
    ],
    ids=" ".join,
)
def test_what_decides_is_not_taken_from_the_environment(overrides):
    with pytest.raises(ConfigError, match=r" takes its value from outside .* \(\$\{.*; write the value"):
        compose(overrides)


@pytest.mark.parametrize("leaf", ["outputs", "name", "tracking.experiment", "dataset.root"])
def test_places_may_be(leaf):
    dataset = ["dataset=voc"] if leaf == "dataset.root" else []
    assert compose([*dataset, f"{leaf}={ENV}"]).leaves[leaf] == "64"


def test_references_inside_the_configuration_may_be():
    assert compose(["head.width='${schedule.batch_size}'", "schedule.batch_size=7"]).leaves["head.width"] == 7


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "head").mkdir()
    (tmp_path / "head" / "mine.yaml").write_text("_target_: mine.Head\nwidth: ${oc.env:REPRO_TEST_WIDTH}\n")
    return tmp_path


def test_nor_by_a_users_folder_in_a_plan(folder):
    for others in ([], ["backbone=resnet18", "schedule=shapes_200", "evaluation=whole", "dataset=shapes"]):
        with pytest.raises(ConfigError, match=r"^head.width takes its value from outside"):
            Composer(folder).compose(["head=mine", *others])


def test_nor_in_a_grid(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["repro"])
    assert main(["-m", f"head.width={ENV}", "seed=0"]) == 2
    assert "head.width takes its value from outside" in capsys.readouterr().err

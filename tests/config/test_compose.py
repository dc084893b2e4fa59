import re

import pytest

from repro.config import identity
from repro.config.compose import compose
from repro.config.groups import config_folder, outer_group
from repro.errors import ConfigError
from tests.composed import composed

OF_OTHER_COMMANDS = {"cluster"}
GROUPS = sorted(path for path in config_folder().iterdir() if path.is_dir() and path.name not in OF_OTHER_COMMANDS)
FILES = sorted(config_folder().rglob("*.yaml"))
DATASETS = [file.stem for file in sorted((config_folder() / "dataset").glob("*.yaml"))]
CUSTOMARY = {
    "shapes": ("resnet18", "shapes_200", "whole"),
    "voc": ("resnet50", "deeplabv3_30k", "whole_513"),
    "camvid": ("resnet34", "camvid_90_epochs", "whole"),
}


def test_there_are_files_to_test():
    assert {path.name for path in GROUPS} == set(identity.GROUPS)
    assert set(DATASETS) == set(CUSTOMARY)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(config_folder()).as_posix())
def test_every_file_composes_and_says_how_to_use_it(file):
    header = [line for line in file.read_text().splitlines() if line.startswith("#")]
    assert any("python -m repro" in line for line in header), f"{file} has no header with the command that runs it"
    if file.parent != config_folder():
        group = file.parent.relative_to(config_folder()).as_posix()
        command = next(line for line in header if "python -m repro" in line).replace("torchvision:", "")
        assert f"{group}={file.stem}" in command, f"{file} names another choice in its header"
        if group not in OF_OTHER_COMMANDS:
            configuration = compose([word for word in command.split() if "=" in word])
            assert configuration.choices[group] == file.stem


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((), ()),
        (("backbone=resnet101",), ()),
        ((), ("schedule=shapes_200",)),
        (("backbone=resnet101", "schedule=shapes_200"), ()),
        ((), ("backbone=resnet101", "schedule=shapes_200")),
    ],
)
def test_a_dataset_brings_its_customary_choices_which_the_command_line_overrides(dataset, before, after):
    choices = compose([*before, f"dataset={dataset}", *after]).choices
    customary = dict(zip(("backbone", "schedule", "evaluation"), CUSTOMARY[dataset], strict=True))
    given = dict(override.split("=") for override in (*before, *after))
    assert choices.items() >= {**customary, **given}.items()


def test_a_group_inside_another_one_is_chosen_and_set():
    configuration = compose(["head.ga.rates=[6,12]", "head/ga=aspp", "head=gald"])
    assert configuration.leaves["head.ga.rates"] == [6, 12]
    assert configuration.choices.items() >= {"head": "gald", "head/ga": "aspp", "head/ld": "v1"}.items()
    assert compose(["head=gald", "head/ga=none"]).tree["head"]["ga"] == {"_target_": None}
    assert not any(outer_group(group) for group in compose(["head=fcn"]).choices)


def test_a_user_folder_adds_choices(tmp_path):
    (tmp_path / "head").mkdir()
    (tmp_path / "head" / "mine.yaml").write_text("_target_: my_package.MyHead\nwidth: 7\n")
    configuration = compose(["head=mine"], user_folder=tmp_path)
    assert configuration.tree["head"] == {"_target_": "my_package.MyHead", "width": 7, "first_draw": "torch"}
    with pytest.raises(ConfigError, match="did you mean mine"):
        compose(["head=mina"], user_folder=tmp_path)
    with pytest.raises(ConfigError, match="there is no folder"):
        compose(user_folder=tmp_path / "absent")


def test_composing_twice_gives_the_same_and_tells_what_was_asked():
    overrides = ["dataset=voc", "head=aspp"]
    one, other = compose(overrides), compose(overrides)
    assert one.frozen() == other.frozen()
    assert one.overrides == ("dataset=voc", "head=aspp")
    assert (one.scale, one.missing) == ("", ())


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["head=votex"], "did you mean vortex"),
        (["schedule.lenght=5 steps"], "did you mean schedule.length"),
        (["seed=abc"], "seed"),
        (["schedule.batch_size=0"], "at least 1"),
        (["schedule.batch_size=[1"], "cannot be read"),
        (["+schedule.batch_size=2"], "schedule.batch_size"),
        (["head=fcn,aspp"], "head=fcn,aspp"),
        (["schedule=shapes_200,none"], "schedule=shapes_200,none"),
        (["head=gald", "head/ga=aspp,psp"], "head/ga=aspp,psp"),
        (["init=torchvision:deeplabv3_resnet50,torchvision:fcn_resnet50"], "init=deeplabv3_resnet50,fcn_resnet50"),
        (["head=glob(*)"], "requires --multirun"),
        (["head=choice(fcn,aspp)"], "requires --multirun"),
        (["seed=0,1"], "seed=0,1"),
        (["~auxiliary"], "choose one of auxiliary: fcn, none"),
    ],
)
def test_a_mistake_is_told_at_once_in_one_sentence(overrides, sentence):
    with pytest.raises(ConfigError, match=re.escape(sentence)) as caught:
        compose(overrides)
    assert "\n" not in str(caught.value)


def test_a_setting_can_be_taken_away_and_added():
    assert "threshold" not in compose(["~schedule.ohem.threshold"]).tree["schedule"]["ohem"]
    assert compose(["++seed=4"]).seed == 4


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("init=torchvision:fcn_resnet101", "init=fcn_resnet101"),
        ("init=run:0123456789abcdef", "init.from=run:0123456789abcdef"),
        ("init=file:weights=new.pt", "init.from='file:weights=new.pt'"),
        ("init='file:/tmp/it is.pt'", "init.from='file:/tmp/it is.pt'"),
    ],
)
def test_an_origin_of_weights_can_be_given_in_one_word(short, long):
    assert compose([short]).tree == compose([long]).tree


def test_published_weights_bring_their_network_whatever_the_data_set_brings():
    configuration = compose(["dataset=voc", "init=torchvision:deeplabv3_resnet101"])
    choices, leaves = configuration.choices, configuration.leaves
    assert (choices["backbone"], choices["head"], choices["schedule"]) == ("resnet101", "aspp_torchvision", "none")
    assert (leaves["backbone.output_stride"], leaves["init.from"]) == (8, "torchvision:deeplabv3_resnet101")
    assert composed("init=fcn_resnet50", "evaluation=whole_513").leaves["evaluation.pad_to"] == 513


def test_a_choice_of_a_users_own_may_have_letters_of_any_language(tmp_path):
    (tmp_path / "head").mkdir()
    (tmp_path / "head" / "größe.yaml").write_text("_target_: mine.Head\nwidth: 3\n", encoding="utf-8")
    found = compose(["head=größe", "name=länge"], user_folder=tmp_path)
    assert (found.choices["head"], found.leaves["head.width"], found.name) == ("größe", 3, "länge")
    assert found.overrides == ("head=größe", "name=länge")

import itertools
import re

import pytest

from repro.config import identity
from repro.config.compose import check_overrides, compose, compose_command, config_folder, settings
from repro.config.groups import outer_group, written_out
from repro.errors import ConfigError

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
    assert len(GROUPS) == len(identity.GROUPS)
    assert set(DATASETS) == set(CUSTOMARY)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(config_folder()).as_posix())
def test_every_file_composes_and_says_how_to_use_it(file):
    header = [line for line in file.read_text().splitlines() if line.startswith("#")]
    assert any("python -m repro" in line for line in header), f"{file} has no header with the command that runs it"
    if file.parent != config_folder():
        group = file.parent.relative_to(config_folder()).as_posix()
        command = next(line for line in header if "python -m repro" in line).replace("torchvision:", "")
        assert f"{group}={file.stem}" in command, f"{file} names another choice in its header"
        if group in OF_OTHER_COMMANDS:
            return
        config = compose([word for word in command.split() if "=" in word])
        settings(config)
        assert config["composition"]["choices"][group] == file.stem


@pytest.mark.parametrize(
    ("dataset", "backbone", "schedule"),
    list(itertools.product(DATASETS, [None, "resnet101"], [None, "shapes_200"])),
)
def test_a_dataset_brings_its_customary_choices_which_the_command_line_overrides(dataset, backbone, schedule):
    given = [f"backbone={backbone}"] * bool(backbone) + [f"schedule={schedule}"] * bool(schedule)
    for overrides in ([f"dataset={dataset}", *given], [*given, f"dataset={dataset}"]):
        choices = compose(overrides)["composition"]["choices"]
        customary = CUSTOMARY[dataset]
        assert choices["backbone"] == (backbone or customary[0])
        assert choices["schedule"] == (schedule or customary[1])
        assert choices["evaluation"] == customary[2]


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("head=votex", "did you mean vortex"),
        ("hed=vortex", "did you mean head"),
        ("dataset=VOC", "did you mean voc"),
        ("schedule.lenght=5 steps", "did you mean schedule.length"),
        ("lenght=5 steps", "did you mean schedule.length"),
        ("head.image_poling=false", "did you mean head.image_pooling"),
        ("backbone.output_strid=8", "did you mean backbone.output_stride"),
        ("head", "key=value"),
        ("schedule.augmentation=none", "replace a whole group"),
        ("seed=[1", "seed"),
        ("seed=abc", "seed"),
        ("precision=fp64", "precision"),
        ("schedule.batch_size=0", "at least 1"),
        ("schedule.batch_norm.samples=3", "must divide"),
        ("schedule.length=400", "needs a count and a unit"),
        ("selection=best", "needs validation.every"),
        ("evaluation.scales=[]", "at least one"),
        ("evaluation.window=0", "at least 1 pixel"),
        ("evaluation.window_stride=8", "must lie between 1 and evaluation.window"),
        ("schedule.length=0 steps", "init names no weights to evaluate"),
        ("schedule=none", "init names no weights to evaluate"),
        ("schedule.replicas=0", "at least 1"),
        ("schedule.loss=focal", "schedule.loss"),
        ("schedule.ohem.threshold=1.5", "must lie in (0, 1)"),
        ("schedule.ohem.kept_pixels=0", "at least 1"),
        ("init=torchvision:deeplab", "did you mean deeplabv3_resnet"),
        ("head.ga=null", "head/ga"),
        ("auxiliary=null", "auxiliary=null is no choice of auxiliary"),
    ],
)
def test_a_mistake_is_one_sentence_with_the_right_name(override, sentence):
    with pytest.raises(ConfigError) as caught:
        settings(compose([override]))
    message = str(caught.value)
    assert sentence in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["head=fcn", "head/ga=aspp"], "head=fcn takes no head/ga; choose head=gald with it"),
        (["head/ld=v2"], "head=vortex takes no head/ld; choose head=gald with it"),
        (["head=gald,fcn", "head/ga=aspp"], "head=fcn takes no head/ga"),
        (["head=fcn", "head.ga.rates=[6]"], "head=fcn takes no head/ga"),
        (["head=fcn", "head.ga=aspp"], "head=fcn takes no head/ga"),
        (["head=gald", "head.ga=aspp"], "choose one with head/ga=aspp"),
        (["head=gald", "head/ga=asp"], "head/ga=asp is no choice of head/ga; did you mean aspp?"),
        (["head=gald", "head/gb=aspp"], "did you mean head/ga?"),
        (["head=gald", "head/ga=aspp", "head.ga.rate=[6]"], "did you mean head.ga.rates?"),
        (["head=gald", "head/ga=aspp", "head.ga.bins=[1]"], "there is no setting or group head.ga.bins"),
    ],
)
def test_a_mistake_about_a_group_inside_another_one_is_a_sentence(overrides, sentence):
    with pytest.raises(ConfigError, match=re.escape(sentence)) as caught:
        compose(overrides)
    assert "\n" not in str(caught.value)


def test_a_group_inside_another_one_is_chosen_and_set():
    config = compose(["head.ga.rates=[6,12]", "head/ga=aspp", "head=gald"])
    assert config["head"]["ga"]["rates"] == [6, 12]
    assert config["composition"]["choices"].items() >= {"head": "gald", "head/ga": "aspp", "head/ld": "v1"}.items()
    assert compose(["head=gald", "head/ga=none"])["head"]["ga"] == {"_target_": None}
    assert not any(outer_group(group) for group in compose()["composition"]["choices"])
    check_overrides(["head=gald", "head/ga=aspp,psp", "head/ld=glob(v*)"])


def test_every_value_of_a_sweep_is_checked():
    check_overrides(["head=fcn,aspp,vortex", "seed=0,1"])
    with pytest.raises(ConfigError, match="did you mean vortex"):
        check_overrides(["head=fcn,vortx", "seed=0,1"])


def test_a_user_folder_adds_choices(tmp_path):
    (tmp_path / "head").mkdir()
    (tmp_path / "head" / "mine.yaml").write_text("_target_: my_package.MyHead\nwidth: 7\n")
    config = compose(["head=mine"], user_folder=tmp_path)
    assert config["head"] == {"_target_": "my_package.MyHead", "width": 7}
    with pytest.raises(ConfigError, match="did you mean mine"):
        compose(["head=mina"], user_folder=tmp_path)
    with pytest.raises(ConfigError, match="there is no folder"):
        compose(user_folder=tmp_path / "absent")


def test_composing_twice_gives_the_same():
    overrides = ["dataset=voc", "head=aspp"]
    assert compose(overrides) == compose(overrides)


def test_a_command_has_settings_and_groups_of_its_own():
    config = compose_command("sweep", ["table=[a,b]", "cluster=local", "cluster.slots=2"])
    assert config["table"] == ["a", "b"]
    assert config["cluster"]["slots"] == 2
    assert "hydra" not in config


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("tabel=x", "sweep has no setting tabel; did you mean table?"),
        ("cluster=loca", "did you mean local?"),
        ("cluster.slot=2", "sweep has no setting cluster.slot"),
        ("table", "key=value"),
    ],
)
def test_a_mistaken_setting_of_a_command_is_a_sentence(override, sentence):
    with pytest.raises(ConfigError, match=re.escape(sentence)):
        compose_command("sweep", [override])


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
    assert compose([short])["init"] == compose([long])["init"]


def test_several_origins_are_several_values_of_a_grid():
    assert written_out(["init=torchvision:fcn_resnet50,torchvision:fcn_resnet101", "seed=1"]) == [
        "init=fcn_resnet50,fcn_resnet101", "seed=1",
    ]  # fmt: skip
    assert written_out(["init=run:a,run:b"]) == ["init.from='run:a','run:b'"]
    assert written_out(["init=file:it's.pt"]) == ["init.from='file:it\\'s.pt'"]


def test_published_weights_bring_their_network_whatever_the_data_set_brings():
    config = compose(["dataset=voc", "init=torchvision:deeplabv3_resnet101"])
    choices = config["composition"]["choices"]
    assert (choices["backbone"], choices["head"], choices["schedule"]) == ("resnet101", "aspp_torchvision", "none")
    assert (config["backbone"]["output_stride"], config["init"]["from"]) == (8, "torchvision:deeplabv3_resnet101")
    assert compose(["init=torchvision:fcn_resnet50", "evaluation=whole_513"])["evaluation"]["pad_to"] == 513

import re

import pytest
from omegaconf import OmegaConf

from repro.config.check import check_overrides, paths, unknown_setting, wrong_choice
from repro.errors import ConfigError


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["head=votex"], "head=votex is no choice of head; did you mean vortex? Choices: "),
        (["seed=0,1,0"], "seed holds 0 twice; each may stand in it once"),
        (["head=fcn,fcn"], "head holds fcn twice"),
        (["head=qqqqqq"], "head=qqqqqq is no choice of head; choices: "),
        (["hed=vortex"], "there is no setting or group hed; did you mean head?"),
        (["dataset=VOC"], "did you mean voc?"),
        (["schedule.lenght=5 steps"], "did you mean schedule.length?"),
        (["lenght=5 steps"], "did you mean schedule.length?"),
        (["head.image_poling=false"], "did you mean head.image_pooling?"),
        (["backbone.output_strid=8"], "did you mean backbone.output_stride?"),
        (["init=torchvision:deeplab"], "did you mean deeplabv3_resnet"),
        (["zzzzzz=1"], "there is no setting or group zzzzzz; python -m repro --help all lists them all"),
        (["head"], "'head' is no setting; write it as key=value, or as group=choice"),
        (["schedule.augmentation=none"], "replace a whole group of settings by one value; set its leaves"),
        (["head.ga=null"], "head/ga"),
        (["auxiliary=null"], "auxiliary=null is no choice of auxiliary"),
        (["seed=[1"], "the value of 'seed=[1' cannot be read"),
        (["head=fcn", "head/ga=aspp"], "head=fcn takes no head/ga; choose head=gald with it"),
        (["head/ld=v2"], "head=vortex takes no head/ld; choose head=gald with it"),
        (["head=gald,fcn", "head/ga=aspp"], "head=fcn takes no head/ga"),
        (["head=fcn", "head.ga.rates=[6]"], "head=fcn takes no head/ga"),
        (["head=fcn", "head.ga=aspp"], "head=fcn takes no head/ga"),
        (["head=gald", "head.ga=aspp"], "choose one with head/ga=aspp"),
        (["head=gald", "head.ga=null"], "choose one with head/ga=none"),
        (["head=gald", "head/ga=asp"], "head/ga=asp is no choice of head/ga; did you mean aspp?"),
        (["head=gald", "head/gb=aspp"], "did you mean head/ga?"),
        (["head=gald", "head/ga=aspp", "head.ga.rate=[6]"], "did you mean head.ga.rates?"),
        (["head=gald", "head/ga=aspp", "head.ga.bins=[1]"], "there is no setting or group head.ga.bins"),
        (["head=fcn,aspp", "head.image_pooling=false"], "head=fcn has no image_pooling; aspp has"),
        (["head=aspp,fcn", "head.image_pooling=false"], "head=fcn has no image_pooling; aspp has"),
        (["head=aspp,fcn,vortex", "head.image_pooling=true,false"], "head=fcn has no image_pooling; aspp, vortex have"),
        (
            ["head=fcn", "head.image_pooling=false"],
            "head=fcn has no image_pooling; aspp, aspp_plus, aspp_torchvision, ",
        ),
        (["head=fcn", "head.pool_sizes=[1]"], "head=fcn has no pool_sizes; vortex has"),
        (["dataset=camvid", "dataset.cue_distance=0"], "dataset=camvid has no cue_distance; shapes has"),
    ],
)
def test_a_mistake_is_one_sentence_with_the_right_name(overrides, sentence):
    with pytest.raises(ConfigError, match=re.escape(sentence)) as caught:
        check_overrides(overrides)
    assert "\n" not in str(caught.value)


def test_every_value_of_a_grid_is_checked():
    check_overrides(["head=fcn,aspp,vortex", "seed=0,1"])
    check_overrides(["head=gald", "head/ga=aspp,psp", "head/ld=glob(v*)"])
    with pytest.raises(ConfigError, match="did you mean vortex"):
        check_overrides(["head=fcn,vortx", "seed=0,1"])


def test_the_first_choice_of_a_grid_is_composed_and_leaves_are_not_set():
    node = check_overrides(["head=fcn,aspp", "seed=3", "hydra.job.name=x"])
    assert node.head._target_ == "repro.nn.FCN"
    assert node.seed == 0


def test_choices_of_a_users_own_are_known(tmp_path):
    (tmp_path / "head").mkdir()
    (tmp_path / "head" / "mine.yaml").write_text("_target_: my_package.MyHead\nwidth: 7\n")
    assert check_overrides(["head=mine", "head.width=8"], user_folder=tmp_path).head.width == 7
    with pytest.raises(ConfigError, match=r"did you mean head\.width"):
        check_overrides(["head=mine", "head.widht=8"], user_folder=tmp_path)


def test_a_wrong_choice_is_answered_with_the_nearest_and_all():
    assert wrong_choice("head", "fcm", {"vortex", "fcn"}) == (
        "head=fcm is no choice of head; did you mean fcn? Choices: fcn, vortex"
    )
    assert wrong_choice("head", "zzz", {"vortex", "fcn"}) == "head=zzz is no choice of head; choices: fcn, vortex"


def test_an_unknown_setting_is_looked_for_by_its_last_part_too():
    known = ["schedule.length", "head.width", "seed"]
    assert unknown_setting("lenght", known) == "; did you mean schedule.length?"
    assert unknown_setting("head.widht", known) == "; did you mean head.width?"
    assert unknown_setting("zzz", known, "there is a list") == "; there is a list"


def test_the_paths_are_those_of_groups_and_leaves_but_for_hydras_own():
    node = OmegaConf.create({"a": {"b": {"c": 1}, "d": [1, 2]}, "hydra": {"x": 1}, "e": "${missing}"})
    assert list(paths(node)) == ["a", "a.b", "a.b.c", "a.d", "e"]

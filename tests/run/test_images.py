"""Images that train, choose and measure: what is refused before a training, what is asked for, what a record says."""

import pytest

from repro.build import build_dataset
from repro.errors import ConfigError, DataError
from repro.run.images import Splits, ids_of, opened_once, stored, told_of_validations, used_after, used_before
from repro.run.lifecycle import run
from repro.store.images import UsedImages
from repro.store.journal import read_journal
from repro.store.outputs import Outputs
from tests.tiny_runs import folder_of

JOINED = "dataset._target_=tests.tiny_data.Joined"
BEST = ["selection=best", 'validation.every="3 steps"']
BOTH = "dataset.allow_overlap=[selecting,measured]"


@pytest.fixture
def joined(configure):
    return lambda *overrides, **where: configure(JOINED, *overrides, **where)


def images_of(outcome):
    return outcome.record.provenance["images"]


@pytest.fixture
def no_training(monkeypatch):
    monkeypatch.setattr("repro.run.session.train_network", lambda *_: pytest.fail("trained first"))


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (
            ["dataset.train_split=trainval"],
            "split val of joined would be measured, of whose 5 images all are trained on "
            "(dataset.train_split=trainval), so that the score says nothing of new ones; choose another "
            "evaluation.split or dataset.train_split, or ask for it with dataset.allow_overlap=[measured]",
        ),
        (["evaluation.split=trainval"], "split trainval of joined would be measured, of whose 21 images 16 are"),
        (["dataset.train_split=trainval", "dataset.allow_overlap=[selecting]"], "would be measured"),
        (
            ["dataset.train_split=trainval", "evaluation.split=test", *BEST],
            "selection=best would choose the weights by split val of joined, of whose 5 images all are trained on "
            "(dataset.train_split=trainval); give validation.split=val dataset.train_split=train, or ask for it with "
            "dataset.allow_overlap=[selecting]",
        ),
        (
            ["validation.split=test", *BEST],
            "selection=best would choose the weights by the test split; give validation.split=val",
        ),
        (
            ["dataset.train_split=trainval", "dataset.evaluation_split=test", BOTH, *BEST],
            "by the test split; give validation.split=val dataset.train_split=train",
        ),
    ],
    ids=lambda item: item if isinstance(item, str) else " ".join(item),
)
def test_images_that_serve_twice_are_refused_before_the_training(joined, no_training, overrides, sentence):
    with pytest.raises(ConfigError) as caught:
        run(joined(*overrides))
    assert sentence in str(caught.value)


def test_what_the_sentence_about_a_choice_advises_runs(joined):
    advised = ["validation.split=val", "dataset.train_split=train"]
    assert run(joined("dataset.evaluation_split=test", *BEST, *advised)).record.steps == 6


def test_what_is_asked_for_is_counted_in_the_record(joined):
    plain = run(joined())
    assert images_of(plain) == {"measured_trained": 0, "measured_selecting": 0, "selecting_trained": 0, "unknown": []}
    asked = run(joined("dataset.train_split=trainval", BOTH, *BEST))
    assert images_of(asked) == {"measured_trained": 5, "measured_selecting": 5, "selecting_trained": 5, "unknown": []}
    chosen = run(joined(*BEST))
    assert images_of(chosen) == {"measured_trained": 0, "measured_selecting": 5, "selecting_trained": 0, "unknown": []}


def test_asking_changes_no_id(joined):
    assert joined(BOTH).run_id == joined().run_id
    assert joined(BOTH).evaluation_id == joined().evaluation_id


def test_a_trained_run_is_not_measured_on_its_own_images_later(joined):
    run(joined())
    with pytest.raises(ConfigError, match=r"split train of joined would be measured, of whose 16 images all are"):
        run(joined("evaluation.split=train"))
    asked = run(joined("evaluation.split=train", "dataset.allow_overlap=[measured]"))
    assert images_of(asked)["measured_trained"] == 16
    assert asked.fresh


@pytest.mark.parametrize("length", ["0 steps", "3 steps"])
def test_the_images_of_every_stage_count(joined, length):
    first = run(joined("dataset.train_split=trainval", "evaluation.split=test"))
    chain = ["dataset.train_split=train", f"init.from=run:{first.folder.run_id}", f"schedule.length={length}"]
    with pytest.raises(ConfigError, match=r"all are trained on by the runs that it starts from \(init\.from=run:\w+\)"):
        run(joined(*chain))
    second = run(joined(*chain, "dataset.allow_overlap=[measured]"))
    assert images_of(second)["measured_trained"] == 5
    assert images_of(run(joined(*chain, "evaluation.split=test")))["measured_trained"] == 0


def test_a_chain_is_checked_without_the_data_of_its_first_stage(joined, monkeypatch):
    first = run(joined("dataset.train_split=trainval", "evaluation.split=test"))
    monkeypatch.setattr("tests.tiny_data.Shapes", lambda name, **_: pytest.fail("opened again"))
    later = joined(f"init.from=run:{first.folder.run_id}", "schedule.length=0 steps")
    used = used_after(later, used_before(later, Outputs(later.settings.outputs)))
    assert len(used.trained["joined"]) == 21


def test_weights_of_unknown_training_read_unknown(joined, tmp_path):
    first = run(joined())
    weights = first.folder.weights_path.rename(tmp_path / "weights.pt")
    outcome = run(joined(f"init.from=file:{weights}", "schedule.length=0 steps", "evaluation.split=test"))
    (source,) = images_of(outcome)["unknown"]
    assert source == outcome.record.config["init"]["from"][: len("file:") + 16]
    gone = joined("init.from=run:0123456789abcdef")
    assert used_before(gone, Outputs(tmp_path)) == UsedImages().after_unknown("run:0123456789abcdef")
    published = joined("init.from=torchvision:fcn_resnet50")
    assert used_before(published, Outputs(tmp_path)).unknown == ("torchvision:fcn_resnet50",)
    assert used_before(joined(f"backbone.weights={weights}"), Outputs(tmp_path)).unknown == (source,)


def test_a_damaged_list_of_a_trained_run_is_said_and_made_anew(joined, caplog):
    outcome = run(joined())
    path = outcome.folder.images_path
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    assert stored(outcome.folder) is None
    assert "is damaged" in caplog.text
    again = run(joined("evaluation.split=test"))
    assert again.fresh
    assert path.read_bytes() == whole


def test_a_list_that_is_gone_with_the_data_leaves_the_images_unknown(joined, monkeypatch):
    outcome = run(joined())
    outcome.folder.images_path.unlink()

    def opened(configuration, split):
        if split == "train":
            raise DataError("the images are gone")
        return build_dataset(configuration, split)

    monkeypatch.setattr("repro.run.session.build_dataset", opened)
    later = run(joined("evaluation.split=test"))
    assert later.fresh
    assert images_of(later)["unknown"] == [f"run:{outcome.folder.run_id}"]


def test_validations_that_choose_nothing_are_told_and_not_refused(joined, caplog):
    watched = joined("dataset.train_split=trainval", "evaluation.split=test", 'validation.every="3 steps"')
    outcome = run(watched)
    sentence = (
        "the validations are of split val of joined, of whose 5 images all are trained on: they choose nothing, "
        "but they say nothing of new images either"
    )
    assert sentence in caplog.text
    (event,) = [item for item in read_journal(outcome.folder.journal_path).events
                if item.kind == "validations_on_trained"]  # fmt: skip
    assert event.fields["message"] == sentence
    apart = joined('validation.every="3 steps"')
    assert told_of_validations(apart, used_after(apart, UsedImages())) == ""
    assert told_of_validations(joined(), UsedImages()) == ""


def test_splits_are_read_as_the_settings_read_them(joined):
    for overrides in ([], BEST, ["validation.split=test", 'validation.every="1 epoch"'], ["evaluation.split=test"]):
        configuration = joined(*overrides)
        splits, settings = Splits.of(configuration), configuration.settings
        assert splits.measured == settings.evaluation_split
        assert splits.training == settings.dataset.train_split
        assert {splits.selecting, splits.watching} <= {None, settings.validation_split}
        assert (splits.selecting is not None) == (overrides == BEST)


def test_a_split_is_opened_once_for_many_configurations(joined, monkeypatch):
    opened = []
    monkeypatch.setattr("repro.run.images.build_dataset", lambda *given: opened.append(given) or Fake())
    ids = opened_once()
    for seed in range(3):
        assert ids(joined().with_seed(seed), "val") == ids_of(joined(), "val")
    assert len(opened) == 1 + 3
    ids(joined("dataset.size=72"), "val")
    assert len(opened) == 5


def test_a_run_opens_each_of_its_splits_once(joined, monkeypatch):
    opened = []
    build = lambda *given: opened.append(given[1]) or build_dataset(*given)  # noqa: E731
    for place in ("images", "session"):
        monkeypatch.setattr(f"repro.run.{place}.build_dataset", build)
    run(joined("evaluation.split=test"))
    assert sorted(opened) == ["test", "train"]


class Fake:
    name, ids = "fake", ("a", "b")


def test_the_folder_holds_the_images(joined):
    configuration = joined("evaluation.split=test")
    run(configuration)
    (name,) = folder_of(configuration).read_used_images().trained
    assert name == "joined"

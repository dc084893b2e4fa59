"""From run folders to files: written, checked, chosen, and with damaged parts."""

import shutil
from dataclasses import replace

import pytest

from repro.experiments.readings import open_readings
from repro.store.outputs import Outputs
from repro.store.runs_csv import recorded, runs_csv
from repro.store.status import RunState
from repro.track import MLflowMirror, take_snapshot
from tests.example_mlflow import place_database
from tests.report.made_runs import Made, record_of, store


def test_from_run_folders_to_tables(ran):
    assert ran() == 0, ran.err
    kinds = ("md", "csv", "claims.csv", "tex")
    assert set(ran.files()) == {"runs.csv", "audit.md", *(
        f"{scale}/small/table1.{kind}" for scale in ("paper", "short") for kind in kinds)}  # fmt: skip
    measured = ran.cells("short")["Rates", "mIoU"]
    assert (measured["verdict"], measured["n"], float(measured["mean"])) == ("deviates", "3", pytest.approx(74.1))
    assert ran.cells("paper")["Rates", "mIoU"]["verdict"] == "not run"
    assert "holds" in (ran.reports / "short/small/table1.md").read_text()
    assert "at the papers' scale 0 of 3 trained cells are measured, 0 reproduced; " in ran.out
    assert "; apart, at scale short 2 trained cells are measured" in ran.out
    assert "next: read" in ran.out


def test_the_second_time_nothing_changes(ran):
    ran()
    before = ran.files()
    assert ran() == 0
    assert ran.files() == before
    assert ": 0 of 10 files written anew" in ran.out


def test_runs_csv_alone_gives_the_same_files(ran):
    ran()
    before = ran.files()
    ran.outputs.rename(ran.outputs.with_name("gone"))
    assert ran() == 0
    assert ran.files() == before
    assert ran("check=true") == 0
    assert "all 10 files are what" in ran.out


def test_check_names_what_differs_and_writes_nothing(ran):
    ran()
    (ran.reports / "short/small/table1.md").unlink()
    (ran.reports / "audit.md").write_text("mine")
    before = ran.files()
    assert ran("check=true") == 1
    assert ran.err.splitlines() == [
        f"{ran.reports / 'short/small/table1.md'}: missing", f"{ran.reports / 'audit.md'}: differs"]  # fmt: skip
    assert ran.files() == before
    assert "2 of 10 files" in ran.out


def test_check_of_a_fresh_folder_says_what_is_missing(command):
    assert command("check=true", "scale=paper") == 1
    assert f"{command.reports / 'runs.csv'}: missing" in command.err
    assert not command.reports.exists()


def test_check_ignores_runs_that_no_report_has_collected(ran, shortened):
    ran()
    store(ran.outputs, shortened.record("Plain", 7, 1.0))
    assert ran("check=true") == 0


def test_a_choice_of_scale_leaves_the_others_alone(ran):
    assert ran("scale=paper") == 0
    assert not (ran.reports / "short").exists()
    assert ran("scale=short", "table=table1") == 0
    assert (ran.reports / "short").exists()


def test_runs_of_the_smoke_scale_are_in_no_headline(ran, papers):
    ran()
    _, *before, _ = ran.out.split("; ")
    smoke = Made(papers, "smoke")
    for seed in range(3):
        for row in ("Plain", "Rates"):
            record = smoke.record(row, seed, 7.6)
            split = {**record.provenance["evaluated_split"], "images": 2}
            store(ran.outputs, replace(record, provenance={**record.provenance, "evaluated_split": split}))
    assert ran() == 0, ran.err
    written, *after, _ = ran.out.split("; ")
    assert ran.cells("smoke")["Plain", "mIoU"]["n"] == "3"
    assert "smoke" in written
    assert after == before


def test_damaged_records_and_lines_are_named_and_the_rest_is_built(ran, shortened):
    ran()
    with (ran.reports / "runs.csv").open("a") as stream:
        stream.write("rubbish\n")
    remembered = (ran.reports / "runs.csv").read_text()
    path = store(ran.outputs, shortened.record("Rates", 3, 76.0))
    path.write_bytes(path.read_bytes()[:-200])
    store(ran.outputs, shortened.record("Plain", 3, 73.0))
    assert ran() == 1
    assert f"error: {path} is damaged" in ran.err
    assert f"{ran.reports / 'runs.csv'}:8: the line has 1 fields" in ran.err
    assert len(ran.err.splitlines()) == 2
    assert (ran.reports / "runs.csv").read_text() == remembered
    assert ran.cells("short")["Plain", "mIoU"]["n"] == "4"
    assert "mend what is named above" in ran.out


def test_a_line_that_contradicts_itself_feeds_no_cell(ran):
    assert ran() == 0
    path = ran.reports / "runs.csv"
    shutil.rmtree(ran.outputs)
    before = path.read_text()
    path.write_text(before.replace("71.0,", "99.9,", 1))
    for check in ("check=deep", "check=false"):
        assert ran(check, "table=table1", "scale=short") == 1
        assert f"error: {path}:6: miou_percent is 99.9, but the mean of its 2 classes is 71.0; " in ran.err
    assert ran.cells("short")["Plain", "mIoU"]["seeds"] == "0;2"
    path.write_text(before)
    assert ran("check=deep", "table=table1", "scale=short") == 1
    assert "its data set has the classes background, strip, twin_warm" in ran.err  # of which made lines have others


def test_prune(ran, shortened):
    gone = recorded(shortened.record("Plain", 9, 60.0))
    ran.reports.mkdir()
    (ran.reports / "runs.csv").write_text(runs_csv([gone]))
    assert ran() == 0
    assert ran.cells("short")["Plain", "mIoU"]["seeds"] == "0;1;2;9"
    assert ran("prune=true") == 0
    assert ran.cells("short")["Plain", "mIoU"]["seeds"] == "0;1;2"
    assert "seed 9, scale short) is dropped from the list" in ran.err


def test_a_broken_table_of_another_paper_is_named(ran, papers, tmp_path):
    other = tmp_path / "sweeps"
    for name in ("small", "scales"):
        (other / name).mkdir(parents=True)
        for file in (papers / name).iterdir():
            (other / name / file.name).write_text(file.read_text())
    (other / "small" / "table2.yaml").write_text("title: [\n")
    ran.papers = other
    assert ran() == 1
    assert "small/table2.yaml:2: is no YAML" in ran.err
    assert ran.cells("short")["Plain", "mIoU"]["n"] == "3"


def test_cells_that_are_one_run_are_an_error(command, papers, tmp_path):
    folder = tmp_path / "sweeps" / "again"
    folder.mkdir(parents=True)
    text = (papers / "small" / "table1.yaml").read_text().replace("unbuilt", "vortex")
    (folder / "table1.yaml").write_text(text.replace(', "head.rates=[3,6,9]"', ""))
    command.papers = tmp_path / "sweeps"
    assert command("scale=paper", paper="again") == 1
    assert "again/table1.yaml:" in command.err
    assert "same run and evaluation as Rates @ mIoU" in command.err
    assert (command.reports / "paper/again/table1.md").exists()


def test_nothing_measured_says_what_to_run(command):
    assert command("scale=short") == 0
    assert "next: python -m repro.sweep sweeps_folder=" in command.out
    assert " table=small/table1 scale=short seeds=3 submit=true" in command.out


def test_other_readings_get_a_page(command, as_printed):
    (other,) = [item for item in open_readings(as_printed.found, "batch_size") if item.base.row == "Plain"
                and item.base.column == "mIoU"]  # fmt: skip
    for seed in range(3):
        store(command.outputs, as_printed.record("Plain", seed, 70.0 + seed))
    assert command() == 0
    assert not (command.reports / "paper/small/ledger.md").exists()
    for seed in range(3):
        store(command.outputs, record_of(other.measurement, seed, 71.0 + 1.1 * seed))
    assert command() == 0
    assert "| sixteen | small/table1: Plain @ mIoU |" in (command.reports / "paper/small/ledger.md").read_text()


def test_images_that_served_twice_are_told_on_every_page(command, as_printed):
    counts = {"measured_trained": 96, "measured_selecting": 96, "selecting_trained": 7, "unknown": ["file:ab"]}
    told = ("96 of the 96 measured images were trained on",
            "the weights were chosen by 96 of the 96 measured images",
            "the weights were chosen by images of which 7 were trained on")  # fmt: skip
    unknown = "which images are behind the weights of file:ab is unknown"
    split = {"name": "val", "images": 96, "sha256": ""}
    record = as_printed.record("Plain", 0, 70.0)
    store(
        command.outputs, replace(record, provenance={**record.provenance, "images": counts, "evaluated_split": split})
    )
    store(command.outputs, as_printed.record("Rates", 0, 73.0))
    assert command() == 0
    for kind in ("md", "tex"):
        text = (command.reports / f"paper/small/table1.{kind}").read_text()
        for sentence in told:
            assert f"deviation: {sentence}" in text
        assert f"warning: {unknown}" in text
    cells = command.cells("paper")
    plain, gain, rates = (cells[key] for key in (("Plain", "mIoU"), ("Rates", "Gain"), ("Rates", "mIoU")))
    for cell in (plain, gain):
        assert cell["verdict"] == "deviates"
        assert cell["warnings"] == " | ".join((*told, unknown))
        assert cell["deviations"] == " | ".join(told)
    assert (rates["verdict"], rates["warnings"], rates["deviations"]) == ("inconclusive", "", "")


@pytest.mark.real  # all tables of the papers, twice
def test_everything_has_an_index_and_holds_what_a_choice_gives(ran):
    assert ran() == 0
    chosen = ran.files()
    assert "index.html" not in chosen
    assert ran(paper=None) == 0, ran.err
    everything = ran.files()
    assert b"small/table1" in everything["index.html"]
    assert chosen.items() <= everything.items()
    assert ran("check=true", paper=None) == 0
    assert "next" not in ran.out


@pytest.mark.real
def test_from_a_tracking_server_the_same(ran, tmp_path):
    uri = place_database(ran.outputs)
    outputs = Outputs(ran.outputs)
    mirror = MLflowMirror(uri, "another experiment", outputs)
    for folder in outputs.runs():
        folder.freeze_config("{}")
        folder.write_status(RunState.FINISHED, step=20)
        mirror.bring_level(take_snapshot(folder))
    ran()
    before = ran.files()
    ran.outputs, ran.reports = tmp_path / "elsewhere", tmp_path / "reports of the server"
    assert ran("source=mlflow", f"uri={uri}") == 0, ran.err
    assert ran.files() == before
    assert ran("source=mlflow", f"uri={uri}") == 0
    assert ": 0 of 10 files" in ran.out


def test_a_server_out_of_reach(ran, tmp_path):
    assert ran("source=mlflow", f"uri=sqlite:///{tmp_path / 'none.db'}") == 1
    assert "there is no tracking database" in ran.err
    assert ran.cells("short")["Plain", "mIoU"]["n"] == "3"

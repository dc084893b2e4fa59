from dataclasses import replace

from repro.experiments.measurement import Kind
from repro.store.outputs import Outputs
from repro.store.record import confusion_sha256
from repro.store.runs_csv import recorded
from repro.sweep.plan.job import Job
from repro.sweep.plan.known import complete_number, known_evaluations
from tests.example_runs import example_record
from tests.report.made_runs import matrix_of, store
from tests.sweep.fakes import want

RUN = "0" * 15 + "1"


def evaluation(number):
    return f"{number:016x}"


def test_what_is_listed_and_what_lies_in_run_folders_is_known(tmp_path):
    outputs = Outputs(tmp_path)
    jobs = {RUN: Job(RUN, None, evaluations={evaluation(number): None for number in (1, 2, 3)})}
    listed = {evaluation(9): recorded(example_record(RUN, evaluation(9)))}
    assert known_evaluations(outputs, jobs, listed) == listed
    for number in (1, 2, 4):
        record = example_record(RUN, evaluation(number))
        matrix = matrix_of(record.scores.miou_percent)
        store(tmp_path, replace(record, confusion_sha256=confusion_sha256(matrix)))
    outputs.run(RUN).record_path(evaluation(2)).write_text("{")
    assert known_evaluations(outputs, jobs, listed).keys() == {evaluation(1), evaluation(9)}


def test_a_number_is_complete_if_every_trained_cell_has_its_first_seeds():
    wanted = [want("a"), want("b"), want("c", kind=Kind.CITED)]
    known = {item.measurement.evaluation_id(seed) for item in wanted[:2] for seed in range(6)}
    assert complete_number(wanted, known, (3, 5, 8)) == 5
    assert complete_number(wanted, known - {wanted[1].measurement.evaluation_id(1)}, (3, 5, 8)) == 0
    assert complete_number(wanted[2:], known, (3, 5, 8)) == 0

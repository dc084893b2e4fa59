from repro.sweep.clusters.slurm.chunks import Limits
from repro.sweep.clusters.slurm.limits import limits
from repro.sweep.clusters.slurm.queue import Entry, QueueError
from repro.sweep.clusters.slurm.settings import SlurmSettings

CONFIG = """Configuration data as of 2026-11-30T22:00:00
MaxArraySize            = {array}
MaxJobCount             = {jobs}
SchedulerParameters     = bf_interval=5,max_array_tasks={tasks}
"""


def asker(array=1001, jobs=10000, tasks=1001, user="lab", associations="", qualities="", everyone=0, silent=False):
    """Answers as SLURM's commands would; `asks` of it has what was asked."""

    def ask(*command):
        ask.asks.append(" ".join(command))
        match command[0]:
            case "scontrol":
                return CONFIG.format(array=array, jobs=jobs, tasks=tasks)
            case "squeue":
                return "1\n" * everyone
        if silent:
            raise QueueError("sacctmgr failed")
        return {"user": user, "assoc": associations, "qos": qualities}[command[4]]

    ask.asks = []
    return ask


def mine(count, account="lab", quality="normal"):
    return [Entry(str(number), "x", "PENDING", account, quality, "Priority") for number in range(count)]


def test_without_accounting_the_controller_alone_limits():
    assert limits(SlurmSettings(), [], 10, asker(silent=True)) == Limits(1001, None, "")
    assert limits(SlurmSettings(), [], 10, asker(array=501, silent=True)).array == 501
    assert limits(SlurmSettings(), [], 10, asker(tasks=100, silent=True)).array == 100
    assert limits(SlurmSettings(), [], 10, asker(array=0, silent=True)).array == 1


def test_the_jobs_of_all_count_where_many_are_submitted():
    few, many = asker(silent=True, everyone=9500), asker(silent=True, everyone=9500)
    assert limits(SlurmSettings(), [], 1000, few).free is None
    assert not any(text.startswith("squeue") for text in few.asks)
    found = limits(SlurmSettings(), [], 1001, many)
    assert (found.free, found.reason) == (499, "the controller's MaxJobCount allows 9999 in the queue, where 9500 are")


def test_the_account_limits_the_user():
    found = limits(SlurmSettings(), mine(38), 40, asker(associations="|50||normal|normal\n"))
    assert (found.free, found.reason) == (12, "MaxSubmitJobs of account lab allows 50 in the queue, where 38 are")
    assert limits(SlurmSettings(), mine(38, account="other"), 40, asker(associations="|50||normal|normal\n")).free == 50
    assert limits(SlurmSettings(), mine(60), 40, asker(associations="|50||normal|normal\n")).free == 0


def test_a_limit_of_another_partition_says_nothing():
    text = "short|5||normal|normal\n|50||normal|normal\n"
    assert limits(SlurmSettings(), [], 40, asker(associations=text)).free == 50
    assert limits(SlurmSettings(partition="short"), [], 40, asker(associations=text)).free == 5


def test_the_quality_of_service_limits_too():
    ask = asker(associations="||||normal\n", qualities="normal|20||\n")
    found = limits(SlurmSettings(), mine(5), 40, ask)
    assert (found.free, found.reason) == (15, "MaxSubmitJobsPerUser of qos normal allows 20 in the queue, where 5 are")
    shared = asker(associations="||||normal\n", qualities="long|||30\n", everyone=28)
    assert limits(SlurmSettings(qos="long"), [], 40, shared).free == 2
    assert (
        "sacctmgr --noheader --parsable2 show qos name=long format=name,maxsubmitpu,maxsubmitpa,grpsubmit"
        in shared.asks
    )


def test_an_account_that_is_asked_for_is_the_one_that_limits():
    ask = asker(associations="|7||normal|normal\n")
    assert limits(SlurmSettings(account="other"), mine(3, account="other"), 40, ask).free == 4
    assert not any("show user" in text for text in ask.asks)
    assert limits(SlurmSettings(), [], 40, asker(user="", associations="|5|||\n")).free is None

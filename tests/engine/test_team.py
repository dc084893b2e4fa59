"""What the processes of a run tell each other."""

import numpy as np
import pytest
import torch

from repro.engine.ranks import Rank
from repro.engine.team import ALONE, Team, TeamError, meet
from tests.engine.teams import by_all

CPU = torch.device("cpu")


def everything(team):
    return {
        "rank": (team.rank, team.size, team.leads, team.machines),
        "sum": team.sum(torch.tensor([1.0, float(team.rank)])),
        "agreed": team.agree(team.rank == 1, 0, team.rank),
        "told": team.tell({"tensor": torch.arange(3), "text": "from the first"} if team.leads else None),
        "collected": team.collect((team.rank, np.arange(team.rank))),
        "neighbours": (team.neighbours(1).size, team.neighbours(1).rank),
    }


def test_three_processes_tell_each_other_everything(tmp_path):
    found = by_all(3, tmp_path, everything)
    assert [one["rank"] for one in found] == [(0, 3, True, 1), (1, 3, False, 1), (2, 3, False, 1)]
    for one in found:
        assert one["sum"].tolist() == [3.0, 3.0]
        assert one["agreed"] == (1, 0, 2)
        assert one["told"]["text"] == "from the first"
        assert torch.equal(one["told"]["tensor"], torch.arange(3))
        assert [number for number, _ in one["collected"]] == [0, 1, 2]
        assert one["neighbours"] == (1, 0)


def test_alone_everything_is_the_identity():
    tensor = torch.ones(2)
    assert meet(Rank(), None, CPU) is ALONE
    assert ALONE.sum(tensor) is tensor
    assert ALONE.agree(True, 0) == (True, 0)
    assert ALONE.tell("this") == "this"
    assert ALONE.collect("this") == ["this"]
    assert (ALONE.rank, ALONE.size, ALONE.leads, ALONE.machines) == (0, 1, True, 1)
    ALONE.leave()


def test_one_that_nobody_meets_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("repro.engine.team.MEETING_SECONDS", 0.1)
    with pytest.raises(TeamError, match=r"the 2 processes of the run have not met within 0 s; seen from number 1"):
        meet(Rank(1, 2, 1, "test"), tmp_path / "meeting", CPU)


def test_a_team_knows_its_machines():
    assert Team(Rank(1, 4), ("one", "one", "two", "two")).machines == 2

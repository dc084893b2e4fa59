"""Functions carried out by the processes of a team, forked from the server that has loaded torch already."""

from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any

import torch

from repro.engine.ranks import Rank
from repro.engine.team import Team, meet
from tests.forked import SERVER
from tests.places import REPOSITORY

Work = Callable[..., Any]
LONGEST_SECONDS = 300.0


def by_all(size: int, folder: Path, work: Work, *given: Any) -> list[Any]:
    """What `work(team, *given)` returns in each of so many processes, by rank."""
    folder.mkdir(parents=True, exist_ok=True)
    meeting = folder / "meeting"
    meeting.unlink(missing_ok=True)
    with chdir(REPOSITORY):
        ranks = [Rank(number, size, number, "test", is_watched=True) for number in range(size)]
        processes = [SERVER.Process(target=_carry_out, args=(rank, meeting, work, *given)) for rank in ranks]
        for process in processes:
            process.start()
    for process in processes:
        process.join(LONGEST_SECONDS)
    codes = [process.exitcode for process in processes]
    for process in processes:
        process.kill()
    assert codes == [0] * size
    return [torch.load(_result(meeting, number), weights_only=False) for number in range(size)]


def _carry_out(rank: Rank, meeting: Path, work: Work, *given: Any) -> None:
    torch.set_num_threads(1)
    team: Team = meet(rank, meeting, torch.device("cpu"))
    torch.save(work(team, *given), _result(meeting, rank.number))
    team.leave()


def _result(meeting: Path, number: int) -> Path:
    return meeting.with_name(f"result-{number}.pt")

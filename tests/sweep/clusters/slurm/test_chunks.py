from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from repro.sweep.clusters.slurm.chunks import Chunk, Limits, Pending, chunked


def chain(*runs, after=None):
    return [Pending(runs[0], None, after), *(Pending(later, earlier) for earlier, later in pairwise(runs))]


def test_jobs_that_start_from_nothing_are_one_array():
    assert chunked([Pending("a"), Pending("b"), Pending("c")], Limits()) == ([Chunk(("a", "b", "c"))], [])
    assert chunked([], Limits()) == ([], [])


def test_an_array_is_cut_at_the_largest_index():
    chunks, left = chunked([Pending(name) for name in "abcde"], Limits(array=2))
    assert [chunk.runs for chunk in chunks] == [("a", "b"), ("c", "d"), ("e",)]
    assert left == []


def test_stages_wait_place_by_place():
    jobs = [*chain("a1", "a2"), *chain("b1", "b2"), *chain("c1", "c2"), Pending("d")]
    chunks, _ = chunked(jobs, Limits(array=2))
    assert chunks == [
        Chunk(("a1", "b1")),
        Chunk(("a2", "b2"), before=0),
        Chunk(("c1",)),
        Chunk(("c2",), before=2),
        Chunk(("d",)),
    ]


def test_families_of_different_shapes_do_not_mix():
    jobs = [Pending("a"), Pending("a1", "a"), Pending("a2", "a"), Pending("b"), Pending("b1", "b")]
    chunks, _ = chunked(jobs, Limits())
    assert chunks == [
        Chunk(("a",)),
        Chunk(("a1",), before=0),
        Chunk(("a2",), before=0),
        Chunk(("b",)),
        Chunk(("b1",), before=3),
    ]


def test_what_waits_for_different_jobs_in_the_queue_does_not_share_an_array():
    jobs = [Pending("a", None, "7_0"), Pending("b", None, "7_1"), Pending("c", None, "7_0"), Pending("d")]
    chunks, _ = chunked(jobs, Limits())
    assert chunks == [Chunk(("a", "c"), after="7_0"), Chunk(("b",), after="7_1"), Chunk(("d",))]


def test_what_does_not_fit_is_left_by_whole_families():
    jobs = [*chain("a1", "a2"), *chain("b1", "b2"), Pending("c")]
    chunks, left = chunked(jobs, Limits(free=3))
    assert [chunk.runs for chunk in chunks] == [("a1",), ("a2",), ("c",)]
    assert left == ["b1", "b2"]
    assert chunked(jobs, Limits(free=0)) == ([], ["a1", "a2", "b1", "b2", "c"])


def test_where_no_family_fits_its_first_runs_are_taken():
    chunks, left = chunked(chain("a1", "a2", "a3"), Limits(free=2))
    assert chunks == [Chunk(("a1",)), Chunk(("a2",), before=0)]
    assert left == ["a3"]


@st.composite
def forests(draw):
    """Jobs each after its upstream, upstream chosen among the earlier ones."""
    count = draw(st.integers(0, 25))
    jobs = []
    for number in range(count):
        upstream = draw(st.one_of(st.none(), st.integers(max(0, number - 8), number - 1))) if number else None
        after = draw(st.sampled_from([None, None, "7_0", "7_1"])) if upstream is None else None
        jobs.append(Pending(f"r{number}", None if upstream is None else f"r{upstream}", after))
    return jobs


def check(jobs, limits):
    """What holds for every division."""
    chunks, left = chunked(jobs, limits)
    known = {job.run_id: job for job in jobs}
    placed = [run for chunk in chunks for run in chunk.runs]
    set_of_placed = set(placed)
    assert sorted([*placed, *left]) == sorted(known)  # each once
    assert all(0 < len(chunk.runs) <= limits.array for chunk in chunks)
    assert limits.free is None or len(placed) <= limits.free
    assert placed != [] or not jobs or limits.free == 0
    assert left == [run for run in known if run not in set_of_placed]
    for number, chunk in enumerate(chunks):
        for place, run in enumerate(chunk.runs):
            job = known[run]
            if chunk.before is None:
                assert (job.upstream, job.after) == (None, chunk.after)
            else:
                assert chunk.before < number
                assert chunks[chunk.before].runs[place] == job.upstream
                assert len(chunks[chunk.before].runs) == len(chunk.runs)


@given(forests(), st.integers(1, 9), st.one_of(st.none(), st.integers(0, 30)))
@settings(max_examples=60)
def test_every_job_has_one_place_within_the_limits_after_its_upstream(jobs, array, free):
    check(jobs, Limits(array, free))


def test_ten_thousand_jobs_of_two_stages():
    jobs = [Pending(f"{number}.{stage}", f"{number}.0" if stage else None)
            for number in range(5000) for stage in (0, 1)]  # fmt: skip
    check(jobs, Limits(array=1001, free=9000))
    chunks, left = chunked(jobs, Limits(array=1001, free=9000))
    assert (len(chunks), len(left)) == (10, 1000)

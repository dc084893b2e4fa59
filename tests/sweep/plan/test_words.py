from repro.sweep.plan.words import MARGIN, WIDTH, cut, duration, headed, many, size


def test_units_suit_the_amount():
    assert [duration(value) for value in (59, 600, 7200, 86400 * 30)] == ["59 s", "10 min", "2.0 hours", "30 days"]
    assert [size(value) for value in (12, 4600, 5 * 10**6, 2 * 10**12)] == ["12 bytes", "4.6 kB", "5 MB", "2 TB"]
    assert [many(count, "run") for count in (0, 1, 1200)] == ["0 runs", "1 run", "1,200 runs"]


def test_lines_keep_to_the_page():
    first, second = headed("state", "word " * 25)
    assert first.startswith("state" + " " * (MARGIN - 5) + "word")
    assert second.startswith(" " * MARGIN + "word")
    assert (len(cut("x" * 200)), cut("x")) == (WIDTH, "x")

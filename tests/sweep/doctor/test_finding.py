"""How findings are shown."""

from repro.sweep.doctor.finding import WIDTH, blocks, fine, lines, mind


def test_a_long_sentence_is_wrapped_beside_its_subject():
    found = list(lines([fine("sacct", "answers"), mind("queue", "word " * 40 + "end"), blocks("nodes", "none is up")]))
    assert found[0] == "fine    sacct          answers."
    assert found[1].startswith("mind    queue          word word")
    assert all(line.startswith(" " * 23 + "word") or line.startswith(" " * 23 + "end.") for line in found[2:-1])
    assert found[-1] == "BLOCKS  nodes          none is up."
    assert max(map(len, found)) <= WIDTH


def test_a_command_is_not_broken_at_its_hyphens_or_inside():
    command = "cluster.extra=['--propagate=NONE']"
    found = list(lines([mind("shell", "word " * 18 + command)]))
    assert any(command in line for line in found)

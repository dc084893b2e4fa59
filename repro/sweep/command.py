"""The command of a sweep: speaks in sentences, fails with an exit code, and loads torch only once all is in order."""

import signal
import sys
from collections.abc import Sequence

from repro.errors import ReproError
from repro.papers import load_papers
from repro.sweep.help import help_text
from repro.sweep.request import chosen_tables, read_request

USER_MISTAKE = 2
HELP = ("help", "--help", "-h")


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m repro.sweep`; returns the exit code, 0 only on success."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if any(word in HELP for word in words):
        print(help_text())
        return 0
    try:
        request = read_request(words)
        if request.action == "cancel" and not request.patterns:
            from repro.sweep.clusters.register import cancelled

            return cancelled(request, None)
        library = load_papers(request.sweeps_folders)
        library.scale(request.scale)
        tables = chosen_tables(request, library)
        from repro.sweep.sweep import Sweep

        return Sweep(request, library, tables).carry_out()
    except ReproError as error:
        text = str(error)
        print(f"error: {text if text.endswith(('.', '?')) else text + '.'}", file=sys.stderr)
        return USER_MISTAKE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT

"""Many starts of a run's command in little time: one process loads everything once and forks for each of them."""

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NoReturn

from tests.places import REPOSITORY


class Started:
    """A process that carries out `repro run ...`: a session of its own, with its own streams, folder and fate.

    Attributes:
        returncode: its exit code, or minus the signal that ended it; None while it runs or is not waited for.
    """

    def __init__(self, starts: "Starts", pid: int, output: Path, errors: Path) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._starts, self._output, self._errors = starts, output, errors

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._starts.ask(poll=self.pid)
        return self.returncode

    def wait(self, seconds: float = 300.0) -> int:
        deadline = time.monotonic() + seconds
        while self.poll() is None:
            assert time.monotonic() < deadline, f"it did not end in {seconds:.0f} s:\n{self.stdout}{self.stderr}"
            time.sleep(0.005)
        assert self.returncode is not None
        return self.returncode

    def kill(self) -> None:
        """Ends it as a cluster does, at once."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()

    @property
    def stdout(self) -> str:
        return self._output.read_text()

    @property
    def stderr(self) -> str:
        return self._errors.read_text()


class Starts:
    """Starts runs; use it with `with`, and leave none of them running."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0
        self._process: subprocess.Popen[str] | None = None

    def start(self, words: Sequence[str], cwd: Path | None = None, without: Sequence[str] = ()) -> Started:
        """Starts `repro run <words>` as a process in the folder `cwd`, in which some modules cannot be imported."""
        self._number += 1
        output, errors = (self._folder / f"{self._number}.{stream}" for stream in ("out", "err"))
        cwd = cwd or self._folder
        wanted = {"words": list(words), "cwd": str(cwd), "output": str(output), "errors": str(errors)}
        return Started(self, self.ask(start=wanted, without=list(without)), output, errors)

    def run(self, words: Sequence[str], cwd: Path | None = None, without: Sequence[str] = ()) -> Started:
        """The same, and waits for its end."""
        started = self.start(words, cwd, without)
        started.wait()
        return started

    def ask(self, **request: Any) -> Any:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.starts"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                start_new_session=True, cwd=REPOSITORY,
                env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1", "PYTHONPATH": str(REPOSITORY)},
            )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def __enter__(self) -> "Starts":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.communicate("")
            assert self._process.returncode == 0


def serve() -> None:
    """Answers requests on standard input until it ends."""
    import repro.run.lifecycle
    import repro.run.session  # noqa: F401
    from repro.config.compose import compose
    from repro.run.command import print_nearest_row
    from tests.tiny import TINIEST

    with redirect_stdout(None):
        print_nearest_row(compose(TINIEST))
    assert "mlflow" not in sys.modules
    running = set[int]()
    for line in sys.stdin:
        request = json.loads(line)
        if "start" in request:
            answer: int | None = os.fork()
            if not answer:
                _become(request["start"], request["without"])
            running.add(answer)
        else:
            ended, status = os.waitpid(request["poll"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if ended else None
            running.discard(ended)
        print(json.dumps(answer), flush=True)
    for left in running:
        os.killpg(left, signal.SIGKILL)
    os._exit(0)  # nothing here needs the seconds that tearing down all modules takes


def _become(wanted: Mapping[str, Any], without: Sequence[str]) -> NoReturn:
    """Becomes the process wanted, and never returns."""
    code: Any = 1
    try:
        os.setsid()
        os.chdir(wanted["cwd"])
        for descriptor, path in enumerate((os.devnull, wanted["output"], wanted["errors"])):
            os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666), descriptor)
        sys.argv, sys.path[0] = ["repro", *wanted["words"]], wanted["cwd"]
        sys.modules.update(dict.fromkeys(without))  # type: ignore[arg-type]
        from repro.console import process
        from repro.run.command import main

        process(main, result_is_printed=False)
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    serve()

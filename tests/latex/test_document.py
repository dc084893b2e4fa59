"""The document of a whole report goes through pdflatex: `make test-real` demands it, `make test` may do without."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from repro.report.render.latex import document
from tests.report.made_results import measured, measured_small, real_tables, small_table

PACKAGES = "on Debian it comes with texlive-latex-extra and texlive-fonts-recommended"


def lacking(what: str) -> None:
    """Fails where the real part was asked for, else leaves the test out."""
    sentence = f"{what}; {PACKAGES}"
    if os.environ.get("REPRO_REAL") == "1":
        pytest.fail(sentence)
    pytest.skip(sentence)


@pytest.mark.real
def test_the_document_compiles_and_no_line_is_too_long(tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        lacking("pdflatex is not installed")
    results = [measured(table) for table in real_tables().values()]
    results.append(measured_small(small_table(tmp_path / "sweeps")))
    (tmp_path / "all.tex").write_text(document(results), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=600)
    missing = re.search(r"File `([^']+)' not found", done.stdout)
    if missing:
        lacking(f"this LaTeX has no {missing[1]}")
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout
    assert (tmp_path / "all.pdf").stat().st_size > 10_000

"""The built wheel, installed outside the checkout, composes, lists and runs."""

import os
import subprocess
import sys
import venv
import zipfile

import pytest

from tests.places import REPOSITORY
from tests.tiny import TINY


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(REPOSITORY)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.real
def test_the_wheel_carries_configuration_and_papers(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("conf", "sweeps"):
        files = list((REPOSITORY / folder).rglob("*.yaml"))
        assert files
        for file in files:
            assert f"repro/_{folder}/{file.relative_to(REPOSITORY / folder).as_posix()}" in names
    assert not any(name.startswith(("tests/", "conf/", "sweeps/")) for name in names)


@pytest.mark.real
def test_the_installed_package_runs_from_any_folder(wheel, tmp_path):
    site = tmp_path / "site"
    environment = tmp_path / "environment"
    venv.create(environment, system_site_packages=False, with_pip=False)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(site), str(wheel)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    # The dependencies come from the present environment; the package itself must come from the wheel.
    dependencies = next(path for path in sys.path if path.endswith("site-packages"))
    python = str(environment / "bin" / "python")
    paths = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{dependencies}"}
    where = subprocess.run(
        [python, "-c", "from repro.config.groups import config_folder; print(config_folder())"],
        cwd=tmp_path, env=paths, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert where.stdout.strip() == str(site / "repro" / "_conf")
    done = subprocess.run(
        [python, "-m", "repro", *TINY, "schedule.length=2 steps"],
        cwd=tmp_path,
        env=paths,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "outputs" / "runs").is_dir()

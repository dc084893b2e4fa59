"""The benchmark for a GPU runs small without one, from its first part to its last, and needs no more than it says."""

import json
import subprocess
import sys

import pytest

from tests.bench import gpu
from tests.bench.gpu_parts import PARTS
from tests.places import REPOSITORY

WITHOUT = ("mlflow", "submitit", "pandas", "scipy", "tqdm")


def test_without_a_gpu_it_says_so_and_ends_with_2(capsys, monkeypatch):
    monkeypatch.setattr(gpu.torch.cuda, "is_available", lambda: False)
    assert gpu.main([]) == 2
    assert "this machine shows no GPU" in capsys.readouterr().err
    assert gpu.main(["devise=cpu"]) == 2
    assert "'devise=cpu' is none of device=" in capsys.readouterr().err


@pytest.mark.real
def test_all_of_it_runs_small_and_names_what_there_was_no_time_for(tmp_path):
    script = (
        f"import sys; sys.modules.update(dict.fromkeys({WITHOUT})); from tests.bench.gpu import main; sys.exit(main())"
    )
    words = ["device=cpu", "size=tiny", "seconds=400", f"out={tmp_path / 'gpu.json'}"]
    done = subprocess.run(
        [sys.executable, "-c", script, *words], cwd=REPOSITORY, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert json.loads(done.stdout) == found
    for part in PARTS:
        wanted = [f"{part.name}: {name}" for name in found[part.name]]
        assert {name for name in wanted if name in found["left_out"]} == {
            f"{part.name}: {name}" for name, facts in found[part.name].items() if not facts
        }
        assert any("failed" not in facts and facts for facts in found[part.name].values()), found[part.name]

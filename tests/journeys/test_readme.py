"""What the READMEs show can be typed as it stands."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


def snippets(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)


def run(script: str, folder: Path) -> str:
    ran = subprocess.run(
        (sys.executable, "-c", script), cwd=folder, capture_output=True, text=True, check=False, timeout=250
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_intent_is_fulfilled_and_its_model_loaded_as_shown(
    page: str, own_data_dir: Path, tmp_path: Path
) -> None:
    load, fulfill = snippets(page)[:2]
    rows = [f"{i % 2},{i % 2 + i / 400},{i % 7}" for i in range(200)]
    (tmp_path / "patients.csv").write_text("\n".join(("diagnosis,marker,age", *rows)))
    assert run(fulfill, tmp_path).startswith("succeeded None")
    [model] = own_data_dir.glob("runs/*/anomaly_detector.easynet")
    shutil.copy(model, tmp_path)
    assert len(run(load, tmp_path).splitlines()) == 2

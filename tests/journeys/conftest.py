"""What journeys share."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.journeys.command import COMMAND, Cli


@pytest.fixture
def cli(own_data_dir: Path, tmp_path: Path) -> Cli:
    """Run `easynet` with these arguments; nobody is at the terminal."""

    def run(*arguments: str, timeout: float = 200, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            (*COMMAND, *arguments),
            cwd=tmp_path,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run

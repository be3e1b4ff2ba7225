import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fabric.isolation_bench import gone, lives, numbers, there

pytestmark = pytest.mark.slow

NODE = """
import asyncio, sys
from pathlib import Path
from easynet.core.call import CallContext
from easynet.fabric.wire.decoding import decode
from easynet.fabric.wire.encoding import encode
from easynet.fabric.values.artifacts import ArtifactStore
from easynet.fabric.functions.isolation import ProcessPool
from easynet.fabric.functions.isolated_target import target_of
from tests.fabric import isolated_functions as functions

async def main(function, folder, marker):
    pool = ProcessPool(2, ArtifactStore(folder / "artifacts"), folder / "scratch")
    context = CallContext(lambda *_: None, lambda: folder, lambda: False)
    print(decode(await pool.run(target_of(functions.process_id), encode([[], {}]), context)))
    print("ready", flush=True)
    await pool.run(target_of(getattr(functions, function)), encode([[marker], {}]), context)

asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
"""


@pytest.fixture
def start_node(tmp_path: Path) -> Iterator[Callable[[str], tuple[int, "subprocess.Popen[str]"]]]:
    nodes: list[subprocess.Popen[str]] = []

    def start(function: str) -> tuple[int, "subprocess.Popen[str]"]:
        node = subprocess.Popen(
            [sys.executable, "-c", NODE, function, str(tmp_path), str(tmp_path / "marker")],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
        )
        nodes.append(node)
        assert node.stdout is not None
        pid = int(node.stdout.readline())
        assert node.stdout.readline() == "ready\n"
        return pid, node

    yield start
    for node in nodes:
        node.kill()
        node.wait()
        if node.stdout is not None:
            node.stdout.close()


@pytest.mark.parametrize("function", ["with_child", "loop_for_ever", "hold_the_interpreter"])
async def test_a_node_that_is_killed_leaves_no_process(
    start_node: Callable[[str], tuple[int, "subprocess.Popen[str]"]],
    tmp_path: Path,
    function: str,
) -> None:
    pid, node = start_node(function)
    marker = tmp_path / "marker"
    await there(marker)
    pids = [pid] if function != "with_child" else await numbers(marker)
    assert pid in pids
    assert all(lives(pid) for pid in pids)
    os.kill(node.pid, signal.SIGKILL)
    await gone(*pids)

"""Three nodes, of which two are killed during a run: `python -m evals.processes.demonstration`.

Nothing is staged: a gateway, three nodes and the command are processes of their own, started as the quick
start says, and the nodes end by SIGKILL while they work. What is printed last is `easynet runs show`.
"""

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from easynet.core.events import AttemptStarted, RunFinished, SubtaskFinished
from easynet.core.ids import NodeId, RunId
from evals.processes.home import Home, events_of

SENTENCE = "write chapters about the primes"
NODES = ("anna", "bert", "carl")


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="easynet-", ignore_cleanup_errors=True) as folder,
        Home(Path(folder)) as home,
    ):
        print("A gateway and three nodes start.")
        gateway = home.start_gateway()
        nodes = {NodeId(name): home.start_node(name, gateway) for name in NODES}
        print(f'$ easynet "{SENTENCE}" --input limit=20000')
        command = home.start(SENTENCE, "--input", "limit=20000", "--gateway", gateway, "--json")
        run = watch(command, nodes)
        print(f"$ easynet runs show {run}\n")
        print(home.say("runs", "show", run))


def watch(command: "subprocess.Popen[str]", nodes: Mapping[NodeId, "subprocess.Popen[str]"]) -> RunId:
    """Follow a run, and kill two of its nodes, each while it works; the run's id."""
    killed: set[NodeId] = set()
    was_some_finished = False
    run: RunId | None = None
    for event in events_of(command):
        run = event.run_id
        match event:
            case SubtaskFinished():
                was_some_finished = True
            # The first falls when something is finished, the second when something more is.
            case AttemptStarted(node=node) if was_some_finished and len(killed) < 2 and node not in killed:
                nodes[node].kill()
                killed.add(node)
                was_some_finished = False
                print(f"{node} is killed while it works on {event.subtask}.")
            case RunFinished():
                print(f"The run: {event.status}.")
            case _:
                pass
    assert run is not None, "a run has at least one event"
    return run


if __name__ == "__main__":
    main()

"""Task graphs for tests."""

from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

from easynet.core.ids import CapabilityName, NodeId, SubtaskId
from easynet.core.offer import Offer
from easynet.core.task_graph import FromSubtask, Gathered, Given, Subtask, TaskGraph


def graph_of(needs: Mapping[str, Sequence[str]], capabilities: Mapping[str, str] | None = None) -> TaskGraph:
    """A graph in which each subtask reads the outputs of others, as its argument `values`.

    A subtask's capability is `work` unless said otherwise. It is told its own name, as the argument `name`.
    """
    return TaskGraph(
        subtasks=tuple(
            Subtask(
                id=SubtaskId(name),
                capability=CapabilityName((capabilities or {}).get(name, "work")),
                arguments={
                    "name": Given(value=name),
                    "values": Gathered(items=tuple(FromSubtask(subtask=SubtaskId(n)) for n in needed)),
                },
            )
            for name, needed in needs.items()
        )
    )


def offer(
    node: str,
    capability: str = "work",
    *,
    price: int = 1,
    expected_s: float = 1.0,
    concurrency: int = 1,
) -> Offer:
    """An offer of a public node."""
    return Offer(
        node=NodeId(node),
        capability=CapabilityName(capability),
        price=price,
        expected_s=expected_s,
        concurrency=concurrency,
    )


@st.composite
def task_graphs(draw: st.DrawFn, max_size: int = 12, capabilities: Sequence[str] = ("work",)) -> TaskGraph:
    """Any acyclic graph, its subtasks in any order."""
    names = [f"s{n}" for n in range(draw(st.integers(1, max_size)))]
    needs = {
        name: draw(st.lists(st.sampled_from(names[:n]), unique=True, max_size=3)) if n else []
        for n, name in enumerate(names)
    }
    order = draw(st.permutations(names))
    chosen = {name: draw(st.sampled_from(capabilities)) for name in names}
    return graph_of({name: needs[name] for name in order}, chosen)

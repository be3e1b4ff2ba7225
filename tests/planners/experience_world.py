"""A small network with past runs, for tests of planning by experience."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from easynet.core.capability import Capability, Parameter, TypeRef
from easynet.core.ids import CapabilityName, RunId, SubtaskId
from easynet.core.intent import ParsedIntent, Requirements
from easynet.core.language import language_of
from easynet.core.task_graph import FromInput, FromSubtask, Given, Subtask, TaskGraph
from easynet.planners.past_run import PastRun, schema_of
from easynet.planners.planner import PlanRequest

_OUTCOME = TypeRef(name="Outcome")


def tool(name: str, description: str, *, price: int = 1, takes: Sequence[Parameter] = ()) -> Capability:
    """A function that may take what another has found."""
    context = Parameter(name="context", type=_OUTCOME, required=False)
    return Capability(
        name=CapabilityName(name),
        description={"en": description},
        parameters=(context, *takes),
        output=_OUTCOME,
        price=price,
    )


CITY = Parameter(name="city", type=TypeRef(name="str"))
TOOLS = (
    tool("search_train", "Search trains between two cities"),
    tool("book_train", "Book a train ticket"),
    tool("cancel_train", "Cancel a train ticket"),
    tool("search_hotel", "Search hotels in a city"),
    tool("book_hotel", "Reserve a hotel room"),
    tool("send_mail", "Send an email to somebody"),
    tool("read_weather", "Weather report of a city", takes=(CITY,)),
    tool("pay_bill", "Pay an electricity or water bill", price=50),
)
PLANS: Mapping[str, tuple[str, ...]] = {
    "find a train from {a} to {b} and book a seat for me": ("search_train", "book_train"),
    "please get me a ticket for the train to {b}": ("search_train", "book_train"),
    "cancel my train ticket to {a}": ("cancel_train",),
    "look for a hotel in {b} and reserve a room": ("search_hotel", "book_hotel"),
    "reserve a hotel room in {a} and mail it to my boss": ("search_hotel", "book_hotel", "send_mail"),
    "pay my electricity bill for {a}": ("pay_bill",),
}
CITIES = ("Paris", "Rome", "Oslo", "Bern", "Wien", "Riga", "Lima", "Kiel")


def chain(*names: str) -> TaskGraph:
    """Steps of which each takes what the one before has found."""
    subtasks = tuple(
        Subtask(
            id=SubtaskId(name),
            capability=CapabilityName(name),
            arguments={
                **({"context": FromSubtask(subtask=SubtaskId(names[i - 1]))} if i else {}),
                **({"city": FromInput(name="city")} if name == "read_weather" else {}),
            },
        )
        for i, name in enumerate(names)
    )
    return TaskGraph(subtasks=subtasks, outputs=(SubtaskId(names[-1]),))


def past(
    number: int, text: str, *names: str, failed: str = "", tools: Sequence[Capability] = TOOLS
) -> PastRun:
    """A run that went well, or in which one function failed."""
    return PastRun(
        id=RunId(f"run-{number:04d}"),
        at=float(number),
        text=text,
        language=language_of(text),
        graph=chain(*names),
        planner="catalogue",
        outcome="failed" if failed else "succeeded",
        failed=CapabilityName(failed) if failed else None,
        schemas={c.name: schema_of(c) for c in tools if c.name in names},
    )


def with_literals(run: PastRun, **steps: Mapping[str, JsonValue]) -> PastRun:
    """The run with these values written into the steps of its plan."""
    subtasks = tuple(
        s.model_copy(
            update={
                "arguments": {
                    **s.arguments,
                    **{n: Given(value=v) for n, v in steps.get(s.capability, {}).items()},
                }
            }
        )
        for s in run.graph.subtasks
    )
    return run.model_copy(update={"graph": run.graph.model_copy(update={"subtasks": subtasks})})


def history(count: int = 48) -> list[PastRun]:
    """Runs of every kind in turn, which all went well."""
    kinds = [*PLANS.items()]
    runs: list[PastRun] = []
    for i in range(count):
        text, names = kinds[i % len(kinds)]
        a, b = CITIES[i % len(CITIES)], CITIES[(i * 3 + 1) % len(CITIES)]
        runs.append(past(i, text.format(a=a, b=b), *names))
    return runs


def asked(
    text: str,
    *,
    tools: Sequence[Capability] = TOOLS,
    avoid: Sequence[str] = (),
    budget: int | None = None,
    links: Sequence[tuple[str, str]] = (),
    **inputs: str,
) -> PlanRequest:
    """A request for a plan."""
    parsed = ParsedIntent(
        text=text, language=language_of(text), inputs=inputs, requirements=Requirements(budget=budget)
    )
    return PlanRequest(
        parsed=parsed,
        catalogue=tuple(tools),
        avoid=tuple(map(CapabilityName, avoid)),
        links=frozenset((CapabilityName(a), CapabilityName(b)) for a, b in links),
    )

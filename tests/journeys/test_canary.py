"""A byte canary in private inputs: no run lets it pass over the line of a node that may not see it.

Both lines are real TCP connections to a real gateway, without TLS, with a recorder in between.
"""

import asyncio
import csv
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from easynet import ComputeNode, IntelligentNetwork, Intent
from easynet.core.contribution import contribute
from easynet.core.errors import PrivacyBreach
from easynet.core.events import (
    AttemptFailed,
    AttemptStarted,
    PlanMade,
    Replanned,
    RunEvent,
    RunFinished,
)
from easynet.core.ids import CapabilityName, NodeId, SubtaskId
from easynet.core.intent import Privacy
from easynet.core.offer import Trust
from easynet.core.task_graph import Binding, FromInput, FromSubtask, Subtask, TaskGraph
from easynet.fabric.access.invitations import Invitation
from easynet.fabric.calling.catalogue import Catalogue
from easynet.fabric.client import AsyncClient
from easynet.fabric.gateway.enrolment import join
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.gateway.owner import Owner
from easynet.fabric.wire.address import Address
from easynet.planners.planner import PlanRequest, PlanResult
from tests.fabric.proxy import Proxy

pytestmark = pytest.mark.slow

CANARY = "kanarienvogel-51c8e2"
TOTAL = "aggregate-of-the-table-77"
PUBLIC = "public-weather-90"
WISH = "draw a chart of the patients"


class Table:
    """Rows of patients."""


class Clean:
    """Rows of patients without gaps."""


class Total:
    """How many patients there are."""


class Chart:
    """A drawing."""


@dataclass
class Site:
    """A node behind a recorder, and what its functions were given."""

    name: str
    proxy: Proxy
    given: list[str] = field(default_factory=list[str])
    """The functions that ran, in order."""
    faults: dict[str, list[Exception]] = field(default_factory=dict[str, list[Exception]])
    """What each function raises at its next calls."""
    slow_s: float = 0.0
    """How long `clean_patients` takes."""

    @property
    def heard(self) -> bytes:
        assert self.proxy.heard is not None
        return bytes(self.proxy.heard)

    def ran(self, function: str) -> None:
        self.given.append(function)
        if errors := self.faults.get(function):
            raise errors.pop(0)

    def functions(self) -> Sequence[Callable[..., Any]]:
        @contribute(en="Read the table of patients.", price=1)
        def read_patients(data: Path, note: str = "", record: dict[str, Any] | None = None) -> Table:
            self.ran("read_patients")
            rows = [*csv.reader(data.read_text().splitlines())]
            return {"rows": rows, "note": note, "record": record, "file": str(data)}  # type: ignore[return-value]

        @contribute(en="Clean the patients.", price=1)
        async def clean_patients(table: Table) -> Clean:
            self.ran("clean_patients")
            await asyncio.sleep(self.slow_s)
            return {"clean": table}  # type: ignore[return-value]

        @contribute(en="Count the patients.", price=1, aggregates=True)
        def count_patients(clean: Clean) -> Total:
            self.ran("count_patients")
            return {"count": 2, "made": TOTAL}  # type: ignore[return-value]

        @contribute(en="Draw a chart of the patients.", price=1)
        def draw_chart(total: Total) -> Chart:
            self.ran("draw_chart")
            return {"chart": total}  # type: ignore[return-value]

        @contribute(en="Say how the weather is.", price=1)
        def weather(place: str) -> str:
            self.ran("weather")
            return f"fine in {place}"

        return read_patients, clean_patients, count_patients, draw_chart, weather


@dataclass
class Place:
    """A gateway with the user's own node and a stranger's, each behind a recorder."""

    url: str
    folder: Path
    own: Site
    stranger: Site
    log: pytest.LogCaptureFixture

    def network(self, **options: Any) -> IntelligentNetwork:
        return IntelligentNetwork(self.url, data_dir=self.folder / "user", model="", **options)

    def inputs(self, filler: int = 0) -> dict[str, Any]:
        """The canary as a text, a cell, a file's name and deep in a record."""
        data = self.folder / f"{CANARY}.csv"
        data.write_text(f"name,age\n{CANARY},41\nada,36\n")
        record = {"deep": [{CANARY: {"x": [1, f"-{CANARY}-"]}}]}
        return {"data": str(data), "note": f"note {CANARY} " + "." * filler, "record": record}

    async def run(
        self, intent: Intent, *, auto_approve: bool = True, **options: Any
    ) -> tuple[list[RunEvent], RunFinished]:
        async with self.network(**options) as network:
            events = [e async for e in network.stream(intent, auto_approve=auto_approve)]
        ended = events[-1]
        assert isinstance(ended, RunFinished)
        return events, ended

    def check(self) -> None:
        """The canary passed to the own node, and to nobody else that it should not have."""
        needle = CANARY.encode()
        assert needle in self.own.heard, "the recorder hears nothing"
        assert needle not in self.stranger.heard
        assert CANARY not in self.log.text
        for page in (self.folder / "user" / "runs").rglob("report.html"):
            assert CANARY not in page.read_text("utf-8")


@pytest.fixture
async def place(own_data_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Place]:
    caplog.set_level(logging.DEBUG, logger="easynet")
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(Gateway(own_data_dir, lasting=True, tls=False))
        owner = await stack.enter_async_context(Owner(gateway.url, data_dir=own_data_dir))
        sites: list[Site] = []
        for name, is_trusted in (("mine", True), ("astranger", False)):
            proxy = await stack.enter_async_context(Proxy(Address.parse(gateway.url).port, listens=True))
            token = Invitation.parse(await owner.invite("node", name, trusted=is_trusted))
            near = f"127.0.0.1:{proxy.port}"
            way = Invitation((near,), token.gateway_id, token.secret, token.fingerprint)
            await join(way.token(), tmp_path / name)
            site = Site(name, proxy)
            node = ComputeNode(near, name, data_dir=tmp_path / name)
            for function in site.functions():
                # The user's own node leaves charts to others.
                if is_trusted is False or function.__name__ != "draw_chart":
                    node.register(function)
            await node.start()
            stack.push_async_callback(node.stop)
            sites.append(site)
        client = await join(await owner.invite("client", "ana"), tmp_path / "user")
        yield Place(client.gateways[0], tmp_path, sites[0], sites[1], caplog)


def private(place: Place, filler: int = 0, **constraints: Any) -> Intent:
    constraints = constraints or {"privacy": "high"}
    return Intent(description=WISH, input_data=place.inputs(filler), constraints=constraints)


def nodes_of(events: Sequence[RunEvent]) -> dict[str, set[str]]:
    """The nodes that each subtask was sent to."""
    found: dict[str, set[str]] = {}
    for event in events:
        if isinstance(event, AttemptStarted):
            found.setdefault(event.subtask, set()).add(event.node)
    return found


class Fixed:
    """A planner with one plan."""

    def __init__(self, *subtasks: Subtask) -> None:
        self._graph = TaskGraph(subtasks=subtasks, outputs=tuple(s.id for s in subtasks))

    async def plan(self, request: PlanRequest) -> PlanResult:
        return PlanResult(status="planned", planner="fixed", graph=self._graph)


def subtask(name: str, capability: str, **arguments: Binding) -> Subtask:
    return Subtask(id=SubtaskId(name), capability=CapabilityName(capability), arguments=arguments)


# ── runs ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("filler", [0, 300_000], ids=["small", "by way of the gateway"])
async def test_private_data_stays_and_what_aggregates_it_goes_on(place: Place, filler: int) -> None:
    events, ended = await place.run(private(place, filler))
    assert ended.status == "succeeded", ended.problem
    assert any(isinstance(e, PlanMade) for e in events)
    sent = nodes_of(events)
    assert sent.pop("draw_chart") == {"astranger"}
    assert all(nodes == {"mine"} for nodes in sent.values())
    assert TOTAL.encode() in place.stranger.heard, "the aggregate may go to anybody"
    place.check()


async def test_private_and_public_inputs_of_one_intent_go_their_own_ways(place: Place) -> None:
    planner = Fixed(
        subtask("read", "read_patients", data=FromInput(name="data"), note=FromInput(name="note")),
        *(subtask(f"weather{n}", "weather", place=FromInput(name="place")) for n in range(12)),
    )
    inputs = {**place.inputs(), "place": PUBLIC}
    intent = Intent(description=WISH, input_data=inputs, constraints={"private": "data, note, record"})
    events, ended = await place.run(intent, planner=planner)
    assert ended.status == "succeeded", ended.problem
    assert nodes_of(events)["read"] == {"mine"}
    assert "astranger" in set.union(*nodes_of(events).values())
    assert PUBLIC.encode() in place.stranger.heard
    place.check()


async def test_one_function_is_given_private_and_public_data(place: Place) -> None:
    planner = Fixed(
        *(subtask(f"private{n}", "weather", place=FromInput(name="note")) for n in range(6)),
        *(subtask(f"public{n}", "weather", place=FromInput(name="place")) for n in range(12)),
    )
    inputs = {**place.inputs(), "place": PUBLIC}
    intent = Intent(description=WISH, input_data=inputs, constraints={"private": "data note record"})
    events, ended = await place.run(intent, planner=planner)
    assert ended.status == "succeeded", ended.problem
    sent = nodes_of(events)
    assert set.union(*(sent[f"private{n}"] for n in range(6))) == {"mine"}
    assert "astranger" in set.union(*(sent[f"public{n}"] for n in range(12)))
    place.check()


async def test_attempt_that_fails_is_not_tried_with_a_stranger(place: Place) -> None:
    place.own.faults["clean_patients"] = [RuntimeError(f"row {CANARY} is bad")]
    events, ended = await place.run(private(place))
    assert any(isinstance(e, AttemptFailed) for e in events)
    assert ended.status == "succeeded", ended.problem
    place.check()


async def test_step_that_cannot_be_done_is_planned_anew_without_strangers(place: Place) -> None:
    place.own.faults["clean_patients"] = [RuntimeError(f"row {CANARY} is bad")] * 20
    _, ended = await place.run(private(place))
    assert ended.status == "failed"
    place.check()


async def test_what_was_left_waiting_goes_on_as_private(place: Place) -> None:
    intent, inputs = private(place), place.inputs()
    without = intent.model_copy(update={"input_data": {"note": inputs["note"]}})
    _, waiting = await place.run(without)
    assert waiting.status == "needs_input"
    assert place.stranger.given == []
    async with place.network() as network:
        answers = {"data": inputs["data"]}
        events = [e async for e in network.resume(waiting.run_id, answers, auto_approve=True)]
    ended = events[-1]
    assert isinstance(ended, RunFinished)
    assert ended.status == "succeeded", ended.problem
    place.check()


async def test_run_that_was_cut_off_goes_on_as_private(place: Place) -> None:
    place.own.slow_s = 600.0
    async with place.network() as network:
        async for event in network.stream(private(place), auto_approve=True):
            if isinstance(event, AttemptStarted) and event.subtask == "clean_patients":
                await network.cancel(event.run_id)
                run = event.run_id
    place.own.slow_s = 0.0
    async with place.network() as network:
        events = [e async for e in network.resume(run, auto_approve=True)]
    ended = events[-1]
    assert isinstance(ended, RunFinished)
    assert ended.status == "succeeded", ended.problem
    place.check()


async def test_stragglers_and_second_opinions_stay_at_home(place: Place) -> None:
    """Many private steps, most of them quick and some slow, with an idle stranger beside them."""
    chains = [
        step
        for n in range(24)
        for step in (
            subtask(f"read{n}", "read_patients", data=FromInput(name="data"), note=FromInput(name="note")),
            subtask(f"clean{n}", "clean_patients", table=FromSubtask(subtask=SubtaskId(f"read{n}"))),
        )
    ]
    place.own.slow_s = 0.05
    intent = private(place).model_copy(update={"quality_requirements": {"accuracy": ">10%"}})
    events, _ = await place.run(intent, planner=Fixed(*chains))
    assert set.union(*nodes_of(events).values()) == {"mine"}
    assert not any(isinstance(e, Replanned) for e in events)
    assert place.stranger.given == []
    place.check()


# ── each check by itself ────────────────────────────────────────────────────────────────────────


def call(client: AsyncClient, node: str, value: str) -> AsyncIterator[object]:
    return client.invoke(
        NodeId(node),
        CapabilityName("weather"),
        {"place": value},
        key="k",
        timeout_s=30.0,
        privacy=Privacy.HIGH,
    )


@pytest.mark.parametrize("filler", [0, 300_000])
async def test_client_sends_nothing_private_to_a_stranger(place: Place, filler: int) -> None:
    async with AsyncClient(place.url, data_dir=place.folder / "user") as client:
        with pytest.raises(PrivacyBreach, match="astranger") as caught:
            _ = [u async for u in call(client, "astranger", CANARY + "." * filler)]
        assert "trust" in caught.value.hint
        assert [u async for u in call(client, "mine", CANARY + "." * filler)]
    assert place.stranger.given == []
    place.check()


async def test_node_that_knows_itself_to_be_a_stranger_runs_nothing_private(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def believes_all(*_: object) -> Trust:
        return Trust.OWN

    monkeypatch.setattr(Catalogue, "trust_in", believes_all)
    async with AsyncClient(place.url, data_dir=place.folder / "user") as client:
        with pytest.raises(PrivacyBreach, match="astranger"):
            _ = [u async for u in call(client, "astranger", "x")]
    assert place.stranger.given == []


@pytest.mark.parametrize("with_key", [True, False])
async def test_user_may_trust_a_node_that_the_network_does_not(place: Place, with_key: bool) -> None:
    user = place.folder / "user"
    async with AsyncClient(place.url, data_dir=user) as client:
        key = next(n.key for n in await client.nodes() if n.name == "astranger")
    named = [f"astranger:{key}" if with_key else "astranger"]
    async with AsyncClient(place.url, data_dir=user, trusted_nodes=named) as client:
        assert {n.name: n.trust for n in await client.nodes()} == {
            "mine": Trust.OWN,
            "astranger": Trust.TRUSTED,
        }
        assert [u async for u in call(client, "astranger", "x")]
    assert place.stranger.given == ["weather"]


async def test_trust_in_a_key_is_not_for_another_device_of_that_name(place: Place) -> None:
    other = [f"astranger:{'0' * 64}"]
    async with AsyncClient(place.url, data_dir=place.folder / "user", trusted_nodes=other) as client:
        with pytest.raises(PrivacyBreach):
            _ = [u async for u in call(client, "astranger", "x")]

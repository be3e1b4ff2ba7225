"""What a gateway answers: to nodes, to clients, to strangers, and to its owner."""

from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from easynet.core.clock import Clock
from easynet.core.errors import BadData, EasyNetError, SettingsError
from easynet.core.ids import NodeId
from easynet.fabric.access.members import Kind
from easynet.fabric.gateway import long_work
from easynet.fabric.gateway.administration import Administration
from easynet.fabric.gateway.charges import Charges
from easynet.fabric.gateway.cluster import EVERY_WORD, is_for_all, subjects
from easynet.fabric.gateway.directory import Directory
from easynet.fabric.gateway.enrolment import Enrolment
from easynet.fabric.gateway.exclusion import Exclusion
from easynet.fabric.gateway.gateway_folder import GatewayFolder
from easynet.fabric.gateway.node_connections import NodeConnections
from easynet.fabric.gateway.shared_state import SharedState
from easynet.fabric.gateway.tickets import Tickets
from easynet.fabric.telemetry import tracing
from easynet.fabric.telemetry.traced_questions import traced
from easynet.fabric.transport.connection import Connection, Message
from easynet.fabric.transport.gateway_peers import GatewayPeers
from easynet.fabric.transport.questions import answer


class Desk:
    """Hands each question to whoever knows the answer, and counts those that are refused."""

    def __init__(
        self,
        control: Connection,
        system: Connection,
        folder: GatewayFolder,
        clock: Clock,
        ca: str,
        *,
        advertised: Callable[[], tuple[str, ...]],
        about: Callable[[], list[Any]],
    ) -> None:
        """`control` is for questions, `system` for the server's events; `ca` is "" without TLS.

        `advertised` gives the addresses of the network's gateways; `about` is what the owner is told of this.
        """
        members = folder.members
        self._control = control
        self._system = system
        self._folder = folder
        self._tracer = tracing.tracer()
        self._connections = NodeConnections()
        self.rejections: Counter[str] = Counter()
        """By the code of the error."""
        self.directory = Directory(control, members, clock)
        self._enrolment = Enrolment(folder.authority, members, clock, lambda: [*advertised()], ca)
        self._tickets = Tickets(
            folder.authority, members, folder.id, advertised, ca, lasts=folder.path is not None
        )
        self._administration = Administration(
            members, clock, self._tickets.invitation, self._shut_out, self.directory, about
        )
        self._exclusion = Exclusion(system, folder.authority, members, clock, self.rejections)
        self.shared = SharedState(members, self.directory, clock, self._exclusion.announce)
        self._charges = Charges(self.directory, members.spending, self.shared)

    async def open(self, *, is_alone: bool) -> None:
        """Answer from now on; a gateway that is not alone shares the questions with the others."""
        control, system = self._control, self._system
        for subject, queue in subjects(self._folder.id, is_alone=is_alone):
            await control.subscribe(subject, self._answer, queue=queue)
        if not is_alone:
            await control.subscribe(EVERY_WORD, self._hear)
        if self._folder.path is None:
            await control.subscribe(long_work.SUBJECT, self._answer)
        await control.flush()
        events = f"$SYS.ACCOUNT.{self._folder.authority.account_key('NODES')}"
        await system.subscribe(f"{events}.CONNECT", self._came)
        await system.subscribe(f"{events}.DISCONNECT", self._went)
        await system.flush()

    def duties(self, peers: GatewayPeers | None) -> Sequence[Coroutine[Any, Any, None]]:
        """What is to be done all the time: to forget what is over, and to watch what members do."""
        duties = [self.directory.expire_on()]
        if self._folder.path is not None:
            duties += [self._exclusion.watch(peers), self._enrolment.forget_on()]
        return duties

    def refused(self, code: str) -> None:
        """Count an answer that was an error."""
        self.rejections[code] += 1

    def key_of(self, kind: str, name: str) -> str:
        """The key of a member, "" for this user's own processes."""
        member = self._folder.members.named("node" if kind == "node" else "client", name)
        return member.key if member is not None else ""

    async def _came(self, message: Message) -> None:
        self._connections.came(message.data)

    async def _went(self, message: Message) -> None:
        """Forget a node at once when its connection ends, so that its callers need not wait for silence."""
        if (left := self._connections.went(message.data)) is not None:
            await self.directory.leave(*left)

    async def _hear(self, message: Message) -> None:
        if is_for_all(message.subject):
            await self._answer(message)

    async def _answer(self, message: Message) -> None:
        await answer(self._control, message, traced(self._tracer, message, self._answer_or_count))

    async def _answer_or_count(self, subject: str, content: Any) -> Any:
        try:
            return await self._answer_to(subject, content)
        except EasyNetError as error:
            self.refused(error.code)
            raise

    async def _answer_to(self, subject: str, content: Any) -> Any:
        match subject.split("."):
            case ["node", ("charge" | "refund") as what, name]:
                return self._charges.answer_to_node(what, NodeId(name), content)
            case ["node", what, name]:
                return await self.shared.answer_to_node(what, name, content)
            case ["reg", "grant", client]:
                return self._tickets.grant(client).token()
            case ["reg", what, _]:
                return self.directory.answer_to_client(what, content)
            case ["enrol", gateway_id, what]:
                answer = self._enrolment.answer_to(gateway_id, what, content)
                if what != "authority":
                    await self.shared.joined(*answer[:2])
                return answer
            case ["job", *_]:
                raise SettingsError(
                    "long work needs a gateway that lasts", hint="Start one: easynet gateway start."
                )
            case ["adm", _, what]:
                answer = await self._administration.answer_to(what, content)
                if what == "drain":
                    self.shared.drained(content)
                return answer
            case _:
                raise BadData(f"nothing answers to {subject!r}")

    async def _shut_out(self, kind: Kind) -> None:
        """Members were shut out: let the servers know, and the other gateways."""
        await self._exclusion.announce(kind)
        await self.shared.shut_out()

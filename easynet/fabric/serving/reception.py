"""What a node does with the messages of clients: calls and what concerns them."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Final

from easynet.core.errors import EasyNetError, NodeRefused, PrivacyBreach
from easynet.fabric.registry import DEAD_AFTER_S
from easynet.fabric.serving.answers import Answers, subject_of
from easynet.fabric.serving.call_records import CallRecords
from easynet.fabric.serving.callers import Callers
from easynet.fabric.serving.current_calls import CurrentCalls
from easynet.fabric.serving.repeats import Repeats
from easynet.fabric.serving.running_call import RunningCall
from easynet.fabric.serving.services import Services
from easynet.fabric.serving.surroundings import Surroundings
from easynet.fabric.values.parcels import decode_parcel
from easynet.fabric.wire import versions
from easynet.fabric.wire.calls import Call, decode_calls, decode_resume
from easynet.fabric.wire.failures import refusal_of
from easynet.fabric.wire.greetings import Hello, decode_ping, encode_hello
from easynet.fabric.wire.large_values import decode_want
from easynet.fabric.wire.updates import Alive, Unknown, encode_update

_TO_ONE: Final = frozenset({"call", "resume", "alive"})
"""What only the one that has the name may answer; the rest concerns calls that run here."""


class Reception:
    """Takes calls in and lets each go where it belongs: to its function, or to work that is known."""

    def __init__(
        self,
        instance: str,
        key: str,
        services: Services,
        records: CallRecords,
        around: Surroundings,
        *,
        on_work: Callable[[], None],
    ) -> None:
        """`key` checks the node's receipts. `on_work` is called when a call comes to a node that has none."""
        self._instance = instance
        self._key = key
        self._services = services
        self._records = records
        self._around = around
        self._loop = asyncio.get_running_loop()
        self._began_at = self._loop.time()
        self._calls = CurrentCalls(on_work)
        self._callers = Callers()
        self._answers = Answers(around.connection)
        self._repeats = Repeats(around.node, instance, self._calls, records, self._callers, self._answers)
        self.is_draining = False
        """Whether new calls are refused."""
        self.is_public = False
        """Whether the gateway says that this node is anybody's, so that it takes no private arguments."""
        self.known_at = self._loop.time()
        """When the gateway last said that this node has its name."""

    async def idle(self) -> None:
        """Return once no call runs or waits."""
        await self._calls.idle()

    def refuse_all(self) -> None:
        """The node stops: end every call, and tell its caller."""
        # Those that wait first, for they would begin in the places of those that run.
        for call in sorted(self._calls, key=lambda call: call.started_at):
            call.refuse()

    # ── messages ────────────────────────────────────────────────────────────────────────────────

    def receive(self, subject: str, reply: str, data: bytes, nobody: bool) -> None:
        """Take a message to the node; what cannot be read is answered with the reason."""
        _, _, client, what, name = subject.split(".", 4)
        now = self._loop.time()
        try:
            if what in _TO_ONE and now - self.known_at > DEAD_AFTER_S:
                # This process stood still, and another may have its name by now. Whoever waits asks again.
                return
            if what == "call":
                self._receive_call(client, name, reply, data, now)
            elif what == "credit":
                if (call := self._calls.find(client, name)) and data.isdigit():
                    call.acknowledge(int(data))
            elif what == "cancel":
                if call := self._calls.find(client, name):
                    self._calls.give_up(call, name)
            elif what == "resume":
                self._resume(client, name, reply, data, now)
            elif what == "alive":
                self._greet(client, name, reply, data, now)
            elif what == "want":
                self._give(client, name, data, now)
            elif what == "done":
                self._records.results.done(client, name)
        except EasyNetError as error:
            self._answers.say(reply, encode_update(refusal_of(error)))

    def receive_part(self, subject: str, reply: str, data: memoryview, nobody: bool) -> None:
        """Take what a client gives of an argument's value."""
        _, _, client, _, id_ = subject.split(".")
        if (call := self._calls.find(client, id_)) and (values := call.work.values):
            with contextlib.suppress(EasyNetError):  # it is asked again
                values.take(decode_parcel(data))

    def _receive_call(self, client: str, name: str, reply: str, data: bytes, now: float) -> None:
        for call in decode_calls(data):
            try:
                self._take(client, name, reply, call, now)
            except EasyNetError as error:
                message = encode_update(refusal_of(error))
                self._answers.say(reply or subject_of(client, call.inbox, call.id), message)
            reply = ""  # it may be used once

    def _take(self, client: str, name: str, reply: str, call: Call, now: float) -> None:
        service = self._services.find(name)
        if self.is_public and call.private_to == "own":
            raise PrivacyBreach.at(self._around.node, name)  # its arguments are never decoded
        if call.id in self._calls.by_id:
            return  # it came twice, over a connection that broke
        if call.key:
            if self._repeats.attach(client, service, reply, call, now):
                return
        elif (finished := self._records.finished.by_id(client, call.id)) is not None:
            self._answers.replay(finished, reply, subject_of(client, call.inbox, call.id))
            self._records.state_again(finished, call.inbox, call.id)
            return
        if self.is_draining:
            raise NodeRefused(
                f"{self._around.node} is draining: it finishes what it has and takes nothing new"
            )
        caller = self._callers.heard(client, call.inbox, now)
        running = RunningCall(call, caller, service, reply, self._around, self._ended)
        self._calls.keep(running)
        try:
            service.admission.enter(running)
        except EasyNetError:
            self._calls.forget(running)
            running.stop_clock()
            raise

    def _ended(self, call: RunningCall) -> None:
        """Make room for the next call, and remember how this one ended."""
        self._calls.forget(call)
        if not call.started_at:
            call.service.admission.withdraw(call)
            return
        call.service.admission.leave(call.seconds)
        is_begun_anew = bool(call.call.key) and self._calls.has_key_of(call)
        self._records.add(call, self._loop.time(), is_begun_anew=is_begun_anew)

    def _resume(self, client: str, id_: str, reply: str, data: bytes, now: float) -> None:
        """Tell a client that was cut off how its call goes."""
        resume = decode_resume(data)
        self._callers.heard(client, resume.inbox, now)
        if call := self._calls.find(client, id_):
            call.audience.speak_directly()
            self._answers.say(reply, encode_update(Alive()))
            call.tell_again(resume.received)
            if call.work.values is not None:
                call.work.values.ask_again()
        elif finished := self._records.finished.by_id(client, id_):
            subject = subject_of(client, resume.inbox, id_)
            self._answers.replay(finished, reply, subject, resume.received)
            self._records.state_again(finished, resume.inbox, id_)
        else:
            self._answers.say(reply, encode_update(Unknown(self._age_s())))

    def _give(self, client: str, id_: str, data: bytes, now: float) -> None:
        """Give a client a part of a large value of its call's result."""
        want, inbox = decode_want(data)
        call = self._calls.find(client, id_)
        if call is None:
            held = self._records.results.find(client, id_, now)
        else:
            held = call.work.values.held if call.work.values is not None else None
        self._answers.give(held, want, f"re.{client}.{inbox}.part.{id_}")

    def _greet(self, client: str, inbox: str, reply: str, data: bytes, now: float) -> None:
        """Say who this is to a client that says so of itself, and which of its calls never arrived."""
        ping = decode_ping(data)
        caller = self._callers.heard(client, inbox, now)
        caller.token, caller.easynet = ping.token, ping.easynet
        unknown = [
            id_
            for id_ in ping.calls
            if id_ not in self._calls.by_id and self._records.finished.by_id(client, id_) is None
        ]
        self._answers.say(reply, self._hello(unknown))

    def _hello(self, unknown: Iterable[str] = ()) -> bytes:
        once = self._services.only_once()
        return encode_hello(
            Hello(self._instance, versions.OWN, self._key, once, tuple(unknown), self._age_s())
        )

    def _age_s(self) -> float:
        return self._loop.time() - self._began_at

    # ── time ────────────────────────────────────────────────────────────────────────────────────

    def pulse(self) -> None:
        """Show every waiting client that the node lives, and give up the calls of those that do not."""
        now = self._loop.time()
        for caller in self._callers.gone(now):
            self._repeats.leave(caller, now)
        hello = self._hello()
        for caller in self._callers.waiting():
            if caller.token:
                self._answers.say(f"re.{caller.client}.{caller.inbox}.{caller.token}", hello)
        for call in self._calls:
            if call.work.values is not None:
                call.work.values.check()
        self._records.forget(now)
        self._around.values.recent.forget(now)

    def cut_off(self) -> None:
        """The connection was lost: the ways back that the server knew are gone."""
        for call in self._calls:
            call.audience.speak_directly()

    def back(self) -> None:
        """The connection is there again: nobody could be heard meanwhile."""
        self._callers.all_heard(self._loop.time())
        for call in self._calls:
            if call.work.values is not None:
                call.work.values.ask_again()

"""Calls for work that a node has done, or does already."""

from typing import Final

from easynet.core.errors import NodeUnreachable, OutcomeUnknown
from easynet.fabric.serving.answers import Answers, subject_of
from easynet.fabric.serving.call_records import CallRecords
from easynet.fabric.serving.callers import Caller, Callers
from easynet.fabric.serving.current_calls import CurrentCalls
from easynet.fabric.serving.finished_calls import FinishedCall
from easynet.fabric.serving.running_call import RunningCall
from easynet.fabric.serving.services import Service
from easynet.fabric.wire.calls import Call
from easynet.fabric.wire.updates import Alive, encode_update

_SILENT_S: Final = 12.0
"""A client that waits speaks every five seconds."""


class Repeats:
    """Answers a second call under a key from the first one's work. Times are the caller's."""

    def __init__(
        self,
        node: str,
        instance: str,
        calls: CurrentCalls,
        records: CallRecords,
        callers: Callers,
        answers: Answers,
    ) -> None:
        self._node = node
        self._instance = instance
        self._calls = calls
        self._records = records
        self._callers = callers
        self._answers = answers

    def attach(self, client: str, service: Service, reply: str, call: Call, now: float) -> bool:
        """Answer a call from what is known of its work; False where that is to be begun now.

        Raises NodeUnreachable or OutcomeUnknown.
        """
        name, is_repeatable = service.name, service.function.capability.idempotent
        if call.instance not in ("", self._instance):
            raise NodeUnreachable(f"the node {self._node} was started again")
        if (finished := self._records.finished.find(client, name, call.key)) is not None:
            return self._attach_finished(finished, client, service, reply, call, now)
        if (first := self._calls.under(client, name, call.key)) is not None:
            return self._attach_running(first, service, reply, call, now)
        if call.instance and not is_repeatable:
            raise OutcomeUnknown(f"{self._node} knows nothing of an earlier call of {name}")
        return False

    def _attach_finished(
        self, finished: FinishedCall, client: str, service: Service, reply: str, call: Call, now: float
    ) -> bool:
        if not finished.items_before:
            self._records.results.share(client, finished.id, call.id, now)
            self._answers.replay(finished, reply, subject_of(client, call.inbox, call.id))
            self._records.state_again(finished, call.inbox, call.id)
            return True
        if service.function.capability.idempotent:
            return False
        raise OutcomeUnknown(f"{service.name} has run, and the first of its items are not kept any more")

    def _attach_running(
        self, first: RunningCall, service: Service, reply: str, call: Call, now: float
    ) -> bool:
        name, capability = service.name, service.function.capability
        if not first.work.is_given_up:
            if not capability.streaming:
                self._calls.hand_over(first, self._callers.heard(first.client, call.inbox, now), call.id)
                subject = subject_of(first.client, call.inbox, call.id)
                self._answers.say(reply or subject, encode_update(Alive()))
                for message in first.work.told:
                    self._answers.say(subject, message)
                return True
            if not call.instance and now - first.audience.caller.heard_at <= _SILENT_S:
                raise OutcomeUnknown(f"{name} is giving the items of this very call to another reader")
        if not capability.idempotent:
            raise OutcomeUnknown(f"{name} has begun, and must not run twice; nobody took all of its items")
        if not first.work.is_given_up:
            first.cancel()
        return False

    def leave(self, caller: Caller, now: float) -> None:
        """A client is there no more: its calls go on for others that wait for the same work, or end."""
        for call in self._calls.of([*caller.calls]):
            for inbox, id_ in call.audience.following:
                if (other := self._callers.here(call.client, inbox, now)) is not None:
                    self._calls.hand_over(call, other, id_)
                    break
            else:
                call.cancel()

"""What a node keeps of the calls that have ended, and what it states about them."""

from easynet.core.errors import OutcomeUnknown
from easynet.fabric.receipts.receipt_signer import OK, ReceiptSigner
from easynet.fabric.serving.finished_calls import FinishedCall, FinishedCalls
from easynet.fabric.serving.held_results import HeldResults
from easynet.fabric.serving.running_call import RunningCall
from easynet.fabric.telemetry.statistics import CallStatistics
from easynet.fabric.values.held_values import HeldValues
from easynet.fabric.wire.failures import refusal_of
from easynet.fabric.wire.updates import Failure, Result, encode_update


class CallRecords:
    """Answers for those that ask again, results for those that fetch them, numbers, and receipts.

    Times are the caller's.
    """

    def __init__(self, statistics: CallStatistics, receipts: ReceiptSigner) -> None:
        self._statistics = statistics
        self._receipts = receipts
        self.finished = FinishedCalls()
        self.results = HeldResults()

    def add(self, call: RunningCall, now: float, *, is_begun_anew: bool) -> None:
        """A call has ended; another one for the same work may be under way already."""
        if call.work.has_begun:
            failed = call.last is None or isinstance(call.last, Failure)
            self._statistics.record(call.service.function.capability.name, call.seconds, failed)
        if not is_begun_anew:
            self._remember(call, now)
        values = call.work.values
        if values is not None and values.held is not None:
            self._hold(call, values.held, now)
        self._sign(call)

    def _remember(self, call: RunningCall, now: float) -> None:
        message, request, work = call.last_message, call.call, call.work
        name = call.service.name
        if call.was_cut_short:
            if call.service.function.capability.idempotent or not work.has_begun:
                return
            unknown = OutcomeUnknown(f"an earlier call of {name} under this key was given up")
            message = encode_update(refusal_of(unknown))
        items: tuple[bytes, ...] = ()
        before = 0
        if call.window is None:
            items = tuple(work.told)
        else:
            items = call.window.held
            before = call.window.given - len(items)
        # What was refused before anything was done may be tried again under its key.
        key = request.key if work.has_begun else ""
        self.finished.add_record((request.id, call.client, name, key, now, message, items, before))
        if request.key:
            for _, id_ in call.audience.following:
                self.finished.add_record((id_, call.client, name, key, now, message, items, before))

    def _hold(self, call: RunningCall, values: HeldValues, now: float) -> None:
        """Keep what the client will ask for."""
        if not isinstance(call.last, Result):
            values.release()
            return
        for id_ in (call.call.id, *(id_ for _, id_ in call.audience.following)):
            self.results.add(call.client, id_, values, now)

    def _sign(self, call: RunningCall) -> None:
        last, request = call.last, call.call
        output: bytes | str = b""
        if isinstance(last, Result):
            output, outcome = last.value, OK
        elif isinstance(last, Failure):
            outcome = last.code
        elif last is None:
            outcome = "cancelled"
        else:
            output, outcome = call.digest.hexdigest() if call.digest is not None else b"", OK
        capability = call.service.function.capability
        self._receipts.add(
            call.client,
            request.inbox,
            capability,
            request.id,
            request.key,
            request.arguments,
            output,
            call.started_at,
            call.ended_at,
            capability.price if outcome == OK else 0,
            outcome,
        )
        for inbox, id_ in call.audience.following:
            self._receipts.state_again(request.id, call.client, inbox, id_)

    def state_again(self, finished: FinishedCall, inbox: str, id_: str) -> None:
        """Whoever is answered from an earlier call gets its receipt as well."""
        self._receipts.state_again(finished.id, finished.client, inbox, id_)

    def forget(self, now: float) -> None:
        """Let go of what is too old."""
        self.finished.forget(now)
        self.results.forget(now)

"""Sends a subtask to a node and waits for its result."""

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

from easynet.core.call import Progressed
from easynet.core.capability import Capability
from easynet.core.clock import Clock
from easynet.core.errors import PrivacyBreach
from easynet.core.ids import RunId
from easynet.core.intent import Privacy
from easynet.core.offer import Offer
from easynet.core.privacy import may_see
from easynet.core.task_graph import Subtask
from easynet.execution.following import Result, follow
from easynet.execution.invoker import Invoker

_PATIENCE = 100
"""A call may take this many times what its node claims. Nodes that die are noticed sooner, by the invoker."""
_PATIENCE_S = 3600.0
"""And never less than this, because most claims are defaults."""


class Caller:
    """Makes the calls of one run."""

    def __init__(self, invoker: Invoker, encode: Callable[[Any], bytes], clock: Clock, run_id: RunId) -> None:
        self._invoker = invoker
        self._encode = encode
        self._clock = clock
        self._run_id = run_id

    async def call(
        self,
        subtask: Subtask,
        capability: Capability,
        offer: Offer,
        arguments: Mapping[str, Any],
        *,
        round_: int,
        deadline_at: float | None,
        report: Callable[[Progressed], None],
        privacy: Privacy = Privacy.NORMAL,
    ) -> Result:
        """What the function gives, encoded too; raises what the invoker and the encoder raise.

        Raises PrivacyBreach where the arguments are private and the offer is of a node that may not see them:
        whoever chose it has made a mistake, which ends here.

        Calls of one subtask in one `round_` share an idempotency key: all but the last went unanswered.
        """
        if not may_see(offer.trust, privacy):
            raise PrivacyBreach.at(offer.node, offer.capability)
        updates = self._invoker.invoke(
            offer.node,
            offer.capability,
            arguments,
            key=self._key(subtask, round_),
            timeout_s=self._patience_s(offer, deadline_at),
            privacy=privacy,
        )
        value = await follow(updates, capability.streaming, report)
        return Result(value, self._encode(value))

    def _key(self, subtask: Subtask, round_: int) -> str:
        # A new plan may use an old subtask's name for something else, hence the digest.
        digest = blake2b(subtask.model_dump_json().encode(), digest_size=8).hexdigest()
        return f"{self._run_id}/{subtask.id}/{digest}/{round_}"

    def _patience_s(self, offer: Offer, deadline_at: float | None) -> float:
        patience_s = max(_PATIENCE_S, _PATIENCE * offer.expected_s)
        return (
            patience_s if deadline_at is None else max(0.0, min(patience_s, deadline_at - self._clock.now()))
        )

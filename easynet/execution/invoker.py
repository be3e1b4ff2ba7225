"""How the runner calls a function on a node."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

from easynet.core.call import CallUpdate
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.intent import Privacy


class Invoker(Protocol):
    """Calls functions on nodes."""

    def invoke(
        self,
        node: NodeId,
        capability: CapabilityName,
        arguments: Mapping[str, Any],
        *,
        key: str,
        timeout_s: float,
        privacy: Privacy = Privacy.NORMAL,
    ) -> AsyncIterator[CallUpdate]:
        """The updates of one call; the last is `Returned`.

        Calls with one `key` are one call, sent again. A consumer that is cancelled, or closes the iterator,
        gives the call up, and the node is told. Raises errors of `easynet.core.errors`: PrivacyBreach, before
        anything is sent, where the arguments are private and the node may not see them.
        """
        ...

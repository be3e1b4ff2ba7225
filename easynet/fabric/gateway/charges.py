"""What nodes have counted of their calls, before they run them."""

from typing import Any

from easynet.core.errors import BadData
from easynet.core.ids import CapabilityName, NodeId
from easynet.fabric.access.spending import Spending
from easynet.fabric.gateway.directory import Directory
from easynet.fabric.gateway.shared_state import SharedState


class Charges:
    """Counts calls, at the price that their node has stated to everybody, against their callers' caps."""

    def __init__(self, directory: Directory, spending: Spending, shared: SharedState) -> None:
        self._directory = directory
        self._spending = spending
        self._shared = shared

    def answer_to_node(self, what: str, node: NodeId, content: Any) -> bool:
        """Answer a node whether a call is covered; raises BadData."""
        match what, content:
            case "charge", [str(client), str(function), str(call)]:
                price = self._directory.price(node, CapabilityName(function))
                is_covered = self._spending.charge(client, f"{node}/{call}", price)
                self._shared.charged(f"{node}/{call}")
                return is_covered
            case "refund", [str(client), str(call)]:
                self._spending.refund(client, f"{node}/{call}")
                self._shared.refunded(client, f"{node}/{call}")
                return True
            case _:
                raise BadData("a charge that cannot be read")

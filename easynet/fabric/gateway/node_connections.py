"""Which connection each node has now, as the servers of a network tell of connections that come and go."""

import json
from typing import Any

from easynet.core.ids import NodeId
from easynet.fabric.access import claims
from easynet.fabric.access.authority import LOCAL_CLIENT
from easynet.fabric.wire.names import connection_name_of


class NodeConnections:
    """Tells the end of a node's last connection from the end of one that it has replaced.

    A server may notice long afterwards that a connection is dead whose node has come back elsewhere.
    """

    def __init__(self) -> None:
        self._by_instance: dict[str, tuple[str, int]] = {}

    def came(self, event: bytes) -> None:
        """A server has let a connection in."""
        found = _node_in(event)
        if found is not None:
            _, instance, connection = found
            self._by_instance[instance] = connection

    def went(self, event: bytes) -> tuple[NodeId, str] | None:
        """A connection ended: the node and the instance that have none now, if it was theirs."""
        found = _node_in(event)
        if found is None:
            return None
        node, instance, connection = found
        if self._by_instance.get(instance, connection) != connection:
            return None
        self._by_instance.pop(instance, None)
        return node, instance


def _node_in(event: bytes) -> tuple[NodeId, str, tuple[str, int]] | None:
    try:
        content: dict[str, Any] = json.loads(event)
        parts = connection_name_of(content["client"].get("name", ""))
        connection = str(content["server"]["id"]), int(content["client"]["id"])
        # A connection may have any name; whose it is stands in the rights that the server has checked.
        member = claims.read(content["client"]["jwt"])["name"]
    except (ValueError, KeyError, AttributeError, TypeError):
        return None
    if parts is None or member not in (parts[0], LOCAL_CLIENT):
        return None
    return (*parts, connection)

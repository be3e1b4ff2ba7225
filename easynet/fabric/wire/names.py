"""The names that nodes and functions may have: they become parts of NATS subjects."""

import re
from typing import Final

from easynet.core.errors import UsageError
from easynet.core.ids import NodeId

GRANTED: Final = "granted-"
"""Begins the id of each client that holds another client's grant."""
METERED: Final = "metered-"
"""Begins it where the grant limits what may be spent. The server vouches for ids, so nodes may rely on it."""

_NAME: Final = re.compile(r"[\w-]{1,100}")


def is_name(text: str) -> bool:
    """Whether a node or a function may be called that."""
    return _NAME.fullmatch(text) is not None


def checked_name(kind: str, text: object) -> str:
    """The name itself; raises UsageError where it is not allowed. `kind` says what it names."""
    if isinstance(text, str) and is_name(text):
        return text
    raise UsageError(
        f"{text!r} cannot be the name of a {kind}",
        hint="Use letters, digits, _ and -; dots separate a node from a function.",
    )


def connection_name(node: NodeId, instance: str) -> str:
    """What a node's connection is called, so that the server's word of its end tells whose it was."""
    return f"node.{node}.{instance}"


def connection_name_of(text: str) -> tuple[NodeId, str] | None:
    """The node and the instance whose connection is called that, if it is a node's."""
    match text.split("."):
        case ["node", name, instance]:
            return NodeId(name), instance
        case _:
            return None

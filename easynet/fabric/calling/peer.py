"""A node as a client knows it from speaking to it."""

import warnings

from easynet.core.errors import BadFrame, EasyNetError, VersionMismatch, VersionSkewWarning
from easynet.core.ids import NodeId
from easynet.fabric.wire import versions
from easynet.fabric.wire.greetings import Hello


class Peer:
    """One instance of a node: after a restart it is another one."""

    __slots__ = (
        "calls",
        "easynet",
        "heard_at",
        "instance",
        "is_greeted",
        "is_unsure",
        "key",
        "node",
        "once",
        "token",
        "waited_since",
    )

    def __init__(self, node: NodeId, token: str, now: float) -> None:
        self.node = node
        self.token = token
        """Nobody but this node knows it, so that no other can speak in its name."""
        self.instance = ""
        self.easynet = ""
        self.key = ""
        self.once: frozenset[str] | None = None
        """Its functions that must not run twice, once it has said."""
        self.heard_at = now
        self.waited_since = now
        """When the oldest of its calls was sent, at the latest."""
        self.calls = 0
        """Of this client, in flight there."""
        self.is_greeted = False
        self.is_unsure = False
        """Nothing was heard of it since the connection came back: it may not be back itself."""

    def heard(self, now: float) -> None:
        """It has said something."""
        self.heard_at = now
        self.is_unsure = False

    def may_repeat(self, function: str) -> bool:
        """Whether the node has said that a function may run twice."""
        return self.once is not None and function not in self.once

    def introduced(self, hello: Hello, now: float) -> None:
        """The node has said who it is; warns once where it runs another version of EasyNet."""
        is_first = self.once is None
        self.heard(now)
        self.instance, self.easynet, self.key = hello.instance, hello.easynet, hello.key
        self.once = frozenset(hello.once)
        if is_first and versions.differ(self.easynet, versions.OWN):
            warnings.warn(
                f"this side runs EasyNet {versions.OWN}, the node {self.node!r} {self.easynet}",
                VersionSkewWarning,
                stacklevel=2,
            )

    def explained(self, error: EasyNetError) -> EasyNetError:
        """What it means that the node's words cannot be read: where it runs another version, that."""
        if isinstance(error, BadFrame) and versions.differ(self.easynet, versions.OWN):
            return VersionMismatch(
                f"this side runs EasyNet {versions.OWN}, the node {self.node!r} {self.easynet}: "
                f"{error.message}",
                hint="Install the same version on both sides.",
            )
        return error

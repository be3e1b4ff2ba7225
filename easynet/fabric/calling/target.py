"""What a call names."""

from dataclasses import dataclass
from functools import lru_cache

from easynet.core.ids import CapabilityName, NodeId
from easynet.fabric.wire.names import checked_name


@dataclass(frozen=True, slots=True)
class Target:
    """A function, at one node or at any."""

    function: CapabilityName
    node: NodeId | None = None
    """None stands for any node that offers it."""

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Read `function` or `node.function`; raises UsageError."""
        node, dot, name = text.rpartition(".")
        checked_name("function", name)
        if dot:
            checked_name("node", node)
        return cls(CapabilityName(name), NodeId(node) if dot else None)


@lru_cache(maxsize=10_000)
def target_of(text: str) -> Target:
    """As `Target.parse`, for those that are read again and again."""
    return Target.parse(text)

"""Why a call came to nothing, in words that say what to do next."""

from collections.abc import Iterable, Sequence

from easynet.core.errors import (
    AccessDenied,
    EasyNetError,
    NodeUnreachable,
    NotStarted,
    Overloaded,
    UnknownFunction,
    nearest,
)
from easynet.core.ids import CapabilityName
from easynet.fabric.calling.catalogue import Catalogue
from easynet.fabric.calling.target import Target
from easynet.fabric.wire.names import GRANTED, METERED


async def explained(error: EasyNetError, target: Target, catalogue: Catalogue) -> EasyNetError:
    """The error itself; where the node that was named is not there, with the nearest name."""
    if not isinstance(error, NotStarted) or target.node is None:
        return error
    catalogue.forget()
    names = [node.name for node in await catalogue.nodes()]
    if target.node in names:
        return NotStarted(f"the node {target.node!r} does not answer")
    return NotStarted(
        f"no node named {target.node!r} is on this network",
        hint=nearest(target.node, names) or "See client.nodes().",
    )


def unknown(function: CapabilityName, offered: Iterable[CapabilityName]) -> UnknownFunction:
    """No node offers the function; with the nearest name of those that are offered or were until now."""
    names = list(offered)
    if function in names:
        return UnknownFunction(
            f"no node offers {function!r} any more: those that did finish what they have, and leave",
            hint="Try again when one of them is back.",
            zh=f"已经没有节点提供 {function!r}：提供它的节点正在收尾并离开",
            hint_zh="等其中一个回来后再试。",
        )
    hint = nearest(function, names) or (
        "The functions on offer are listed by client.functions()." if names else "No node has joined yet."
    )
    return UnknownFunction(f"no node offers a function named {function!r}", hint=hint)


def untaken(function: CapabilityName, errors: Sequence[EasyNetError]) -> EasyNetError:
    """Why none of the nodes took a call: all have too much to do, or what the last one said."""
    if overloaded := [error for error in errors if isinstance(error, Overloaded)]:
        wait_s = min(error.retry_after_s for error in overloaded)
        return Overloaded(
            f"the nodes that offer {function!r} have as much to do as they accept", retry_after_s=wait_s
        )
    return NodeUnreachable(f"no node that offers {function!r} could be reached: {errors[-1].message}")


def not_allowed(client: str, function: str) -> AccessDenied:
    """The client has no right to call `node.function`."""
    if client.startswith((GRANTED, METERED)):
        return AccessDenied(
            f"the grant that this client holds does not allow {function}",
            hint="It was narrowed. Ask whoever handed it on for a grant that allows it "
            f"(easynet delegate --functions {function}), and join again: easynet join TOKEN.",
        )
    return AccessDenied(
        f"this client may not call {function}",
        hint="`easynet functions` marks what it may call. "
        "The gateway's owner decides with `easynet invite client --functions ...`.",
        zh=f"这个客户端无权调用 {function}",
        hint_zh="`easynet functions` 会标出它可以调用的函数。"
        "由网关的主人决定：`easynet invite client --functions ...`。",
    )


def shut_out(why: str) -> AccessDenied:
    """The gateway has ended this client's connection for good."""
    return AccessDenied(
        f"the gateway let this client in no more: {why}",
        hint="Ask the gateway's owner for a new invitation, and join again: easynet join TOKEN.",
    )

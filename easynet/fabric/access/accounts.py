"""The accounts of a network, which keep its parties apart.

A caller cannot make a node publish what the caller itself may not, and no node sees another's inbox:

    SYS      the server's own events and commands; the gateway
    CTL      the gateway's services; the gateway and its owner
    NODES    nodes
    CLIENTS  clients
    ENTRY    anybody: may ask to be enrolled, and nothing else

Large values go from clients to nodes, and back, as streams: the server copies what goes as a service.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, get_args

from easynet.fabric.access.claims import UNLIMITED

Account = Literal["SYS", "CTL", "NODES", "CLIENTS", "ENTRY"]
ACCOUNTS: Final[tuple[Account, ...]] = get_args(Account)

_SERVICES: Final[Mapping[str, tuple[Account, tuple[Account, ...]]]] = {
    "fn.>": ("NODES", ("CLIENTS",)),
    "node.>": ("CTL", ("NODES",)),
    "reg.>": ("CTL", ("CLIENTS",)),
    "job.>": ("CTL", ("CLIENTS",)),
    "art.>": ("CTL", ("NODES", "CLIENTS")),
    "enrol.>": ("CTL", ("ENTRY",)),
}
"""By subject, the account that answers and those that may ask."""
_STREAMS: Final[Mapping[str, tuple[Account, tuple[Account, ...]]]] = {
    "re.>": ("NODES", ("CLIENTS",)),
    "in.>": ("CLIENTS", ("NODES",)),
    "net.>": ("CTL", ("CLIENTS",)),
}
"""By subject, the account that speaks and those that may listen."""


def limits_of(account: Account) -> dict[str, Any]:
    """How much an account may have of everything."""
    everything = ("subs", "conn", "leaf", "imports", "exports", "data", "payload")
    limits: dict[str, Any] = {**dict.fromkeys(everything, UNLIMITED), "wildcards": True}
    if account == "ENTRY":
        limits["conn"] = 64
    if account == "CTL":
        limits |= dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), UNLIMITED)
    return limits


def exports_of(account: Account) -> list[dict[str, Any]]:
    """What an account answers, and what it tells."""
    given = [(subject, "service") for subject, (owner, _) in _SERVICES.items() if owner == account]
    given += [(subject, "stream") for subject, (owner, _) in _STREAMS.items() if owner == account]
    return [{"name": subject, "subject": subject, "type": kind} for subject, kind in given]


def imports_of(account: Account, key_of: Callable[[Account], str]) -> list[dict[str, Any]]:
    """What an account may ask others, and hear of them; `key_of` gives their public keys."""
    return [
        {"name": subject, "subject": subject, "account": key_of(owner), "type": kind}
        for kind, given in (("service", _SERVICES), ("stream", _STREAMS))
        for subject, (owner, users) in given.items()
        if account in users
    ]

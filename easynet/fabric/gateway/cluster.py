"""Several gateways that serve one network together: a cluster of NATS servers, and who answers what in it.

Everything that a node says is heard by all gateways, so that each knows the whole network. What a client asks
is answered by one of them. What the owner, a token or an artifact concerns goes to one gateway by its id.
"""

from dataclasses import dataclass
from typing import Final

from easynet.core.errors import SettingsError
from easynet.fabric.gateway.own_address import is_any_host
from easynet.fabric.wire.address import Address

EVERY_WORD: Final = "node.*.*"
"""What nodes say, in one subscription: a node's leaving is not to be heard before its coming."""
_FOR_ONE: Final = ("claim", "charge", "refund")
QUEUE: Final = "gateways"
"""Of those that listen under it, one gets each message."""
_MAX_REPLICAS: Final = 3


@dataclass(frozen=True)
class Cluster:
    """A gateway's place among those of its network."""

    listen: Address
    """Where it waits for the other gateways."""
    peers: tuple[Address, ...] = ()
    """Where the others wait for it."""

    @property
    def replicas(self) -> int:
        """On how many gateways long work is kept; it goes on while more than half of them live."""
        return min(_MAX_REPLICAS, 1 + len(self.peers))

    def reached_by(self, advertise: str) -> Address:
        """Where the other gateways find it, if other machines know this one as `advertise`."""
        host = advertise if is_any_host(self.listen.host) else self.listen.host
        return Address(host, self.listen.port)

    def hosts(self, advertise: str) -> tuple[str, ...]:
        """What its certificate has to carry, if other machines know this one as `advertise`."""
        others = [peer.host for peer in self.peers]
        return tuple(dict.fromkeys([self.reached_by(advertise).host, *others]))


def read_cluster(listen: str, peers: str) -> Cluster | None:
    """What `--cluster` and `--peers` say together; raises UsageError or SettingsError."""
    others = [Address.parse(word) for word in peers.split(",") if word.strip()]
    if listen:
        at = Address.parse(listen)
        return Cluster(at, tuple(dict.fromkeys(other for other in others if other != at)))
    if others:
        raise SettingsError(
            "the other gateways of a network have to find this one, too",
            hint="Say where it waits for them: --cluster HOST:PORT.",
        )
    return None


def subjects(gateway_id: str, *, is_alone: bool) -> list[tuple[str, str]]:
    """What a gateway listens to, each with its queue, or "" where it hears everything."""
    own = [(f"adm.{gateway_id}.*", ""), (f"enrol.{gateway_id}.redeem", "")]
    one = ["reg.*.*", "enrol.*.authority", "enrol.*.grant"]
    if is_alone:
        return [*own, (EVERY_WORD, ""), *((subject, "") for subject in one)]
    one += [f"node.{what}.*" for what in _FOR_ONE]
    return [*own, *((subject, QUEUE) for subject in one)]


def is_for_all(subject: str) -> bool:
    """Whether what a node says is for all gateways, and not for one of them to decide."""
    return subject.split(".")[1] not in _FOR_ONE

"""What a NATS server counts about itself."""

import json
from collections.abc import Mapping

from easynet.core.errors import GatewayError
from easynet.fabric.telemetry.metrics import GatewayNumbers
from easynet.fabric.transport.connection import Connection


async def vitals(system: Connection, rejections: Mapping[str, int]) -> GatewayNumbers:
    """The counts of the server at the other end, and what its gateway has refused; raises GatewayError.

    `system` is a connection of the account that may ask a server about itself.
    """
    reply = await system.request(f"$SYS.REQ.SERVER.{system.server_id}.VARZ", b"")
    try:
        counted = json.loads(reply)["data"]
        return GatewayNumbers(
            connections=int(counted["connections"]),
            messages_in=int(counted["in_msgs"]),
            messages_out=int(counted["out_msgs"]),
            bytes_in=int(counted["in_bytes"]),
            bytes_out=int(counted["out_bytes"]),
            slow_consumers=int(counted["slow_consumers"]),
            server_memory_bytes=int(counted["mem"]),
            rejections=dict(rejections),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise GatewayError("the NATS server gave counts that cannot be read") from error

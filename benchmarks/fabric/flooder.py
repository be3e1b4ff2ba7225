"""A client that sends a node what no node can read: `python -m benchmarks.fabric.flooder GATEWAY DATA_DIR`.

At each order, `RATE SECONDS`, it sends so many messages a second for so long, and says how many a second the
gateway's server has taken from it.
"""

import asyncio
import itertools
import pickle
import sys
from pathlib import Path
from typing import Final

from benchmarks.fabric.program import orders
from benchmarks.fabric.raw import pack
from easynet.fabric.access.memberships import WayIn
from easynet.fabric.transport.connection import Connection
from easynet.fabric.wire.address import Address
from easynet.fabric.wire.calls import Call, encode_call

_STEP_S: Final = 0.01
_CALL: Final = encode_call(Call("x" * 24, "x" * 24, pack([[1], {}])))
_BAD: Final = (
    b"",
    b"\xc1",  # the one byte that MessagePack never uses
    b"\x91" * 1000,  # lists in lists
    _CALL[:-1],
    _CALL * 2 + b"\x00",
    pickle.dumps(object()),
    bytes(2000),
)


async def flood(connection: Connection, rate: int, seconds: int) -> float:
    """Bad messages a second that the server has taken."""
    loop = asyncio.get_running_loop()
    messages = itertools.cycle(_BAD)
    subject = f"fn.n.{connection.member}.call.echo"
    sent, began = 0, loop.time()
    while (elapsed := loop.time() - began) < seconds:
        due = int(rate * (elapsed + _STEP_S))
        for message in itertools.islice(messages, due - sent):
            connection.send(subject, message)
        sent = due
        await asyncio.sleep(_STEP_S / 2)
    await connection.flush()
    return sent / (loop.time() - began)


async def main() -> None:
    address = Address.parse(sys.argv[1])
    connection = Connection(address, WayIn(address, "client", Path(sys.argv[2])), name="flooder")
    await connection.open()
    async for order in orders("ready"):
        rate, seconds = map(int, order.split())
        print(await flood(connection, rate, seconds), flush=True)
    await connection.close()


if __name__ == "__main__":
    asyncio.run(main())

"""A node for journeys, as a process: `python -m tests.journeys.scales GATEWAY NAME EXPECTED_S WEIGHT`.

It weighs everything as WEIGHT, which is JSON, and says how heavy that is.
"""

import asyncio
import json
import sys
from typing import Annotated

from annotated_types import Interval
from typing_extensions import TypedDict

from easynet import ComputeNode

gateway, name, expected_s, weight = sys.argv[1:]
node = ComputeNode(gateway, name=name)


class Weight(TypedDict):
    """How heavy something is."""

    full: Annotated[float, Interval(ge=0, le=1)]
    """Of what the scales can bear."""
    units: list[str]


@node.register(price=1, expected_s=float(expected_s), en="Weigh a parcel.", zh="称一个包裹。")
def weigh_parcel(parcel: str) -> Weight:
    weighed: Weight = json.loads(weight)
    return weighed


@node.register(price=1, expected_s=0.1, en="Write the label of a parcel.", zh="写包裹的标签。")
def label_parcel(weight: Weight) -> str:
    return f"{weight['full']:.0%} {'/'.join(weight['units'])}"


async def serve() -> None:
    """Serve until terminated; `ready` on stdout once the node has joined."""
    async with node:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())

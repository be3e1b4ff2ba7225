"""What the calls of a node work with."""

import asyncio
from dataclasses import dataclass

from easynet.fabric.functions.scratch import ScratchFolders
from easynet.fabric.serving.metering import Meter
from easynet.fabric.telemetry.tracing import Tracer
from easynet.fabric.transport.connection import Connection
from easynet.fabric.values.served_values import NodeValues


@dataclass(frozen=True)
class Surroundings:
    """What all calls of a node share."""

    node: str
    loop: asyncio.AbstractEventLoop
    connection: Connection
    values: NodeValues
    folders: ScratchFolders
    tracer: Tracer | None
    meter: Meter

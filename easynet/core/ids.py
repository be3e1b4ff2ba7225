"""Names that must not be mixed up: one `NewType` for each kind of identifier."""

import time
from typing import NewType

RunId = NewType("RunId", str)
SubtaskId = NewType("SubtaskId", str)
NodeId = NewType("NodeId", str)
"""A node's name; one gateway holds each name once."""
JobId = NewType("JobId", str)
CapabilityName = NewType("CapabilityName", str)
"""A function's name as callers write it, without the node: `train_one_class`."""


def run_id(at: float, token: str) -> RunId:
    """A run's identifier that sorts by its start: `20261122-114502-9f3a`.

    `at` is in Unix seconds; `token` keeps two runs of one second apart.
    """
    return RunId(time.strftime("%Y%m%d-%H%M%S", time.gmtime(at)) + "-" + token)

"""Nodes that say what is not so."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from easynet.core.artifact import Artifact
from easynet.core.call import CallUpdate, Returned
from easynet.core.offer import Offer
from evals.simulation.call import Served
from evals.simulation.faulty_node import Around

_LIE: Final = 10.0


@dataclass
class AnswersWrong(Around):
    """Gives a result of the right form with other contents; each node is wrong in a way of its own."""

    async def serve(self, served: Served) -> AsyncGenerator[CallUpdate]:
        struck = self._strikes(served)
        async for update in super().serve(served):
            if struck and isinstance(update, Returned):
                off = self.occasion.chance.share(self.name, "wrong", self._served)
                wrong = _distorted(update.value, 1.0 + off)
                served.is_wrong = wrong != update.value
                yield Returned(wrong)
            else:
                yield update


@dataclass
class AnswersInWrongForm(Around):
    """Gives something that is no such result."""

    async def serve(self, served: Served) -> AsyncGenerator[CallUpdate]:
        struck = self._strikes(served)
        async for update in super().serve(served):
            if struck and isinstance(update, Returned):
                served.is_wrong = True
                yield Returned([update.value] if isinstance(update.value, dict) else {"result": "done"})
            else:
                yield update


@dataclass
class RepliesTwice(Around):
    """Says its result twice."""

    async def serve(self, served: Served) -> AsyncGenerator[CallUpdate]:
        async for update in super().serve(served):
            yield update
            if isinstance(update, Returned):
                yield update


@dataclass
class RaisesItsPrice(Around):
    """Is cheap when plans are made, and dearer when it is asked again."""

    def offers(self) -> Sequence[Offer]:
        factor = 0.5 if asyncio.get_running_loop().time() == 0.0 else 2.0
        return [o.model_copy(update={"price": max(1, round(o.price * factor))}) for o in self.inside.offers()]


@dataclass
class OverstatesItsSpeed(Around):
    """Claims to be many times faster than it is."""

    def offers(self) -> Sequence[Offer]:
        return [o.model_copy(update={"expected_s": o.expected_s / _LIE}) for o in self.inside.offers()]


def _distorted(value: Any, factor: float) -> Any:
    """Another value of the same form; `factor` says how far off it is."""
    match value:
        case bool():
            return not value
        case int():
            return value + round(1000 * factor)
        case float():
            return value * factor + 0.1
        case str():
            return f"{value} {factor:.6f}"
        case Artifact():
            return value.model_copy(
                update={"digest": sha256(f"{value.digest} {factor}".encode()).hexdigest()}
            )
        case dict():
            return {key: _distorted(part, factor) for key, part in value.items()}
        case list():
            return [_distorted(part, factor) for part in value]
        case _:
            return value

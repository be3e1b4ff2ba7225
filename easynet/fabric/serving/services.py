"""What a node serves: its functions, each with its place, and how many calls there may be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from easynet.core.errors import UnknownFunction, nearest
from easynet.fabric.functions.function import Function
from easynet.fabric.functions.places import Place
from easynet.fabric.serving.admission import Admission


@dataclass(frozen=True)
class Limits:
    """How much a node does at the same time."""

    concurrency: int
    """Calls of functions that block."""
    async_calls: int
    """Calls of coroutine functions."""
    queue: int
    """Calls that wait, of either kind."""


@dataclass(frozen=True)
class Service:
    """A function as it is served."""

    name: str
    function: Function
    place: Place
    admission: Admission


class Services:
    """The functions of one node. Those that block share their places, and so do the coroutines.

    A function with a limit of its own shares with none.
    """

    def __init__(
        self,
        node: str,
        function_by_name: Mapping[str, Function],
        place_of: Callable[[Function], Place],
        limits: Limits,
    ) -> None:
        self._node = node
        self._function_by_name = function_by_name
        self._place_of = place_of
        self._limits = limits
        self._service_by_name: dict[str, Service] = {}
        self._blocking = Admission(limits.concurrency, limits.queue)
        self._looping = Admission(limits.async_calls, limits.queue)
        self._admissions = [self._blocking, self._looping]

    @property
    def running(self) -> int:
        """Calls that run now."""
        return sum(admission.running for admission in self._admissions)

    @property
    def waiting(self) -> int:
        """Calls that wait for others to end."""
        return sum(admission.waiting for admission in self._admissions)

    @property
    def is_full(self) -> bool:
        """Whether there is a function whose next call would have to wait."""
        return any(admission.running >= admission.limit for admission in self._admissions)

    def only_once(self) -> tuple[str, ...]:
        """The functions that must not run twice for one call."""
        return tuple(
            f.capability.name for f in self._function_by_name.values() if not f.capability.idempotent
        )

    def find(self, name: str) -> Service:
        """The function of that name; raises UnknownFunction."""
        return self._service_by_name.get(name) or self._begin(name)

    def _begin(self, name: str) -> Service:
        function = self._function_by_name.get(name)
        if function is None:
            known = list(self._function_by_name)
            hint = nearest(name, known) or f"It offers {', '.join(known)}."
            raise UnknownFunction(f"{self._node} offers no function named {name!r}", hint=hint)
        admission = self._blocking if function.blocks else self._looping
        if (limit := function.capability.concurrency) is not None:
            admission = Admission(limit, self._limits.queue)
            self._admissions.append(admission)
        service = Service(name, function, self._place_of(function), admission)
        self._service_by_name[name] = service
        return service

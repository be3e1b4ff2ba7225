"""Which capability may take the place of another one: by what it gives, and by what its description says."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from easynet.core.capability import Capability, Role, TypeRef
from easynet.core.ids import CapabilityName
from easynet.planners.deeds import acts
from easynet.planners.retrieval import Index
from easynet.planners.sources import paths

_ALIKE = 0.3
"""The share of a description that a substitute for a step on the way has to explain."""
_SAME = 0.95
"""And one for what was asked for: "cancel an invoice" explains most of "pay an invoice", too."""
_MOST = 5


@dataclass(frozen=True)
class Substitute:
    """A capability that may be called instead of another one."""

    capability: Capability
    likeness: float
    """The share of the other one's description that it explains, between 0 and 1."""


def substitutes(
    failed: Capability, catalogue: Sequence[Capability], usable: Iterable[CapabilityName], *, is_wanted: bool
) -> list[Substitute]:
    """What may be called instead of `failed`, the likeliest first.

    What gives the same named type serves on the way to something else. Where the result itself `is_wanted`,
    or its type says nothing about its meaning, the description has to say the same; and so it has for
    sample data, of which one set is no substitute for another.
    """
    names = set(usable) - {failed.name}
    able = {c.name for c in catalogue if c.name in names and _gives(c, failed) and _may_stand_in(c, failed)}
    if not able:
        return []
    is_strict = is_wanted or failed.output.is_primitive or failed.role is Role.SAMPLE
    index = Index([c for c in catalogue if c.name in able or c.name == failed.name])
    likeness: dict[CapabilityName, float] = {}
    for text in failed.description.values():
        for hit in index.search(text):
            name = hit.capability.name
            likeness[name] = max(likeness.get(name, 0.0), hit.coverage)
    found = [Substitute(c, likeness.get(c.name, 0.0)) for c in catalogue if c.name in able]
    enough = _SAME if is_strict else _ALIKE
    fitting = [
        s for s in found if s.likeness >= enough and not (is_strict and acts(s.capability) != acts(failed))
    ]
    return sorted(fitting, key=lambda s: (-round(s.likeness, 1), s.capability.price, s.capability.name))[
        :_MOST
    ]


def part_of(output: TypeRef, path: Sequence[str]) -> TypeRef | None:
    """The type at a path into an output; nothing where only the run can tell."""
    for name in path:
        if output.many or name not in output.fields:
            return None
        output = output.fields[name]
    return output


def path_to(substitute: Capability, failed: Capability, path: tuple[str, ...]) -> tuple[str, ...] | None:
    """Where a substitute gives what was read at `path` of the other one's output."""
    if part_of(substitute.output, path) == part_of(failed.output, path):
        return path
    wanted = part_of(failed.output, path)
    return None if wanted is None else next(paths(substitute.output, wanted), None)


def _gives(substitute: Capability, failed: Capability) -> bool:
    wanted, given = failed.output, substitute.output
    if wanted.is_primitive:
        return given == wanted
    return any(True for _ in paths(given, wanted))


def _may_stand_in(substitute: Capability, failed: Capability) -> bool:
    """A step is replaced by one of its kind, and one without effects by one without."""
    is_as_safe = substitute.idempotent or not failed.idempotent
    return substitute.role is failed.role and substitute.streaming == failed.streaming and is_as_safe

"""What the specialists' annotations promise holds for what they give."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from easynet.core.artifact import Artifact
from easynet.core.capability import Capability, TypeRef
from easynet.core.contribution import contributed
from easynet.core.errors import BadData, InputNeeded
from easynet.execution.result_check import problem_with
from easynet.fabric.wire.decoding import decode_opaque
from easynet.fabric.wire.encoding import encode
from easynet.specialists import NODES, functions
from easynet.specialists.choosing import choose_detector
from easynet.specialists.demo_data import medical_demo_data
from easynet.specialists.evaluation import evaluate_detector
from easynet.specialists.one_class import train_one_class
from easynet.specialists.splitting import split_table
from easynet.specialists.supervised import train_supervised
from easynet.specialists.table_io import load_table

EVERY = [f for node in NODES for f in functions(node)]
STATED = {"summarise_by_group": {"group": "region", "value": "amount"}}
"""Arguments that the user would be asked for."""


def stored(*pieces: bytes) -> Artifact:
    return Artifact(digest="0" * 64, size_bytes=sum(map(len, pieces)))


def file_of(path: Path) -> Artifact:
    return Artifact(digest="0" * 64, size_bytes=path.stat().st_size, filename=path.name)


def capability_of(function: Callable[..., Any]) -> Capability:
    capability = contributed(function)
    assert capability is not None
    return capability


class Workshop:
    """Calls every function whose inputs are there, with what the others made."""

    def __init__(self, *made: tuple[Callable[..., Any], Any]) -> None:
        self.results: dict[str, Any] = {}
        self._by_type: dict[str, list[Any]] = {}
        for function, result in made:
            self._keep(capability_of(function), result)

    def work(self) -> None:
        while new := [f for f in EVERY if f.__name__ not in self.results and self._can(capability_of(f))]:
            for function in new:
                capability = capability_of(function)
                try:
                    self._keep(capability, function(**self._arguments(capability)))
                except (BadData, InputNeeded):  # patients have no sales
                    self.results[capability.name] = None

    def _can(self, capability: Capability) -> bool:
        return all(p.type.name in self._by_type for p in capability.parameters if p.required)

    def _arguments(self, capability: Capability) -> dict[str, Any]:
        made = {
            p.name: self._by_type[p.type.name] if p.type.many else self._by_type[p.type.name][-1]
            for p in capability.parameters
            if p.required
        }
        return made | STATED.get(capability.name, {})

    def _keep(self, capability: Capability, result: Any) -> None:
        self.results[capability.name] = result
        parts: Mapping[str, TypeRef] = capability.output.fields
        for name, part in [(capability.output, result), *((parts[k], result[k]) for k in parts)]:
            if not name.is_primitive and not name.many:
                self._by_type.setdefault(name.name, []).append(part)


def test_results_of_all_specialists_are_what_they_promise(detector_chain: Any, sales_chain: Any) -> None:
    medical = Workshop(
        (medical_demo_data, detector_chain.loaded),
        (split_table, detector_chain.split),
        (train_one_class, detector_chain.one_class),
        (train_supervised, detector_chain.supervised),
        (choose_detector, detector_chain.chosen),
        (evaluate_detector, detector_chain.evaluation),
    )
    medical.work()
    sales = Workshop((load_table, sales_chain.loaded))
    sales.results["medical_demo_data"] = None  # which needs nothing
    sales.work()
    checked: set[str] = set()
    for function in EVERY:
        capability = capability_of(function)
        assert capability.returns.fields, f"{capability.name} promises nothing that can be checked"
        for shop in (medical, sales):
            if (result := shop.results.get(capability.name)) is not None:
                seen = decode_opaque(encode(result, stored, file_of))
                assert problem_with(capability, seen, {}, "en") is None
                checked.add(capability.name)
    assert checked == {f.__name__ for f in EVERY}

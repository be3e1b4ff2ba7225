import subprocess
import sys

import pytest

from easynet.core.capability import Capability, Role
from easynet.core.contribution import contributed
from easynet.core.errors import MissingExtra
from easynet.specialists import NODES, functions, libraries

HEAVY = ("pandas", "numpy", "sklearn", "statsmodels", "matplotlib", "skops", "scipy")


def capabilities() -> dict[str, Capability]:
    found = [contributed(f) for node in NODES for f in functions(node)]
    return {c.name: c for c in found if c is not None}


def test_enough_functions_are_on_four_nodes() -> None:
    assert set(NODES) == {"data-analysis", "medical", "forecasting", "reporting"}
    assert all(len(functions(node)) >= 5 for node in NODES)
    names = [f.__name__ for node in NODES for f in functions(node)]
    assert len(names) == len(set(names)) >= 14


def test_every_function_is_described_in_both_languages_and_priced() -> None:
    for name, capability in capabilities().items():
        assert set(capability.description) == {"en", "zh"}, name
        assert any(tag.isascii() for tag in capability.tags), name
        assert any(not tag.isascii() for tag in capability.tags), name
        assert 1 <= capability.price <= 10, name
        assert 0 < capability.expected_s <= 10, name
        language = capability.parameter("language")
        assert language is None or language.default == "en", name


def test_every_required_input_is_made_by_some_function_or_given_by_the_user() -> None:
    offered = capabilities()
    made = {c.output.name for c in offered.values()}
    for capability in offered.values():
        made |= {t.name for t in capability.output.fields.values()}
    for name, capability in offered.items():
        for parameter in capability.parameters:
            if not parameter.required:
                continue
            if parameter.type.is_primitive:
                assert (name, parameter.name) == ("load_table", "data")
            else:
                assert parameter.type.name in made, (name, parameter.name)


def test_no_two_fields_of_a_result_have_the_same_type() -> None:
    for name, capability in capabilities().items():
        types = [t.name for t in capability.output.fields.values() if not t.is_primitive]
        # Fields that nothing takes cannot be confused.
        taken = {p.type.name for c in capabilities().values() for p in c.parameters}
        chained = [t for t in types if t in taken]
        assert len(chained) == len(set(chained)), name


def test_roles_are_as_planners_expect() -> None:
    by_role = {role: {n for n, c in capabilities().items() if c.role is role} for role in Role}
    assert by_role[Role.SAMPLE] == {"medical_demo_data"}
    assert by_role[Role.CHOOSE] == {"choose_detector"}
    assert by_role[Role.CHECK] == {"evaluate_detector", "check_forecast"}
    assert "compose_report" in by_role[Role.PRESENT]


def test_checks_give_metrics() -> None:
    for name, capability in capabilities().items():
        if capability.role is Role.CHECK:
            assert "metrics" in capability.output.fields, name


def test_importing_all_modules_loads_no_heavy_library() -> None:
    program = (
        "import sys\n"
        "from easynet.specialists import NODES, functions\n"
        "[functions(node) for node in NODES]\n"
        "import easynet.specialists.detector\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=200
    )
    assert done.stdout.strip() == "[]"


def test_missing_library_is_named_with_the_command_that_installs_it() -> None:
    with pytest.raises(MissingExtra, match="'no_such_library'") as missing:
        libraries.require("json", "no_such_library")
    assert "pip install 'easynet-os[specialists]'" in missing.value.hint


def test_unknown_node_is_an_error() -> None:
    with pytest.raises(KeyError):
        functions("cooking")

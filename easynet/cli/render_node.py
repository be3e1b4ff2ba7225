"""A node and how its functions are called, for people."""

import shlex
from collections.abc import Sequence
from typing import Final

from easynet.agents.wording import one_line, shorten
from easynet.cli.look import bare
from easynet.cli.render_wrap import terminal_columns
from easynet.core.capability import Capability, Parameter

_EXAMPLES: Final = {
    "str": "hello",
    "int": "3",
    "float": "0.5",
    "bool": "true",
    "File": "@FILE",
    "dict": "{}",
    "list": "[]",
}
_SHOWN: Final = 12


def node_started(name: str, offered: Sequence[Capability], gateway: str) -> str:
    """Where a node serves what, and how the first of its functions is called."""
    functions = f"{len(offered)} function{'s' * (len(offered) != 1)}"
    width = terminal_columns() or 100
    lines = [f"The node {name} offers {functions} at {bare(gateway)}. Ctrl-C ends it.", ""]
    lines += [shorten(f"  {one_line(capability.signature)}", width) for capability in offered[:_SHOWN]]
    if len(offered) > _SHOWN:
        lines.append(f"  and {len(offered) - _SHOWN} more; easynet functions lists them")
    return "\n".join([*lines, "", "To call one:", f"  {example_call(name, offered[0])}"])


def example_call(node: str, capability: Capability) -> str:
    """A command that calls a function of a node; what only the user can know is in capitals."""
    needed = [p for p in capability.parameters if p.required and not p.is_variadic]
    words = " ".join(f"{p.name}={_example(p)}" if p.is_keyword_only else _example(p) for p in needed)
    return f"easynet call {node}.{capability.name} {words}".rstrip()


def _example(parameter: Parameter) -> str:
    if parameter.choices:
        return shlex.quote(parameter.choices[0])
    if parameter.type.many:
        return shlex.quote("[...]")
    return shlex.quote(_EXAMPLES.get(parameter.type.name, parameter.name.upper()))

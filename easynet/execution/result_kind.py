"""What kind of value came, told from its encoded form."""

from collections.abc import Mapping
from typing import Any, Final

from easynet.core.artifact import Artifact
from easynet.fabric.wire.decoding import TABLES, Opaque
from easynet.fabric.wire.scalars import BIG_INT, MOMENTS, restored
from easynet.fabric.wire.table_size import rows_of

_PLAIN: Final[tuple[tuple[type | tuple[type, ...], str], ...]] = (
    (bool, "bool"),
    (int, "int"),
    (float, "float"),
    (str, "str"),
    (bytes, "bytes"),
    ((list, tuple), "list"),
    (Mapping, "dict"),
)
_BY_TYPE: Final = {
    bool: "bool", int: "int", float: "float", str: "str", bytes: "bytes", list: "list", dict: "dict",
}  # fmt: skip
_TABLE_KINDS: Final = {"array": "array", "series": "column", "frame": "table", "index": "column"}
_BY_CODE: Final = (
    {code: _TABLE_KINDS[kind] for kind, code in TABLES.items()} | {BIG_INT: "int"} | dict(MOMENTS)
)


def kind_of(value: Any) -> str:
    """A kind of `easynet.core.schema`, `reference` for a large value elsewhere, or `unknown`."""
    if value is None:
        return "none"
    if (exact := _BY_TYPE.get(type(value))) is not None:
        return exact
    if isinstance(value, Artifact):
        return "File" if value.filename else "reference"
    if isinstance(value, Opaque):
        return _BY_CODE.get(value.code, "unknown")
    return next((kind for types, kind in _PLAIN if isinstance(value, types)), "unknown")


def number_of(value: Any) -> int | float:
    """The number that a value of the kind `int`, `float` or `bool` is."""
    number: int | float = restored(value.code, value.data) if isinstance(value, Opaque) else value
    return number


def length_of(value: Any) -> int | None:
    """How many characters, bytes, items, entries or rows there are; `None` where that cannot be seen."""
    if isinstance(value, Opaque):
        return rows_of(value)
    return len(value) if isinstance(value, str | bytes | list | tuple | Mapping) else None

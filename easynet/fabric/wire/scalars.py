"""Single values that msgpack has no type for: large numbers, moments of time, scalars of numpy and pandas."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import msgpack

from easynet.core.errors import BadData
from easynet.fabric.wire.packing import pack

BIG_INT: Final = 2
_DATETIME, _DATE, _TIME, _TIMEDELTA = 3, 4, 5, 6
MOMENTS: Final = {_DATETIME: "datetime", _DATE: "date", _TIME: "time", _TIMEDELTA: "timedelta"}
"""What the extensions of time are, by code."""
_MIN_INT: Final = -(2**63)
_MAX_INT: Final = 2**64 - 1


def is_missing(value: Any, modules: Mapping[str, Any]) -> bool:
    """Whether a value is pandas' or numpy's word for nothing: `NA`, `NaT`."""
    pandas = modules.get("pandas")
    if pandas is not None and (value is pandas.NA or value is pandas.NaT):
        return True
    numpy = modules.get("numpy")
    return (
        numpy is not None
        and isinstance(value, numpy.datetime64 | numpy.timedelta64)
        and bool(numpy.isnat(value))
    )


def python_scalar(value: Any, modules: Mapping[str, Any]) -> Any:
    """A numpy number as the Python number it is; anything else as it is.

    They travel as plain numbers so that a process without numpy can read a metric.
    """
    numpy = modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic):
        if isinstance(value, numpy.datetime64 | numpy.timedelta64):
            return value.astype(f"{value.dtype.kind}8[us]").item()
        # A long double's own item is a long double again.
        return float(value) if isinstance(value, numpy.floating) else value.item()
    return value


def number(value: int) -> int | msgpack.ExtType:
    """A whole number as it travels: itself, where msgpack has room for it."""
    if _MIN_INT <= value <= _MAX_INT:
        return value
    return msgpack.ExtType(BIG_INT, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def moment(value: Any) -> msgpack.ExtType | None:
    """A date, a time or a length of time as it travels; None for anything else."""
    match value:
        case datetime():
            return msgpack.ExtType(_DATETIME, value.isoformat().encode())
        case date():
            return msgpack.ExtType(_DATE, value.isoformat().encode())
        case time():
            return msgpack.ExtType(_TIME, value.isoformat().encode())
        case timedelta():
            return msgpack.ExtType(_TIMEDELTA, pack([value.days, value.seconds, value.microseconds]))
        case _:
            return None


def restored(code: int, raw: bytes) -> Any:
    """The value that such an extension is; raises BadData or ValueError."""
    if code == BIG_INT:
        return int.from_bytes(raw, "big", signed=True)
    if code == _DATETIME:
        return datetime.fromisoformat(raw.decode())
    if code == _DATE:
        return date.fromisoformat(raw.decode())
    if code == _TIME:
        return time.fromisoformat(raw.decode())
    if code == _TIMEDELTA:
        days, seconds, microseconds = msgpack.unpackb(raw)
        return timedelta(days, seconds, microseconds)
    raise BadData(f"a value of an unknown kind ({code}); a newer version of EasyNet may know it")

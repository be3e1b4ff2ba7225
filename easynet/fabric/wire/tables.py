"""Arrays and tables as plain lists and bytes, column by column.

numpy and pandas are optional. A value of theirs can only exist where they have been imported, so encoding
never imports them; decoding does, at the first value that needs them.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from easynet.core.errors import BadData, MissingExtra, Unencodable

KINDS: Final = ("array", "series", "frame", "index")
_BUFFER_KINDS: Final = "biufcMmSU"
"""Dtypes whose memory is their meaning: no pointers, no fields."""
_DTYPE: Final = re.compile(
    r"[<>|=](?:b1|[iu][1248]|f(?:2|4|8|16)|c(?:8|16|32)|[SU]\d{1,9}|[mM]8(?:\[\d{0,9}[a-zA-Zμ]{1,2}\])?)"
)
"""How numpy writes such a dtype; it would understand much more, and some of it with a warning."""

Plain = Callable[[Any, str], Any]
"""Turns one scalar into a plain one, or raises Unencodable with its place."""
Modules = Mapping[str, Any]


def kind_of(value: Any, modules: Modules) -> str | None:
    """Which of `KINDS` a value is, if any."""
    if (numpy := modules.get("numpy")) is not None and isinstance(value, numpy.ndarray):
        return "array"
    if (pandas := modules.get("pandas")) is not None:
        for kind, cls in (("frame", pandas.DataFrame), ("series", pandas.Series), ("index", pandas.Index)):
            if isinstance(value, cls):
                return kind
    return None


def flatten(kind: str, value: Any, where: str, plain: Plain) -> list[Any]:
    """A value of one of `KINDS` as a list that `restore` reads; raises Unencodable."""
    match kind:
        case "array":
            return _flatten_array(value, where, plain)
        case "frame":
            return _flatten_frame(value, where, plain)
        case "series":
            name = plain(value.name, f"{where}.name")
            return [name, _flatten_index(value.index, where, plain), _flatten_column(value, where, plain)]
        case _:
            return _flatten_index(value, where, plain)


def restore(kind: str, fields: Any) -> Any:
    """The array or table again. What is wrong with the fields raises whatever numpy and pandas raise."""
    match kind:
        case "array":
            return _restore_array(fields)
        case "frame":
            return _restore_frame(fields)
        case "series":
            name, index, column = fields
            restored = _series(_restore_column(column), _restore_index(index))
            restored.name = name
            return restored
        case _:
            return _restore_index(fields)


def _flatten_array(array: Any, where: str, plain: Plain) -> list[Any]:
    if array.dtype.kind in _BUFFER_KINDS:
        return [array.dtype.str, list(array.shape), array.tobytes()]
    if array.dtype.kind != "O":
        raise Unencodable(f"{where} is an array of {array.dtype}, which cannot travel")
    flat = [plain(item, f"{where}[{i}]") for i, item in enumerate(array.ravel().tolist())]
    return ["O", list(array.shape), flat]


def _restore_array(fields: Any) -> Any:
    np = _numpy()
    dtype, shape, content = fields
    if dtype == "O":
        array = np.empty(len(content), dtype=object)
        array[:] = content
        return array.reshape(shape)
    if not isinstance(dtype, str) or not _DTYPE.fullmatch(dtype):
        raise BadData(f"an array of {dtype!r} is not read")
    kind = np.dtype(dtype)
    # A copy, because the bytes of a message cannot be written to.
    return np.frombuffer(content, dtype=kind).reshape(shape).copy()


def _flatten_frame(frame: Any, where: str, plain: Plain) -> list[Any]:
    names = [plain(name, f"{where}.columns[{i}]") for i, name in enumerate(frame.columns)]
    if any(isinstance(name, list) for name in names):
        raise Unencodable(
            f"{where} has columns of several levels, which cannot travel",
            hint="Join the levels of the column names into one.",
        )
    columns = [
        _flatten_column(frame.iloc[:, i], f"{where}[{name!r}]", plain) for i, name in enumerate(frame.columns)
    ]
    return [names, _flatten_index(frame.index, where, plain), columns]


def _restore_frame(fields: Any) -> Any:
    pd = _pandas()
    names, index, columns = fields
    rows = _restore_index(index)
    if len(names) != len(columns):
        raise BadData("a table with another number of names than of columns")
    # By position first, since two columns may have one name.
    frame = pd.DataFrame({i: _series(_restore_column(c), rows) for i, c in enumerate(columns)}, index=rows)
    frame.columns = pd.Index(names)
    return frame


def _flatten_index(index: Any, where: str, plain: Plain) -> list[Any]:
    kind = type(index).__name__
    where = f"{where}.index"
    if kind == "RangeIndex":
        return ["range", plain(index.name, where), index.start, index.stop, index.step]
    if kind == "MultiIndex":
        levels = [index.get_level_values(i).to_series() for i in range(index.nlevels)]
        columns = [_flatten_column(level, where, plain) for level in levels]
        return ["levels", [plain(name, where) for name in index.names], columns]
    return ["column", plain(index.name, where), _flatten_column(index.to_series(), where, plain)]


def _restore_index(fields: Any) -> Any:
    pd = _pandas()
    match fields:
        case ["range", name, int(start), int(stop), int(step)]:
            return pd.RangeIndex(start, stop, step, name=name)
        case ["levels", names, columns]:
            return pd.MultiIndex.from_arrays([_restore_column(c) for c in columns], names=names)
        case ["column", name, column]:
            return pd.Index(_restore_column(column), name=name)
        case _:
            raise BadData("a table's index that cannot be read")


def _flatten_column(column: Any, where: str, plain: Plain) -> list[Any]:
    """One column by its dtype: its memory where that is its meaning, otherwise a list of scalars."""
    dtype = column.dtype
    match type(dtype).__name__:
        case "CategoricalDtype":
            categories = _flatten_column(dtype.categories.to_series(), where, plain)
            codes = _flatten_array(column.cat.codes.to_numpy(), where, plain)
            return ["category", codes, categories, bool(dtype.ordered)]
        case "DatetimeTZDtype":
            moments = column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
            return ["zoned", _flatten_array(moments, where, plain), str(dtype.tz)]
        case "StringDtype":
            texts = [text if isinstance(text, str) else None for text in _objects(column)]
            return ["string", str(dtype), texts]
        case _:
            pass
    if getattr(dtype, "kind", "") in "biuf" and type(dtype).__module__.startswith("pandas"):
        return _flatten_masked(column, where, plain)
    if dtype.kind == "O" and str(dtype) == "object":
        return ["object", [plain(item, f"{where}[{i}]") for i, item in enumerate(_objects(column))]]
    if type(dtype).__module__.startswith("numpy") and dtype.kind in _BUFFER_KINDS:
        return ["array", _flatten_array(column.to_numpy(), where, plain)]
    raise Unencodable(f"{where} is a column of {dtype}, which cannot travel")


def _flatten_masked(column: Any, where: str, plain: Plain) -> list[Any]:
    """A column of whole numbers, fractions or truths in which some are missing."""
    if not hasattr(column.dtype, "numpy_dtype"):
        raise Unencodable(f"{where} is a column of {column.dtype}, which cannot travel")
    mask = column.isna().to_numpy()
    values = column.fillna(False if column.dtype.kind == "b" else 0).to_numpy(dtype=column.dtype.numpy_dtype)
    return [
        "masked",
        str(column.dtype),
        _flatten_array(values, where, plain),
        _flatten_array(mask, where, plain),
    ]


def _restore_column(fields: Any) -> Any:
    pd = _pandas()
    match fields:
        case ["array", array]:
            return _restore_array(array)
        case ["object", [*items]]:
            return _restore_array(["O", [len(items)], items])
        case ["string", str(dtype), [*texts]]:
            if dtype == "str" and pd.__version__.startswith("2."):  # where texts are objects
                return _restore_array(["O", [len(texts)], texts])
            return pd.array(texts, dtype="str" if dtype == "str" else "string")
        case ["category", codes, categories, bool(ordered)]:
            kinds = pd.CategoricalDtype(pd.Index(_restore_column(categories)), ordered=ordered)
            return pd.Categorical.from_codes(_restore_array(codes), dtype=kinds)
        case ["zoned", moments, str(zone)]:
            return pd.DatetimeIndex(_restore_array(moments), tz="UTC").tz_convert(zone)
        case ["masked", str(dtype), values, mask]:
            column = pd.array(_restore_array(values), dtype=dtype)
            column[_restore_array(mask)] = pd.NA
            return column
        case _:
            raise BadData("a table's column that cannot be read")


def _objects(column: Any) -> list[Any]:
    return list(column.astype(object))


def _series(column: Any, index: Any) -> Any:
    pd = _pandas()
    return pd.Series(column.array if isinstance(column, pd.Index) else column, index=index, copy=False)


def _numpy() -> Any:
    try:
        import numpy  # optional, and slow to import
    except ImportError as error:
        raise _missing("numpy") from error
    return numpy


def _pandas() -> Any:
    try:
        import pandas  # optional, and slow to import
    except ImportError as error:
        raise _missing("pandas") from error
    return pandas


def _missing(library: str) -> MissingExtra:
    return MissingExtra(
        f"a value needs {library}, which is not installed here",
        hint="Install it with `pip install 'easynet-os[specialists]'`.",
    )

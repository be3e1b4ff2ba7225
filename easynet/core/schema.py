"""What a result has to be, as far as that can be seen without the libraries that made it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

Kind = Literal[
    "any", "none", "bool", "int", "float", "str", "bytes", "list", "dict", "File",
    "table", "column", "array", "date", "datetime", "time", "timedelta",
]  # fmt: skip
"""`list` is any sequence of items, `dict` a mapping or a record; `table` and `column` are those of pandas."""

Number = int | float

LARGEST = 2**63
"""No limit is larger: it would not travel."""


class Schema(BaseModel):
    """How a value is built, and its limits. One that says nothing admits everything.

    A capability's type says by name what its result means, which is for planning. This is for checking.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kind: Kind = "any"
    nullable: bool = False
    """`None` may take its place."""
    ge: Number | None = Field(default=None, ge=-LARGEST, le=LARGEST)
    gt: Number | None = Field(default=None, ge=-LARGEST, le=LARGEST)
    le: Number | None = Field(default=None, ge=-LARGEST, le=LARGEST)
    lt: Number | None = Field(default=None, ge=-LARGEST, le=LARGEST)
    min_len: int = Field(default=0, ge=0, le=LARGEST)
    """Of characters, bytes, items, entries or rows."""
    max_len: int | None = Field(default=None, ge=0, le=LARGEST)
    choices: tuple[bool | int | float | str, ...] = ()
    """The values that there may be; none where any may."""
    items: "Schema | None" = None
    """Each item of a list, each value of a dictionary."""
    parts: "tuple[Schema, ...]" = ()
    """The items of a list that has just as many, one by one."""
    fields: "dict[str, Schema]" = Field(default_factory=dict)
    """The named parts of a record. There may be more."""
    required: tuple[str, ...] = ()
    """The fields that are never left out."""

    @property
    def is_bounded(self) -> bool:
        """Whether only some numbers will do."""
        return not (self.ge is None and self.gt is None and self.le is None and self.lt is None)

    @property
    def is_sized(self) -> bool:
        """Whether only some lengths will do."""
        return self.min_len > 0 or self.max_len is not None

    @model_serializer(mode="wrap")
    def _what_is_said(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # It travels with every capability, so what says nothing is left out.
        plain: dict[str, Any] = serialize(self)
        return {name: said for name, said in plain.items() if getattr(self, name) != getattr(NOTHING, name)}


NOTHING = Schema()
"""Admits everything."""

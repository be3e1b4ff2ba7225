"""A function as it is offered: what it does, what it takes, what it gives, what it costs."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Self, cast

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator

from easynet.core.ids import CapabilityName
from easynet.core.language import Language
from easynet.core.schema import NOTHING, Schema
from easynet.core.schema_words import length_words, range_words

PRIMITIVES = frozenset({"any", "str", "int", "float", "bool", "bytes", "dict", "list", "none", "File"})
"""Types that say nothing about meaning. A plan fills such a parameter from the intent, never by chaining."""

Text = Annotated[str, StringConstraints(max_length=10_000)]
"""Words of a provider. The limit also makes pydantic refuse what is not valid Unicode."""


class Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with some fields changed; what is computed from the fields is computed anew."""
        copied = super().model_copy(update=update, deep=deep)
        held = vars(copied)
        for cached in held.keys() - type(self).model_fields.keys():
            del held[cached]
        return copied


class TypeRef(Value):
    """A parameter's or a result's type, by name.

    Types are nominal: a result fits a parameter when the names are equal. `File` is a file on both sides.
    """

    name: str
    many: bool = False
    """A list of such values."""
    fields: dict[str, "TypeRef"] = Field(default_factory=dict)
    """The named parts of a record, each of which can be passed on alone."""

    @property
    def is_primitive(self) -> bool:
        return self.name in PRIMITIVES

    def fits(self, parameter: Self) -> bool:
        """Whether a value of this type may be the argument of `parameter`."""
        if "any" in (self.name, parameter.name):
            return True
        if parameter.name == "float" and self.name == "int":
            return self.many == parameter.many
        return self.name == parameter.name and self.many == parameter.many

    def __str__(self) -> str:
        return f"list[{self.name}]" if self.many else self.name


class Parameter(Value):
    """One argument that a function takes."""

    name: str
    type: TypeRef
    required: bool = True
    default: JsonValue = None
    """The value when the argument is left out; `None` also where the default is not plain data."""
    choices: tuple[str, ...] = ()
    """Words that may be given; none where any may. A sentence that holds just one of them states it."""
    is_variadic: bool = False
    """Stands for `*args` or `**kwargs`: any number of arguments fits."""
    is_positional_only: bool = False
    is_keyword_only: bool = False


class Role(StrEnum):
    """How a planner may use a capability."""

    WORK = "work"
    """Used when the goal or another step needs it. The default."""
    SAMPLE = "sample"
    """Gives shipped sample data: stands in for the user's data, only where its subject is the goal's."""
    CHOOSE = "choose"
    """Picks one of many results; added where such results are made."""
    CHECK = "check"
    """Measures a result; added where such a result is made."""
    PRESENT = "present"
    """Shows a result to a person; added where such a result is made."""

    @property
    def follows(self) -> bool:
        """Whether the step is added by itself once its inputs are there."""
        return self in (Role.CHOOSE, Role.CHECK, Role.PRESENT)


class Capability(Value):
    """A function as offered by nodes. Two nodes offer the same capability when the names are equal."""

    name: CapabilityName
    description: dict[Language, Text]
    """What it does, in one or more languages; planners search these texts."""
    parameters: tuple[Parameter, ...] = ()
    output: TypeRef = TypeRef(name="any")
    returns: Schema = NOTHING
    """What its results are checked against; of a streaming function, the list of all items."""
    keeps_rows: str = ""
    """The parameter that its result has as many rows, or items, as; empty where nothing is promised."""
    specialization: Text = ""
    tags: tuple[Text, ...] = ()
    """Further words by which it should be found, in any language."""
    examples: tuple[Text, ...] = ()
    """Sentences that this function should answer to."""
    role: Role = Role.WORK
    price: int = Field(default=1, ge=0, le=10**12)
    """Credits for one call."""
    expected_s: float = Field(default=1.0, ge=0, le=1e9)
    """Seconds that one call takes, as the node claims."""
    idempotent: bool = True
    """Running it twice has the effect of running it once."""
    aggregates: bool = False
    """Its result says nothing about single records, so that it may go where private data may not."""
    irreversible: bool = False
    """Its effect cannot be undone: a run calls it only once a person has agreed, and never twice."""
    streaming: bool = False
    """Gives items one by one."""
    concurrency: int | None = Field(default=None, ge=1, le=10**6)
    """Calls of it that a node runs at the same time; `None` leaves that to the node."""

    @model_validator(mode="before")
    @classmethod
    def _what_cannot_be_undone_runs_once(cls, fields: Any) -> Any:
        """Whatever a node says of it: nothing sends it again, to be faster or to be sure."""
        if isinstance(fields, Mapping) and fields.get("irreversible"):
            return {**cast("Mapping[str, Any]", fields), "idempotent": False}
        return fields

    @model_validator(mode="after")
    def _keeps_rows_of_a_parameter(self) -> Self:
        if self.keeps_rows and self.parameter(self.keeps_rows) is None:
            raise ValueError(f"{self.name} has no parameter {self.keeps_rows!r} whose rows it could keep")
        return self

    def parameter(self, name: str) -> Parameter | None:
        return next((p for p in self.parameters if p.name == name), None)

    def describe(self, language: Language) -> str:
        """The description in `language`, or in whichever language there is."""
        return self.description.get(language) or next(iter(self.description.values()), self.name)

    def mismatch(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        """Why these arguments cannot be passed, as a sentence; "" where they can."""
        named = [p for p in self.parameters if not p.is_variadic]
        positional = [p for p in named if not p.is_keyword_only]
        takes_more = any(p.is_variadic and not p.is_keyword_only for p in self.parameters)
        if len(args) > len(positional) and not takes_more:
            return f"{self.name} takes {len(positional)} positional argument(s), {len(args)} were given"
        given = {p.name for p in positional[: len(args)]}
        if twice := given & kwargs.keys():
            return f"{self.name} got {sorted(twice)[0]!r} twice"
        takes_any_name = any(p.is_variadic and p.is_keyword_only for p in self.parameters)
        accepted = {p.name for p in named if not p.is_positional_only}
        if (unknown := kwargs.keys() - accepted) and not takes_any_name:
            return f"{self.name} has no argument {sorted(unknown)[0]!r}; it takes {self.signature}"
        if missing := [p.name for p in named if p.required and p.name not in given | kwargs.keys()]:
            return f"{self.name} needs {missing[0]!r}; it takes {self.signature}"
        return ""

    @property
    def signature(self) -> str:
        """The call as a person would write it: `add(a: int, b: int = 0) -> int`.

        The limits of the result follow it: `share(rows: list) -> float (from 0 to 1)`.
        """
        parts = []
        for p in self.parameters:
            star = ("**" if p.is_keyword_only else "*") if p.is_variadic else ""
            default = "" if p.required or p.is_variadic else f" = {p.default!r}"
            parts.append(f"{star}{p.name}: {p.type}{default}")
        limits = range_words(self.returns, "en") or length_words(self.returns, "en")
        return f"{self.name}({', '.join(parts)}) -> {self.output}{f' ({limits})' if limits else ''}"

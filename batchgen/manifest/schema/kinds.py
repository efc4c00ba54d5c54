"""The kinds of values that the language knows: how each is read, and what a JSON Schema says of it."""

from collections.abc import Callable
from typing import Annotated, Any, Final, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
)
from pydantic_core import PydanticKnownError

from batchgen.manifest import names, quantities
from batchgen.terms import Accept, Rate

TAG: Final = "\0"
"""Begins the name of each choice, which pydantic puts into the place of an error; no key holds it."""

_CONTROL: Final = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
_SEGMENT: Final = rf"(?!\.{{1,2}}(/|$))[^/{_CONTROL}]+"
_TIME: Final = r"([0-9]{1,9}(\.[0-9]{1,6})?(ms|[smhd]))"
_PERCENT: Final = r"(100|[0-9]{1,2}(\.[0-9]{1,4})?)%"


class Strict(BaseModel):
    """Nothing is converted, no key is unknown."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=False)


def from_text(kind: Callable[[str], Any], pattern: str = "") -> tuple[PlainValidator, WithJsonSchema]:
    """A text that becomes something else; `kind` raises ValueError with a sentence."""

    def read(value: object) -> Any:
        if not isinstance(value, str):
            raise PydanticKnownError("string_type")
        return kind(value)

    return PlainValidator(read), WithJsonSchema({"type": "string", **({"pattern": pattern} if pattern else {})})


def read_as(kind: Callable[[Any], Any], *forms: dict[str, Any]) -> tuple[PlainValidator, WithJsonSchema]:
    """Anything that `kind` reads, in one of these forms of a JSON Schema."""
    return PlainValidator(kind), WithJsonSchema(forms[0] if len(forms) == 1 else {"anyOf": list(forms)})


def _form(pattern: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^({pattern})$"}


def _checked(check: Callable[[str], str], form: dict[str, Any]) -> tuple[AfterValidator, Any]:
    return AfterValidator(check), Field(json_schema_extra=form)


Text: TypeAlias = Annotated[str, Field(min_length=1)]
Id: TypeAlias = Annotated[
    str, *_checked(names.job_id, {"minLength": 1, "maxLength": 200, "pattern": rf"^(?=.*\S){_SEGMENT}(/{_SEGMENT})*$"})
]
CatalogueName: TypeAlias = Annotated[
    str, *_checked(names.catalogue_name, {"minLength": 1, "maxLength": 200, "pattern": rf"^(?=.*\S){_SEGMENT}$"})
]
AxisName: TypeAlias = Annotated[str, *_checked(names.axis_name, {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"})]
BatchName: TypeAlias = Annotated[str, *_checked(names.batch_name, {"pattern": "^[a-z0-9][a-z0-9_-]{0,63}$"})]
TierName: TypeAlias = Annotated[str, *_checked(names.tier_name, {"pattern": "^[1-9][kK](_[1-9][kK])*$"})]
Takes: TypeAlias = Annotated[int, Field(ge=1, le=1000)]
Count: TypeAlias = Annotated[int, Field(ge=1, le=100_000)]
Dollars: TypeAlias = Annotated[float, Field(ge=0, le=1_000_000_000)]
Duration: TypeAlias = Annotated[float, *read_as(quantities.duration, _form(f"(?=.*[1-9]){_TIME}+"))]
DurationOrNone: TypeAlias = Annotated[
    float | None, *read_as(quantities.duration_or_none, _form(f"none|(?=.*[1-9]){_TIME}+"))
]
RateOrNone: TypeAlias = Annotated[
    Rate | None,
    *read_as(quantities.rate, _form(rf"none|(?!0+/)[0-9]{{1,6}}/(ms|[smhd]|(?=.*[1-9]){_TIME}){_TIME}*")),
]
Share: TypeAlias = Annotated[float, *read_as(quantities.share, _form(_PERCENT))]
CountOrShare: TypeAlias = Annotated[
    Accept, *read_as(quantities.count_or_share, {"type": "integer", "minimum": 0}, _form(_PERCENT))
]

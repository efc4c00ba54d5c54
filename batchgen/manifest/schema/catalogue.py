"""The catalogue: rows of a table, and the matrix of prompts, models and further axes."""

from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import (
    AfterValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from batchgen.manifest.schema.kinds import TAG, AxisName, CatalogueName, CountOrShare, Strict, Text, from_text
from batchgen.manifest.tables import encodings, separators

_SEPARATOR: Final = r"^([^A-Za-z0-9\"']|\s*[A-Za-z]+\s*)$"


class SkipTable(Strict):
    """Bad rows are left out, up to a bound."""

    skip: CountOrShare = Field(description="How many: a number, or a share of all rows.", examples=["1%", 20])


def _tag_of_bad_row(value: object) -> str:
    return TAG + "skip" if isinstance(value, dict) else TAG + "word"


BadRowPolicy: TypeAlias = Annotated[
    Annotated[Literal["stop"], Tag(TAG + "word")] | Annotated[SkipTable, Tag(TAG + "skip")],
    Discriminator(_tag_of_bad_row),
]


class RowsTable(Strict):
    """A table whose rows are products, scenes or whatever pictures are made of."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["id"]}, {"required": ["group_by"]}]})

    from_: Text = Field(
        alias="from",
        description="The table's path: .csv, .tsv, .jsonl or .parquet, each also .gz.",
        examples=["products.csv"],
    )
    group_by: Text | None = Field(
        None, description="A column; rows with the same cell, which stand together, are one.", examples=["Handle"]
    )
    fill_down: list[Text] = Field(
        default_factory=list,
        description="Columns that the other rows of a group take from its first.",
        examples=[["Title", "Vendor"]],
    )
    id: Text | None = Field(
        None, description="A template of the row's id; left out, the cell of `group_by`.", examples=["{{ handle }}"]
    )
    where: Text | None = Field(
        None, description="Which rows are meant: an expression over columns.", examples=["status == 'active'"]
    )
    at_least: Annotated[int, Field(ge=0, le=1_000_000_000)] = Field(
        0, description="Fewer usable rows than this are a mistake in the table."
    )
    on_bad_row: BadRowPolicy = Field("stop", description="stop, or how many bad rows are left out.")
    encoding: Annotated[str, *from_text(encodings.encoding)] | None = Field(
        None, description="When the file is not UTF-8.", examples=["cp1252"]
    )
    separator: Annotated[str, *from_text(separators.separator, _SEPARATOR)] | None = Field(
        None, description="When it is not to be found in the first line.", examples=[";"]
    )

    @model_validator(mode="after")
    def _has_ids(self) -> Self:
        if self.id is None and self.group_by is None:
            raise ValueError('the rows need an id; write a template of columns: id: "{{ sku }}"')
        return self


def _distinct(values: list[str]) -> list[str]:
    if twice := next((value for index, value in enumerate(values) if value in values[:index]), None):
        raise ValueError(f"the value `{twice}` stands twice in this axis")
    return values


AxisValues: TypeAlias = Annotated[
    list[CatalogueName],
    Field(min_length=1, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_distinct),
]
Combination: TypeAlias = Annotated[dict[AxisName, CatalogueName], Field(min_length=1)]


class MatrixTable(Strict):
    """Axes by name, multiplied in the order written; `prompt` and `model` name entries of `prompts` and `models`."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={"propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}},
    )
    __pydantic_extra__: dict[str, AxisValues] = Field(init=False)

    exclude: list[Combination] = Field(
        default_factory=list,
        description="Combinations that are left out; one that names some axes means all that agree with it.",
        examples=[[{"prompt": "scene", "view": "back"}]],
    )
    include: list[Combination] = Field(
        default_factory=list,
        description="Further combinations, each with a value for every axis.",
        examples=[[{"prompt": "packshot", "model": "hero", "view": "detail"}]],
    )

    @property
    def axes(self) -> dict[str, list[str]]:
        """Values by axis, in the order written."""
        extra: dict[str, Any] = self.__pydantic_extra__ or {}
        return dict(extra)

"""What one picture is asked for with: prompts, request fields, references, jobs."""

from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticKnownError

from batchgen.manifest.schema.kinds import TAG, Id, Strict, Takes, Text, read_as


def _tag_of_text(value: object) -> str:
    return TAG + "file" if isinstance(value, dict) else TAG + "none" if value is None else TAG + "text"


_MOST: Final = 2**53
_WHOLE: Final = {"type": "integer", "minimum": 0, "exclusiveMaximum": _MOST}
_TEMPLATE: Final = {"type": "string", "pattern": r"\{\{"}


def _channel(value: object) -> int | str:
    """A number, or the template of one."""
    match value:
        case str() if "{{" in value:
            return value
        case bool():
            raise PydanticKnownError("int_type")
        case int() if value < 0:
            raise PydanticKnownError("greater_than_equal", {"ge": 0})
        case int() if value >= _MOST:
            raise PydanticKnownError("less_than", {"lt": _MOST})
        case int():
            return value
        case _:
            raise PydanticKnownError("int_type")


class PromptFile(Strict):
    """A prompt that stands in a text file."""

    file: Text = Field(description="Path from the manifest's folder; UTF-8.", examples=["prompts/packshot.txt"])


Words: TypeAlias = Annotated[str, Field(json_schema_extra={"pattern": r"\S"})]

PromptText: TypeAlias = Annotated[
    Annotated[Words, Tag(TAG + "text")] | Annotated[PromptFile, Tag(TAG + "file")], Discriminator(_tag_of_text)
]
PromptOrNone: TypeAlias = Annotated[
    Annotated[Words, Tag(TAG + "text")] | Annotated[PromptFile, Tag(TAG + "file")] | Annotated[None, Tag(TAG + "none")],
    Discriminator(_tag_of_text),
]


class ReferenceTable(Strict):
    """Reference pictures that are looked for: files, a URL made from columns, or the cells of a column."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": [name]} for name in ("path", "url", "column")]},
    )

    path: Text | None = Field(
        None,
        description="A path, pattern (* ? [ ]) or template, from the manifest's folder.",
        examples=["shots/{{ handle }}/*.png"],
    )
    url: Text | None = Field(
        None, description="A URL, or a template of one.", examples=["https://cdn.example.com/{{ sku }}.jpg"]
    )
    column: Text | None = Field(
        None, description="A column whose cells hold paths or URLs; all of the row's group.", examples=["Image Src"]
    )
    at_most: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        None, description="How many of those found are taken, the first ones by name or by row."
    )
    missing: Literal["skip", "stop"] = Field(
        "stop", description="What to do when there is none: skip goes on without it, stop is a mistake."
    )

    @model_validator(mode="before")
    @classmethod
    def _one_kind(cls, value: Any) -> Any:
        if isinstance(value, dict):
            given = [name for name in ("path", "url", "column") if name in value]
            if len(given) != 1 or value[given[0]] is None:
                raise ValueError("a reference has one of `path`, `url` and `column`")
        return value

    @property
    def text(self) -> str:
        """The path, URL or column's name."""
        return self.path or self.url or self.column or ""


def _tag_of_reference(value: object) -> str:
    return TAG + "found" if isinstance(value, dict) else TAG + "named"


ReferenceEntry: TypeAlias = Annotated[
    Annotated[Text, Tag(TAG + "named")] | Annotated[ReferenceTable, Tag(TAG + "found")],
    Discriminator(_tag_of_reference),
]
ReferenceList: TypeAlias = list[ReferenceEntry]


class RequestFields(Strict):
    """Fields of the API's request; null drops a default. In the catalogue each may be a template of columns."""

    model: Text | None = Field(
        None, description="The model's name, as the provider lists it.", examples=["nano-banana-pro"]
    )
    aspect_ratio: Text | None = Field(
        None,
        description="Such as 1:1 or 16:9; each model has its own list.",
        examples=["16:9", "{{ ratio | default('1:1') }}"],
    )
    resolution: Text | None = Field(None, description="1K, 2K or 4K.", examples=["2K"])
    output_format: Text | None = Field(
        None, description="png or jpg, for models that offer a choice.", examples=["png"]
    )
    channel_id: Annotated[int | str, *read_as(_channel, _WHOLE, _TEMPLATE)] | None = Field(
        None, description="A route of the provider's, from its list of models.", examples=[3]
    )


class Defaults(RequestFields):
    """Request fields for every job."""

    prompt: PromptOrNone = Field(None, description="For jobs without a prompt of their own.")


class JobEntry(Defaults):
    """One picture, or several takes of it. Its prompt is sent as it stands here."""

    id: Id = Field(
        description="Its name for people and its path; 1 to 200 bytes; slashes make folders.", examples=["shoe"]
    )
    references: ReferenceList | None = Field(None, description="Paths and URLs, in order, in place of the top level's.")
    takes: Takes | None = Field(None, description="How many pictures; several are named id.t1, id.t2 and so on.")


class OverrideEntry(Defaults):
    """Request fields for some of the jobs; of several that hold, the later one wins."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 2})

    when: Text = Field(
        description="For which jobs: an expression over columns and axes.",
        examples=["vendor == 'Acme' and prompt == 'packshot'"],
    )

    @model_validator(mode="after")
    def _sets_something(self) -> Self:
        if self.model_fields_set <= {"when"}:
            raise ValueError("this override sets nothing; write the request fields that it changes")
        return self

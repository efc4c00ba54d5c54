"""The manifest language as types; foreign text becomes data here, strictly, and every key has its sentence."""

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticKnownError

from batchgen.manifest import names, paths, provider, quantities
from batchgen.terms import Rate

LANGUAGE: Final = 1
TAG: Final = "\0"
"""Begins the name of each choice, which pydantic puts into the place of an error; no key holds it."""
RESERVED: Final = "Reserved; not yet supported."


class Strict(BaseModel):
    """Nothing is converted, no key is unknown."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _refuse(_: object, info: ValidationInfo) -> object:
    raise ValueError(f"`{info.field_name}` is not yet supported by this version of batchgen")


def _word(word: object, what: str) -> BeforeValidator:
    """One value only; whatever else the language will know is named as not yet supported."""

    def check(value: object) -> object:
        if value == word and type(value) is type(word):
            return value
        raise ValueError(f"{what} not yet supported; write {str(word).lower()}, or leave it out")

    return BeforeValidator(check)


def _tag_of_text(value: object) -> str:
    return TAG + "file" if isinstance(value, dict) else TAG + "none" if value is None else TAG + "text"


def _tag_of_provider(value: object) -> str:
    return TAG + "server" if isinstance(value, dict) else TAG + "word"


def _as_schema(kind: Callable[[Any], Any], pattern: str) -> tuple[PlainValidator, WithJsonSchema]:
    return PlainValidator(kind), WithJsonSchema({"type": "string", "pattern": pattern})


def _from_text(kind: Callable[[str], Any]) -> tuple[PlainValidator, WithJsonSchema]:
    def read(value: object) -> Any:
        if not isinstance(value, str):
            raise PydanticKnownError("string_type")
        return kind(value)

    return PlainValidator(read), WithJsonSchema({"type": "string"})


def _version(value: object) -> object:
    if type(value) is int and value == LANGUAGE:
        return value
    raise ValueError(f"this batchgen reads version {LANGUAGE} of the manifest language; write batchgen: {LANGUAGE}")


def _reference(value: object) -> object:
    if isinstance(value, dict):
        raise ValueError("a reference written as a mapping is not yet supported; write a path or a URL")  # noqa: TRY004
    return value


NotYet: TypeAlias = Annotated[Any, BeforeValidator(_refuse), Field(description=RESERVED)]
Text: TypeAlias = Annotated[str, Field(min_length=1)]
Id: TypeAlias = Annotated[str, AfterValidator(names.job_id)]
CatalogueName: TypeAlias = Annotated[str, AfterValidator(names.catalogue_name)]
Takes: TypeAlias = Annotated[int, Field(ge=1, le=1000)]
ReferenceList: TypeAlias = list[Annotated[Text, BeforeValidator(_reference)]]
Duration: TypeAlias = Annotated[float, *_as_schema(quantities.duration, r"^([0-9.]+(ms|[smhd]))+$")]
DurationOrNone: TypeAlias = Annotated[
    float | None, *_as_schema(quantities.duration_or_none, r"^(none|([0-9.]+(ms|[smhd]))+)$")
]
RateOrNone: TypeAlias = Annotated[Rate | None, *_as_schema(quantities.rate, r"^(none|[0-9]+/[0-9.]*(ms|[smhd]))$")]
Count: TypeAlias = Annotated[int, Field(ge=1, le=100_000)]


class PromptFile(Strict):
    """A prompt that stands in a text file."""

    file: Text = Field(description="Path from the manifest's folder; UTF-8.")


PromptText: TypeAlias = Annotated[
    Annotated[str, Tag(TAG + "text")] | Annotated[PromptFile, Tag(TAG + "file")], Discriminator(_tag_of_text)
]
PromptOrNone: TypeAlias = Annotated[
    Annotated[str, Tag(TAG + "text")] | Annotated[PromptFile, Tag(TAG + "file")] | Annotated[None, Tag(TAG + "none")],
    Discriminator(_tag_of_text),
]


class RequestFields(Strict):
    """Fields of the API's request; null drops a default."""

    model: Text | None = Field(None, description="The model's name, as the provider lists it.")
    aspect_ratio: Text | None = Field(None, description="Such as 1:1 or 16:9; each model has its own list.")
    resolution: Text | None = Field(None, description="1K, 2K or 4K.")
    output_format: Text | None = Field(None, description="png or jpg, for models that offer a choice.")
    channel_id: Annotated[int, Field(ge=0, lt=2**53)] | None = Field(
        None, description="A route of the provider's, from its list of models."
    )


class Defaults(RequestFields):
    """Request fields for every job."""

    prompt: PromptOrNone = Field(None, description="For jobs without a prompt of their own.")


class JobEntry(Defaults):
    """One picture, or several takes of it."""

    id: Id = Field(description="Its name for people and its path; 1 to 200 bytes; slashes make folders.")
    references: ReferenceList | None = Field(None, description="Paths and URLs, in order, in place of the top level's.")
    takes: Takes | None = Field(None, description="How many pictures; several are named id.t1, id.t2 and so on.")


class ProfileTable(Strict):
    """What a server promises; what is left out is not promised."""

    idempotency: Literal["none", "replay", "reject"] = Field(
        "none", description="What it does with a key it has seen: ignore it, answer as before, or answer 409."
    )
    token_ttl: Duration | None = Field(None, description="How long it remembers a key; left out: for ever.")
    url_ttl: Duration | None = Field(None, description="How long a result URL lives.")
    task_ttl: Duration | None = Field(None, description="How long a task can be asked for.")
    failed_is_free: bool = Field(default=False, description="Whether a failed task is never billed.")


class Server(Strict):
    """A provider that speaks the image API."""

    base_url: Annotated[str, *_from_text(provider.base_url)] = Field(
        provider.XENODIA_URL, description="https; http on this machine only."
    )
    api_key: Annotated[provider.KeySource | None, *_from_text(provider.key_source)] = Field(
        None, description="Where the key stands: env:NAME or file:PATH. Left out: XENODIA_API_KEY or its _FILE."
    )
    profile: ProfileTable | None = Field(None, description="What the server promises.")
    private_hosts: list[Annotated[str, AfterValidator(provider.private_host)]] = Field(
        default_factory=list, description="Names that may hand out pictures from a private network."
    )
    also_known_as: list[Annotated[str, AfterValidator(provider.alias)]] = Field(
        default_factory=list, description="Earlier addresses of the same provider."
    )


ProviderChoice: TypeAlias = Annotated[
    Annotated[Literal["local"], Tag(TAG + "word")] | Annotated[Server, Tag(TAG + "server")],
    Discriminator(_tag_of_provider),
]


class OutputTable(Strict):
    """Where pictures go."""

    path: Annotated[paths.PathTemplate, *_from_text(paths.template)] = Field(
        paths.template("{{ id }}.{{ ext }}"),
        description="Knows {{ id }}, {{ prompt }}, {{ model }}; ends in .{{ ext }}.",
    )
    sidecar: Annotated[Literal["none"], _word("none", "a sidecar file is")] = Field("none", description="none.")
    embed: Annotated[Literal[False], _word(word=False, what="embedding is")] = Field(
        default=False, description="false."
    )
    check: Literal["decode", "structure"] = Field("decode", description="How thoroughly a picture is looked at.")


class ModelLimits(Strict):
    """How much at once and how long."""

    in_flight: Count | None = Field(None, description="Jobs sent and not yet stored, at most.")
    rate: RateOrNone = Field(None, description="Submits in any window of a time, such as 15/10s; or none.")
    give_up_waiting: Duration | None = Field(None, description="How long a run waits for one task before parking it.")


class ExpertTable(Strict):
    """Settings that hardly anybody needs."""

    submit_slots: Count | None = Field(None, description="Submits at the same time, to begin with.")
    submit_slots_most: Count | None = Field(None, description="Submits at the same time, at most.")
    polls_per_second: Annotated[float, Field(gt=0, le=10_000)] | None = Field(
        None, description="Status calls a second, at most."
    )
    downloads: Count | None = Field(None, description="Downloads at the same time.")
    max_bytes: Annotated[int, Field(ge=1024, le=2**40)] | None = Field(
        None, description="Bytes of one picture, at most."
    )
    submit_tries: Count | None = Field(None, description="Calls of one submit while nothing was taken.")
    poll_tries: Count | None = Field(None, description="Calls of one status question.")
    download_tries: Count | None = Field(None, description="Downloads of one picture.")


class LimitsTable(ModelLimits):
    """Limits for all, and for models that need their own."""

    deadline: DurationOrNone = Field(None, description="When a run stops sending and ends, such as 4h; or none.")
    models: dict[Text, ModelLimits] = Field(default_factory=dict, description="By the request's model name.")
    expert: ExpertTable | None = Field(None, description="Settings that hardly anybody needs.")


class FailuresTable(Strict):
    """What is done about failures."""

    attempts: Annotated[int, Field(ge=1, le=100)] | None = Field(None, description="How often a job is attempted.")
    accept: Annotated[Literal[0], _word(0, "accepting failures is")] = Field(0, description="0.")
    stop_at: NotYet = None
    in_doubt: Annotated[Literal["hold"], _word("hold", "sending again what is in doubt is")] = Field(
        "hold", description="A payment in doubt waits for a person."
    )


class ManifestFile(Strict):
    """A batchgen manifest: what pictures are owed."""

    batchgen: Annotated[Literal[1], BeforeValidator(_version)] = Field(description="Version of this language.")
    name: Annotated[str, AfterValidator(names.batch_name)] = Field(description="Name of the batch and its folder.")
    provider: ProviderChoice = Field(default_factory=Server, description="local, or a server.")
    journal: Text | None = Field(None, description="Path of the journal, when not in the batch folder.")
    defaults: Defaults = Field(default_factory=Defaults, description="Request fields for every job.")
    jobs: list[JobEntry] = Field(default_factory=list, description="Explicit jobs.")
    prompts: dict[CatalogueName, PromptText] = Field(default_factory=dict, description="Prompts by name.")
    models: dict[CatalogueName, RequestFields] = Field(default_factory=dict, description="Request fields by name.")
    references: ReferenceList = Field(default_factory=list, description="Paths and URLs for every job, in order.")
    takes: Takes = Field(1, description="Pictures for each job.")
    output: OutputTable = Field(default_factory=OutputTable, description="Where pictures go.")
    limits: LimitsTable = Field(default_factory=LimitsTable, description="How much at once and how long.")
    failures: FailuresTable = Field(default_factory=FailuresTable, description="What is done about failures.")
    rows: NotYet = None
    matrix: NotYet = None
    overrides: NotYet = None
    budget: NotYet = None

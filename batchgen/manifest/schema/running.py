"""Whom pictures are bought from, where they go, and how a run behaves."""

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, Discriminator, Field, Tag

from batchgen.manifest import paths, provider
from batchgen.manifest.schema.kinds import (
    TAG,
    Count,
    CountOrShare,
    Dollars,
    Duration,
    DurationOrNone,
    RateOrNone,
    Share,
    Strict,
    Text,
    TierName,
    from_text,
)


def _tag_of_mapping(value: object) -> str:
    return TAG + "table" if isinstance(value, dict) else TAG + "word"


class ProfileTable(Strict):
    """What a server promises; what is left out is not promised."""

    idempotency: Literal["none", "replay", "reject"] = Field(
        "none", description="What it does with a key it has seen: ignore it, answer as before, or answer 409."
    )
    token_ttl: Duration | None = Field(None, description="How long it remembers a key; left out: for ever.")
    url_ttl: Duration | None = Field(None, description="How long a result URL lives.")
    task_ttl: Duration | None = Field(None, description="How long a task can be asked for.")
    failed_is_free: bool = Field(default=False, description="Whether a failed task is never billed.")


_HERE: Final = r"([a-zA-Z0-9-]+\.)*[lL][oO][cC][aA][lL][hH][oO][sS][tT]|127\.[0-9.]+|\[[0-9a-fA-F:.]+\]"
_URL: Final = rf"^([hH][tT][tT][pP]([sS]://|://({_HERE})(:|/|$)))[^\s@?#\\]*$"
_ALIAS: Final = rf"^local$|{_URL}"
_HOST: Final = r"^([A-Za-z0-9._-]+|[0-9a-fA-F:.]+)$"
_EXT: Final = r"\{\{\s*ext\s*\}\}"
_PATH: Final = rf"^(?![/~])(?!.*(^|/)\.{{0,2}}/)(?!.*\{{[%#])(?!.*\\)(?!.*{_EXT}.*{_EXT}).*\.{_EXT}$"
_KEY: Final = r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.*\S.*)$"


class Server(Strict):
    """A provider that speaks the image API."""

    base_url: Annotated[str, *from_text(provider.base_url, _URL)] = Field(
        provider.XENODIA_URL, description="https; http on this machine only."
    )
    api_key: Annotated[provider.KeySource | None, *from_text(provider.key_source, _KEY)] = Field(
        None, description="Where the key stands: env:NAME or file:PATH. Left out: XENODIA_API_KEY or its _FILE."
    )
    profile: ProfileTable | None = Field(None, description="What the server promises.")
    private_hosts: list[
        Annotated[str, AfterValidator(provider.private_host), Field(json_schema_extra={"pattern": _HOST})]
    ] = Field(default_factory=list, description="Names that may hand out pictures from a private network.")
    also_known_as: list[
        Annotated[str, AfterValidator(provider.alias), Field(json_schema_extra={"pattern": _ALIAS})]
    ] = Field(default_factory=list, description="Earlier addresses of the same provider.")


ProviderChoice: TypeAlias = Annotated[
    Annotated[Literal["local"], Tag(TAG + "word")] | Annotated[Server, Tag(TAG + "table")],
    Discriminator(_tag_of_mapping),
]


class OutputTable(Strict):
    """Where pictures go."""

    path: Annotated[paths.PathTemplate, *from_text(paths.template, _PATH)] = Field(
        paths.template("{{ id }}.{{ ext }}"),
        description="Knows {{ id }}, {{ prompt }}, {{ model }}; ends in .{{ ext }}.",
    )
    sidecar: Literal["none", "json"] = Field("none", description="A file beside each picture that tells of it.")
    embed: bool = Field(default=False, description="Whether a picture itself tells what it was made from.")
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


class StopTable(Strict):
    """When failures stop a run."""

    in_a_row: Count | None = Field(None, description="So many in a row with one reason.", examples=[20])
    share: Share | None = Field(None, description="Or this share of all that finished.", examples=["10%"])
    of_at_least: Count | None = Field(None, description="The share counts once so many have finished.", examples=[200])


class ResendTable(Strict):
    """Payments in doubt are sent again, up to a sum."""

    resend_up_to_usd: Dollars = Field(description="What may be paid twice, in all.", examples=[2])


class FailuresTable(Strict):
    """What is done about failures."""

    attempts: Annotated[int, Field(ge=1, le=100)] | None = Field(None, description="How often a job is attempted.")
    accept: CountOrShare | None = Field(
        None, description="How many failures still count as success: a number, or a share.", examples=[5, "0.1%"]
    )
    stop_at: (
        Annotated[
            Annotated[Literal["off"], Tag(TAG + "word")] | Annotated[StopTable, Tag(TAG + "table")],
            Discriminator(_tag_of_mapping),
        ]
        | None
    ) = Field(None, description="When failures stop a run; or off.", examples=["off", {"in_a_row": 50}])
    in_doubt: Annotated[
        Annotated[Literal["hold"], Tag(TAG + "word")] | Annotated[ResendTable, Tag(TAG + "table")],
        Discriminator(_tag_of_mapping),
    ] = Field("hold", description="A payment in doubt waits for a person, or is sent again up to a sum.")


def _tag_of_price(value: object) -> str:
    return TAG + "tiers" if isinstance(value, dict) else TAG + "flat"


PriceEntry: TypeAlias = Annotated[
    Annotated[Dollars, Tag(TAG + "flat")] | Annotated[dict[TierName, Dollars], Field(min_length=1), Tag(TAG + "tiers")],
    Discriminator(_tag_of_price),
]


class BudgetTable(Strict):
    """What the batch may cost, in USD."""

    max_usd: Dollars | None = Field(None, description="For the batch, ever.", examples=[4500])
    max_usd_per_day: Dollars | None = Field(None, description="For each day, by UTC.", examples=[1500])
    max_usd_per_picture: Dollars | None = Field(None, description="A dearer picture is a mistake.", examples=[0.3])
    ask_above_usd: Dollars | None = Field(None, description="A run that costs more asks first.", examples=[20])
    prices: dict[Text, PriceEntry] = Field(
        default_factory=dict,
        description="What a picture costs, by the request's model name: a number, or by resolution.",
        examples=[{"gpt-image-2": 0.07, "nano-banana-pro": {"1k_2k": 0.12, "4k": 0.24}}],
    )

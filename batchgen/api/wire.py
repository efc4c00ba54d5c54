"""The wire: paths, words, bodies and answers of the image API, as the client and the gateway both speak it.

Nothing here opens a socket. Bodies are byte-identical for equal input, so that a token always goes with one body.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NotRequired, TypeAlias, TypedDict
from urllib.parse import quote

from batchgen.api import Order
from batchgen.errors import Parked
from batchgen.job import FileReference, Job, UrlReference, effective

GENERATIONS: Final = "/v1/images/generations"
MODELS: Final = "/v1/models"
TASKS: Final = "/v1/tasks/"
BALANCE: Final = "/v1/credits/balance"

AUTHORIZATION: Final = "Authorization"
IDEMPOTENCY_KEY: Final = "Idempotency-Key"
RETRY_AFTER: Final = "Retry-After"

State: TypeAlias = Literal["waiting", "queuing", "generating", "success", "fail"]
STATES: Final[tuple[State, ...]] = ("waiting", "queuing", "generating", "success", "fail")
SUCCEEDED: Final = frozenset({"success", "succeeded", "completed", "complete"})
FAILED: Final = frozenset({"fail", "failed", "error", "errored"})
"""The words for an end, trimmed and in lower case; every other word means that the task is still running."""

SCALARS: Final = ("model", "prompt", "aspect_ratio", "resolution", "output_format", "channel_id")
"""The fields of a create that a job may set, in the order in which they are sent."""

FIXED: Final[Mapping[str, Any]] = {"n": 1, "async": True, "response_format": "url"}
"""What every create says: one picture, as a task, by URL."""

URL_FIELDS: Final = ("image_input", "image_input[]")
FILE_FIELDS: Final = ("image", "image[]")

PROMPT_CHARACTERS: Final = 20_000
REFERENCE_BYTES: Final = 30 * 1024 * 1024
REFERENCE_TYPES: Final[Mapping[str, str]] = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
JSON_BYTES: Final = 1024 * 1024
MULTIPART_BYTES: Final = 100 * 1000 * 1000
TOKEN_CHARACTERS: Final = 255
TASK_ID_BYTES: Final = 200


class ImageData(TypedDict):
    """One picture of an answer."""

    url: str


class ImagesAnswer(TypedDict):
    """A finished answer: of a sync create, and under `result` of a task; `created` in unix seconds."""

    created: int
    data: list[ImageData]


class Billing(TypedDict):
    """What a task costs, in millionths of a USDC."""

    status: str
    reserve_amount_micro_usdc: int
    actual_amount_micro_usdc: int
    released_amount_micro_usdc: int


class ErrorBody(TypedDict):
    """The body of every answer of 400 and above."""

    error: str
    message: str
    type: NotRequired[str]
    code: NotRequired[str]


class TaskError(TypedDict, total=False):
    """Why a task failed; empty while it has not."""

    code: str
    message: str
    type: str


class TaskEnvelope(TypedDict):
    """The answer to a create that became a task (202); times in unix seconds."""

    task_id: str
    object: Literal["task"]
    model: str
    type: Literal["image"]
    state: State
    created_at: int
    poll_url: str
    recommended_poll_interval_ms: NotRequired[int]
    eta_hint_seconds: NotRequired[int]


class TaskResource(TaskEnvelope):
    """The answer to a poll, 200 in every state; `result` and `error` are empty objects until there is one."""

    request_id: str
    request: Mapping[str, Any]
    result: Mapping[str, Any]
    error: TaskError
    progress: int
    billing: NotRequired[Billing]
    updated_at: int
    completed_at: int | None


class Balance(TypedDict):
    """What an account has left, in millionths of a USDC."""

    balance_micro_usdc: int


class Channel(TypedDict):
    """One route to a model."""

    id: int
    name: str
    slug: str
    description: str
    price_input_per_m: int
    price_output_per_m: int


class PriceTier(TypedDict):
    """The price of one picture at some resolutions."""

    id: str
    label: str
    unit: str
    price_micro_usdc: int


class Pricing(TypedDict):
    """How a model is priced."""

    mode: str
    tiers: list[PriceTier]


class Parameter(TypedDict):
    """One field of a create and its values."""

    name: str
    enum: list[str]
    required: NotRequired[bool]
    description: NotRequired[str]


class ReferenceInput(TypedDict):
    """What a model takes as references."""

    supported: bool
    transport: list[str]
    max_items: int
    accepted_mime: NotRequired[list[str]]
    max_size_per_file_bytes: NotRequired[int]


class Capabilities(TypedDict):
    """What a model can do."""

    async_supported: bool
    request_mode: list[str]
    pricing: Pricing
    parameters: list[Parameter]
    reference_input: ReferenceInput


class ModelCard(TypedDict):
    """One model of the catalogue; `created_at` and `updated_at` are ISO texts here."""

    id: str
    object: Literal["model"]
    name: str
    owned_by: str
    brand_key: str
    brand_image_url: str
    upstream_id: str
    released_at: str | None
    modalities: list[str]
    description: str
    price_input_per_m: int
    price_output_per_m: int
    enabled: bool
    created_at: str
    updated_at: str
    available_channels: list[Channel]
    capabilities: Capabilities


class ModelList(TypedDict):
    """The catalogue."""

    object: Literal["list"]
    data: list[ModelCard]


@dataclass(frozen=True, slots=True)
class Part:
    """One reference file as it is sent; its name on the wire says nothing of its name here."""

    media_type: str
    data: bytes


def task_path(task_id: str) -> str:
    """The path of one task; any id stays one path segment."""
    quoted = quote(task_id, safe="", errors="replace")
    return TASKS + (quoted.replace(".", "%2E") if quoted in {".", ".."} else quoted)


def order(job: Job, token: str, *, files: Mapping[str, bytes], urls: Mapping[str, str]) -> Order:
    """The submit of one attempt.

    Args:
        job: what is bought.
        token: the attempt's idempotency key.
        files: the bytes of the job's file references, by path.
        urls: for references with a signature, the whole URL by the stored one.

    Raises:
        Parked: a signed URL is not among `urls`: the manifest no longer has it.
    """
    sent = [_whole(each, job, urls) for each in job.request.references if isinstance(each, UrlReference)]
    parts = [
        Part(each.media_type, files[each.path]) for each in job.request.references if isinstance(each, FileReference)
    ]
    content_type, body = encode_create(effective(job.request, job.recipe), sent, parts, token)
    return Order(token, job.request.model, content_type, body)


def encode_create(
    fields: Mapping[str, Any], urls: Sequence[str], files: Sequence[Part], token: str
) -> tuple[str, bytes]:
    """Content type and body of a create: JSON, or multipart when files go along (URLs first, then files).

    Code points that no encoding has (lone surrogates) are sent as U+FFFD.
    """
    scalars = {**{name: fields[name] for name in SCALARS if fields.get(name) is not None}, **FIXED}
    if files:
        return _multipart(scalars, urls, files, token)
    document = scalars | ({"image_input": list(urls)} if urls else {})
    return "application/json", _utf8(json.dumps(document, ensure_ascii=False, separators=(",", ":")))


def prompt_of(content_type: str, body: bytes) -> str:
    """The prompt in a body of `encode_create`, so that it can be kept out of messages."""
    if content_type == "application/json":
        return str(json.loads(body)["prompt"])
    heading = _heading("prompt") + b"\r\n\r\n"
    edge = b"\r\n--" + content_type.rpartition("=")[2].encode("ascii")
    return body.partition(heading)[2].partition(edge)[0].decode("utf-8")


def _whole(reference: UrlReference, job: Job, urls: Mapping[str, str]) -> str:
    if not reference.signed:
        return reference.url
    if reference.url not in urls:
        raise Parked(f"job {job.id}: a signed reference URL is no longer in the manifest; put it back and run again")
    return urls[reference.url]


def _multipart(scalars: Mapping[str, Any], urls: Sequence[str], files: Sequence[Part], token: str) -> tuple[str, bytes]:
    pieces = [(_heading(name), _utf8(_as_text(value))) for name, value in scalars.items()]
    pieces += [(_heading("image_input[]"), _utf8(url)) for url in urls]
    pieces += [(_file_heading(number, part), part.data) for number, part in enumerate(files, start=1)]
    boundary = _boundary(token, [content for _, content in pieces])
    edge = b"--" + boundary
    chunks = [piece for heading, content in pieces for piece in (edge, b"\r\n", heading, b"\r\n\r\n", content, b"\r\n")]
    return f"multipart/form-data; boundary={boundary.decode('ascii')}", b"".join([*chunks, edge, b"--\r\n"])


def _heading(name: str) -> bytes:
    return f'Content-Disposition: form-data; name="{name}"'.encode("ascii")


def _file_heading(number: int, part: Part) -> bytes:
    name = f"reference-{number}.{REFERENCE_TYPES.get(part.media_type, 'bin')}"
    return _heading("image[]") + f'; filename="{name}"\r\nContent-Type: {part.media_type}'.encode("ascii")


def _boundary(token: str, contents: Sequence[bytes]) -> bytes:
    """A boundary that follows from the token and stands in none of the contents."""
    boundary = b"batchgen-" + hashlib.sha256(_utf8(token)).hexdigest()[:32].encode("ascii")
    while any(boundary in content for content in contents):
        boundary = b"batchgen-" + hashlib.sha256(boundary).hexdigest()[:32].encode("ascii")
    return boundary


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _utf8(text: str) -> bytes:
    """UTF-8, with the replacement character where a lone surrogate stands."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode("utf-8")

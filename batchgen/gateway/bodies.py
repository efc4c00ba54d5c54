"""Reads a create, JSON or multipart: streamed, counted, hashed, and checked before anything is sold."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import anyio
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.types import Message

from batchgen.api import wire
from batchgen.gateway.models import CHANNEL
from batchgen.gateway.refusal import Refusal, bad
from batchgen.picture import MAX_PIXELS, describe, sniff

_MOST_PARTS: Final = 64
LONGEST_URL: Final = 2048
URL: Final = (
    r"[hH][tT][tT][pP][sS]?://[0-9a-zA-Z](?:[0-9a-zA-Z._-]*[0-9a-zA-Z])?(?::[0-9]{1,5})?(?:[/?#][^\x00-\x20\x7f]*)?"
)
"""An address of a reference, as the manual says it too: a name that anybody can look up, no user name, no space."""

FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}


class Create(BaseModel):
    """The body of a create; fields that the API does not know are passed over."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    model: str = Field(min_length=1)
    prompt: str = Field(min_length=1, max_length=wire.PROMPT_CHARACTERS)
    n: int = Field(default=1, ge=1, le=1)
    as_task: bool = Field(default=False, alias="async")
    response_format: Literal["url"] = "url"
    aspect_ratio: str | None = None
    resolution: str | None = None
    output_format: str | None = None
    channel_id: int | None = Field(default=None, ge=CHANNEL, le=CHANNEL)
    image_input: list[str] = []


_NAMES: Final = frozenset(each.alias or name for name, each in Create.model_fields.items())


@dataclass(frozen=True, slots=True)
class Received:
    """A create as it came: its fields, the bytes of its reference files, the sha256 of its whole body."""

    create: Create
    files: tuple[bytes, ...]
    body_sha256: str

    @property
    def payload_sha256(self) -> str:
        """The sha256 of what was said, whatever form, order or boundary it came in."""
        said = self.create.model_dump(by_alias=True)
        meant = {**said, "files": [hashlib.sha256(data).hexdigest() for data in self.files]}
        return hashlib.sha256(json.dumps(meant, sort_keys=True).encode()).hexdigest()


async def receive(request: Request, body_seconds: float) -> Received:
    """Read and check one create, whose body has this long to arrive.

    Raises:
        Refusal: 400, 408, 413 or 415, and nothing was sold.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    match kind:
        case "application/json":
            counted = _Counted(request, wire.JSON_BYTES)
        case "multipart/form-data":
            counted = _Counted(request, wire.MULTIPART_BYTES)
        case _:
            raise Refusal(415, "unsupported_media_type", "send application/json or multipart/form-data")
    with anyio.move_on_after(body_seconds):
        fields, files = await (_json(counted) if kind == "application/json" else _form(counted))
        return Received(_checked(fields), files, counted.sha256())
    raise Refusal(408, "request_timeout", f"the body did not arrive within {body_seconds:g} s")


class _Counted:
    """A request whose body is counted and hashed on its way in."""

    def __init__(self, request: Request, most: int) -> None:
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > most:
            raise _too_large(most)
        self._inner, self._most, self._seen, self._hash = request.receive, most, 0, hashlib.sha256()
        self.request = Request(request.scope, self._next)

    def sha256(self) -> str:
        """The hash of all that came."""
        return self._hash.hexdigest()

    async def _next(self) -> Message:
        message = await self._inner()
        chunk = message.get("body", b"")
        self._seen += len(chunk)
        if self._seen > self._most:
            raise _too_large(self._most)
        self._hash.update(chunk)
        return message


async def _json(counted: _Counted) -> tuple[Mapping[str, Any], tuple[bytes, ...]]:
    body = await counted.request.body()
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise bad("invalid_json", "the body is not valid JSON") from None
    if not isinstance(document, dict):
        raise bad("invalid_json", "the body is not a JSON object")
    return document, ()


async def _form(counted: _Counted) -> tuple[Mapping[str, Any], tuple[bytes, ...]]:
    async with counted.request.form(max_files=_MOST_PARTS, max_fields=_MOST_PARTS) as form:
        uploads = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
        return _fields(form), tuple([await _file(each) for each in uploads])


def _fields(form: FormData) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    urls = []
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            if name not in {*wire.FILE_FIELDS, *wire.URL_FIELDS}:
                raise bad("invalid_field", "a file came in a field that takes none; send it as image[]")
        elif name in wire.URL_FIELDS:
            urls.append(value)
        elif name in fields and name in _NAMES:
            raise bad("invalid_field", f"{name} was sent twice")
        elif name in wire.FILE_FIELDS:
            raise bad("invalid_field", "image takes a file; send a URL as image_input[]")
        else:
            fields[name] = _typed(name, value)
    return {**fields, "image_input": urls}


def _typed(name: str, value: str) -> str | int | bool:
    if name == "async" and value.lower() in FLAGS:
        return FLAGS[value.lower()]
    if name in {"n", "channel_id"} and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return value


async def _file(upload: UploadFile) -> bytes:
    if (upload.size or 0) > wire.REFERENCE_BYTES:
        raise Refusal(413, "file_too_large", f"a reference file has at most {wire.REFERENCE_BYTES} bytes")
    data = await upload.read()
    found = sniff(data)
    if found is None:
        raise bad("invalid_image", f"a reference file is {describe(data)}; send PNG, JPEG or WebP")
    if found.width * found.height > MAX_PIXELS:
        raise bad("invalid_image", "a reference picture has too many pixels")
    return data


def _checked(fields: Mapping[str, Any]) -> Create:
    try:
        create = Create.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise bad("invalid_field", f"{place}: {first['msg']}") from None
    for url in create.image_input:
        _check_url(url)
    return create


def _check_url(url: str) -> None:
    if len(url) > LONGEST_URL or re.fullmatch(URL, url) is None:
        raise bad("invalid_image_input", "image_input takes public http or https URLs; send local files as image[]")


def _too_large(most: int) -> Refusal:
    return Refusal(413, "body_too_large", f"the body has more than {most} bytes")

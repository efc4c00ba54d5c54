"""A picture that we owe the user: its two names, its request, its token; never a clock, a file or a socket.

The *id* is what people see. The *fingerprint* is what is bought: a hash of the effective request, the bytes of
local references and the take. A job is always compared by the recipe that it was bought with, so no release of
batchgen makes a picture "changed".
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit, urlunsplit

RECIPE: Final = 1
"""The recipe that new jobs are bought with."""

_quoted: Final = json.encoder.encode_basestring_ascii
_SIGNATURE: Final = ("x-amz-", "x-goog-")
_SIGNATURE_NAMES: Final = frozenset({"signature", "expires", "key-pair-id", "sig", "se", "sp", "sv", "token"})
_BASE32: Final = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS: Final = tuple(first + second for first in _BASE32 for second in _BASE32)
_SHIFTS: Final = range(126, 5, -10)

_DEFAULTS: Final[Mapping[int, Mapping[str, Mapping[str, str]]]] = {
    1: {
        "nano-banana-pro": {"aspect_ratio": "1:1", "resolution": "1K", "output_format": "png"},
        "gpt-image-2": {"aspect_ratio": "auto", "resolution": "1K"},
    },
}
"""What an unset field means, by recipe and model. Frozen: a new default needs a new recipe."""


@dataclass(frozen=True, slots=True)
class FileReference:
    """A local reference picture, known by its bytes; `path` is relative to the manifest's root, with slashes."""

    path: str
    sha256: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True)
class UrlReference:
    """A reference picture that the provider fetches; `signed` says that `url` lacks its signature parameters."""

    url: str
    signed: bool = False


Reference: TypeAlias = FileReference | UrlReference


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for, after precedence and before defaults; `take` tells equal requests apart, from 1."""

    model: str
    prompt: str
    aspect_ratio: str | None = None
    resolution: str | None = None
    output_format: str | None = None
    channel_id: int | None = None
    references: tuple[Reference, ...] = ()
    take: int = 1


FIELDS: Final = tuple(f.name for f in fields(Request) if f.name not in {"references", "take"})
"""The request fields that a manifest may set and the API knows, in the order of the API's page."""


@dataclass(frozen=True, slots=True, eq=False)
class InputRow:
    """One record of the user's table, or a group of them; `number` is the spreadsheet row of its first record, from 2.

    `id` is the rendered id, `cells` are the first record's cells as written, by header. All jobs of one row share
    one object.
    """

    number: int
    id: str
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Draft:
    """A job as the manifest states it, not yet owed; `path` is where its picture goes, without the extension.

    `row` is the input row that it was made from and `axes` its values by axis name; neither is bought.
    """

    id: str
    request: Request
    path: str
    fingerprint: str
    recipe: int = RECIPE
    row: InputRow | None = field(default=None, compare=False)
    axes: Mapping[str, str] = field(default_factory=dict, compare=False, hash=False)


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the journal owes it; `number` is its own for ever, (id, fingerprint) is unique in a batch."""

    number: int
    id: str
    fingerprint: str
    recipe: int
    request: Request
    path: str


@dataclass(frozen=True, slots=True)
class Asset:
    """One stored file: `name` relative to the batch folder, `size` in bytes, hashes as lower-case hex.

    `sha256` is that of the file, `sha256_received` that of the bytes as the provider sent them.
    """

    name: str
    size: int
    sha256: str
    sha256_received: str
    media_type: str
    width: int
    height: int


def draft(job_id: str, request: Request, path: str) -> Draft:
    """Name a request both ways, by the newest recipe."""
    return Draft(job_id, request, path, fingerprint(request))


def effective(request: Request, recipe: int = RECIPE) -> dict[str, Any]:
    """The fields that are sent and hashed: what was asked for over the recipe's defaults, unset ones left out.

    The API's own defaults are not relied on: upstream does not always apply them.
    """
    asked = {name: value for name in FIELDS if (value := getattr(request, name)) is not None}
    return {**_DEFAULTS[recipe].get(request.model, {}), **asked}


def fingerprint(request: Request, recipe: int = RECIPE) -> str:
    """64 hex digits that change exactly when another picture would be bought."""
    recipe_input: dict[str, Any] = {"recipe": recipe, **effective(request, recipe)}
    if request.references:
        recipe_input["references"] = [_reference_key(reference) for reference in request.references]
    if request.take != 1:
        recipe_input["take"] = request.take
    text = json.dumps(recipe_input, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


class Fingerprints:
    """The fingerprints of requests that differ in nothing but prompt, references and take, each for two hashes' price.

    They are those of `fingerprint`: the text that is hashed is cut once, where these fields go.
    """

    def __init__(self, request: Request, recipe: int = RECIPE) -> None:
        fixed = {**effective(request, recipe), "prompt": None, "recipe": recipe}
        text = json.dumps(fixed, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        self._head, _, rest = text.partition('"prompt":null')
        between, recipe_key, self._tail = rest.partition(f'"recipe":{recipe}')
        self._head += '"prompt":'
        self._between = between + recipe_key

    def of(self, prompt: str, references: tuple[Reference, ...] = (), take: int = 1) -> str:
        """The fingerprint of the request with these."""
        listed = ""
        if references:
            keys = [_reference_key(reference) for reference in references]
            listed = ',"references":' + json.dumps(keys, sort_keys=True, separators=(",", ":"))
        tail = self._tail if take == 1 else f'{self._tail[:-1]},"take":{take}}}'
        text = f"{self._head}{_quoted(prompt)}{self._between}{listed}{tail}"
        return hashlib.sha256(text.encode("ascii")).hexdigest()


def token(batch_id: str, number: int, attempt: int, fingerprint: str) -> str:
    """The idempotency key of an attempt: 29 ASCII characters, the same whenever it is made again."""
    digest = hashlib.sha256(f"{batch_id}\0{number}\0{attempt}\0{fingerprint}".encode()).digest()
    bits = int.from_bytes(digest[:17])
    return "bg-" + "".join([_PAIRS[bits >> shift & 1023] for shift in _SHIFTS])


def without_signature(url: str) -> str:
    """The URL less its signature parameters, which are neither stored nor part of a fingerprint."""
    parts = urlsplit(url)
    kept = [pair for pair in parts.query.split("&") if pair and not _signs(pair)]
    return urlunsplit(parts._replace(query="&".join(kept)))


def _signs(pair: str) -> bool:
    name = pair.split("=", 1)[0].lower()
    return name.startswith(_SIGNATURE) or name in _SIGNATURE_NAMES


def _reference_key(reference: Reference) -> dict[str, str]:
    match reference:
        case FileReference(sha256=sha256):
            return {"sha256": sha256}
        case UrlReference(url=url):
            return {"url": without_signature(url)}

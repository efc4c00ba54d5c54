"""Milestones and requests as the journal's text, and the seal that proves a row; never writes a signature.

The text is compact JSON with sorted keys, so that equal values are equal bytes. What comes back is held to the
exact shape that was written: a key too many or too few, or a value of another kind, is damage and no guess.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache, partial
from hashlib import blake2b
from typing import Any, Final, Literal, TypeAlias, cast, get_args, get_origin, get_type_hints

from batchgen.errors import Damaged
from batchgen.job import FileReference, Reference, Request, UrlReference, without_signature
from batchgen.lifecycle import FOLLOWS, Milestone

KINDS: Final[Mapping[str, type[Milestone]]] = {kind.__name__: kind for kind in FOLLOWS}
"""Milestones by the name that the journal gives them."""

_SORTED: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode
_quoted: Final = json.encoder.encode_basestring_ascii

Sealable: TypeAlias = str | int | float | bytes | None


_UNSET: Final = {each.name: None for each in fields(Request) if each.default is None}


def seal(*values: Sealable) -> bytes:
    """Eight bytes that prove a row: a single flipped bit in any value gives another seal."""
    return blake2b(repr(values).encode("utf-8", "surrogatepass"), digest_size=8).digest()


def encode_milestone(milestone: Milestone) -> str:
    """All that a milestone carries, but for its kind and attempt, which are columns of their own."""
    parts, kind = [], cast(Any, milestone.__class__)
    for name, key in _keys(kind):
        value = getattr(milestone, name)
        if name == "urls":
            value = tuple(map(_bare, value))
        if name != "attempt":
            parts.append(key + _written(value))
    return "{" + ",".join(parts) + "}"


def decode_milestone(kind: str, attempt: int, body: str) -> Milestone:
    """The milestone of a row.

    Raises:
        Damaged: no such kind, or not what `encode_milestone` writes.
    """
    if kind not in KINDS:
        raise Damaged(f"The journal holds a milestone of unknown kind {kind!r}; keep it and ask for help.")
    value = _object(body)
    if "attempt" in value:
        raise _damage(kind)
    return _built(KINDS[kind], {"attempt": attempt, **value})  # type: ignore[no-any-return]


def encode_request(request: Request) -> str:
    """A request without the fields that are not set, its URLs without their signatures."""
    fixed = (
        *(request.model, request.aspect_ratio, request.resolution, request.output_format, request.channel_id),
        request.take,
    )
    head, tail = _around_prompt(fixed)
    references = _text([_reference(each) for each in request.references]) if request.references else "[]"
    return f'{head}"prompt":{_quoted(request.prompt)},"references":{references}{tail}'


@cache
def _around_prompt(fixed: tuple[str | int | None, ...]) -> tuple[str, str]:
    """What stands before the prompt and after the references of a request; of a million requests it is mostly one."""
    names = ("model", "aspect_ratio", "resolution", "output_format", "channel_id", "take")
    body = {name: value for name, value in zip(names, fixed, strict=True) if value is not None}
    before = {name: value for name, value in body.items() if name < "prompt"}
    after = {name: value for name, value in body.items() if name > "references"}
    return _text(before).removesuffix("}") + ",", "," + _text(after).removeprefix("{")


def decode_request(body: str) -> Request:
    """The request of a row.

    Raises:
        Damaged: not what `encode_request` writes.
    """
    value = _object(body)
    return _built(Request, {**_UNSET, **value})  # type: ignore[no-any-return]


def encode_texts(texts: Mapping[str, str]) -> str:
    """Texts by name, in their own order."""
    return "{" + ",".join([f"{_quoted(name)}:{_quoted(text)}" for name, text in texts.items()]) + "}"


def decode_texts(body: str) -> dict[str, str]:
    """Texts by name.

    Raises:
        Damaged: not what `encode_texts` writes.
    """
    value = _object(body) if body != "{}" else {}
    if not all(isinstance(each, str) for each in value.values()):
        raise _damage("text")
    return value


def _reference(reference: Reference) -> dict[str, Any]:
    match reference:
        case FileReference():
            return _plain(reference)
        case UrlReference(url=url, signed=signed):
            bare = without_signature(url)
            return {"signed": signed or bare != url, "url": bare}


def _read_reference(value: Any) -> Reference:
    is_url = isinstance(value, dict) and "url" in value
    return _built(UrlReference if is_url else FileReference, value)  # type: ignore[no-any-return]


def _bare(url: str) -> str:
    return url.split("?", 1)[0].split("#", 1)[0]


def _text(body: dict[str, Any] | list[Any]) -> str:
    # ASCII, because a lone surrogate in a server's words must not make a milestone unwritable.
    return _SORTED(body)


def _object(body: str) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise _damage("row")
    return value


@cache
def _keys(kind: Any) -> tuple[tuple[str, str], ...]:
    """The fields of a dataclass, sorted, each with how it begins in the text."""
    return tuple((name, f'"{name}":') for name in sorted(f.name for f in fields(kind)))


def _written(value: Any) -> str:
    """One value as the text, without a dictionary between: this is done for every milestone."""
    match value:
        case str():
            return _quoted(value)
        case None | bool() | int() | float():
            return _SORTED(value) if value.__class__ is not int else int.__repr__(value)
        case tuple():
            return "[" + ",".join(map(_written, value)) + "]"
        case _:
            return "{" + ",".join([key + _written(getattr(value, name)) for name, key in _keys(value.__class__)]) + "}"


def _plain(value: Any) -> dict[str, Any]:
    """A dataclass of scalars as the text has it."""
    return {name: getattr(value, name) for name, _ in _keys(value.__class__)}


@cache
def _readers(kind: type[Any]) -> dict[str, Callable[[Any], Any]]:
    hints = get_type_hints(kind)
    return {f.name: _reader(hints[f.name], kind.__name__) for f in fields(kind)}


def _reader(hint: Any, where: str) -> Callable[[Any], Any]:
    if get_origin(hint) is tuple:
        return _tuple_reader(get_args(hint)[0], where)
    if is_dataclass(hint):
        return partial(_built, hint)
    return _scalar_reader(hint, where)


def _tuple_reader(hint: Any, where: str) -> Callable[[Any], Any]:
    each = _read_reference if hint == Reference else _reader(hint, where)

    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise _damage(where)
        return tuple(each(one) for one in value)

    return read


def _scalar_reader(hint: Any, where: str) -> Callable[[Any], Any]:
    words = get_args(hint) if get_origin(hint) is Literal else ()
    # By exact type, because a bool is an int to isinstance, and a price is none.
    kinds = frozenset({str} if words else (get_args(hint) or (hint,)))

    def read(value: Any) -> Any:
        if type(value) not in kinds or (words and value not in words):
            raise _damage(where)
        return value

    return read


def _built(kind: Any, value: Any) -> Any:
    readers = _readers(kind)
    if not isinstance(value, dict) or value.keys() != readers.keys():
        raise _damage(kind.__name__)
    return kind(**{name: read(value[name]) for name, read in readers.items()})


def _damage(where: str) -> Damaged:
    return Damaged(f"A {where} in the journal is not as it was written; keep it, and put a copy back or ask for help.")

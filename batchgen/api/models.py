"""What each model takes: built-in rules, widened by the provider's catalogue, which can never narrow them.

Everything is checked before anything is sent. What the catalogue cannot express, rules across fields, stands here.
"""

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from batchgen.api import answers, wire
from batchgen.api.outcomes import Answer
from batchgen.errors import Unavailable
from batchgen.job import FileReference, Reference, Request, UrlReference, effective

CHOICES: Final = ("aspect_ratio", "resolution", "output_format")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request would be refused: the field, what is wrong, and what to write instead (empty when unknown)."""

    field: str
    message: str
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What one model takes.

    A field that is not in `values` is not supported; an empty tuple takes anything. `references` is the most at once,
    `reference_bytes` per file. `tiers` are prices in micro-USD by tier name, `flat` the price of any picture.
    """

    model: str
    values: Mapping[str, tuple[str, ...]]
    references: int = 0
    reference_types: tuple[str, ...] = tuple(wire.REFERENCE_TYPES)
    reference_bytes: int = wire.REFERENCE_BYTES
    channels: tuple[int, ...] = ()
    tiers: Mapping[str, int] = field(default_factory=dict)
    flat: int | None = None
    enabled: bool = True

    def price_micro_usd(self, request: Request) -> int | None:
        """The price of one picture, None when the catalogue names none (a price of 0 means not filled in)."""
        resolution = str(effective(request).get("resolution", "1K")).lower()
        for name, price in self.tiers.items():
            if resolution in name.lower().split("_"):
                return price or None
        return self.flat or None


NANO_BANANA_PRO: Final = Rules(
    "nano-banana-pro",
    {
        "aspect_ratio": ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9", "auto"),
        "resolution": ("1K", "2K", "4K"),
        "output_format": ("png", "jpg"),
    },
    references=8,
)
GPT_IMAGE_2: Final = Rules(
    "gpt-image-2",
    {"aspect_ratio": ("auto", "1:1", "9:16", "16:9", "4:3", "3:4"), "resolution": ("1K", "2K", "4K")},
    references=16,
)
BUILT_IN: Final[Mapping[str, Rules]] = {rules.model: rules for rules in (NANO_BANANA_PRO, GPT_IMAGE_2)}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The rules of every model known; `warnings` says in sentences what could not be learned."""

    rules: Mapping[str, Rules] = field(default_factory=lambda: BUILT_IN)
    warnings: tuple[str, ...] = ()

    def check(self, request: Request) -> tuple[Problem, ...]:
        """Everything that would make the provider refuse this request; empty when nothing is known to."""
        rules = self.rules.get(request.model)
        if rules is None:
            near = _nearest(request.model, self.rules)
            return (Problem("model", f"{request.model!r} is not a model that this provider sells", near),)
        return tuple(_problems(request, rules))

    def price_micro_usd(self, request: Request) -> int | None:
        """The price of one picture, None when unknown."""
        rules = self.rules.get(request.model)
        return rules.price_micro_usd(request) if rules else None


class Ask(Protocol):
    """Asks for `GET /v1/models` once; raises Unavailable."""

    async def __call__(self, *, anonymously: bool) -> Answer:
        """Ask, with or without the credential."""
        ...


async def fetch(ask: Ask) -> Catalogue:
    """Ask for the catalogue, without a key first; whatever goes wrong leaves the built-in rules and a warning."""
    try:
        answer = await ask(anonymously=True)
        if answer.status in {401, 402}:
            answer = await ask(anonymously=False)
    except Unavailable as error:
        return Catalogue(warnings=(f"the catalogue of models cannot be read, built-in rules are used: {error}",))
    if answer.status != 200:
        said = f"the provider answered {answer.status}"
        return Catalogue(warnings=(f"the catalogue of models cannot be read, built-in rules are used: {said}",))
    return read(answers.document(answer.body))


def read(document: Mapping[str, Any] | None) -> Catalogue:
    """The rules that a catalogue's JSON gives together with the built-in ones; what is not understood is left out."""
    cards = (document or {}).get("data")
    listed = [card for card in cards if _is_image_card(card)] if isinstance(cards, list) else []
    if not listed:
        return Catalogue(warnings=("the catalogue of models lists no image model, built-in rules are used",))
    found = {str(card["id"]): _rules(card) for card in listed}
    gone = [name for name in BUILT_IN if name not in found]
    warnings = tuple(f"{name} is not in the provider's catalogue; built-in rules are used" for name in gone)
    return Catalogue({**BUILT_IN, **found}, warnings)


def _is_image_card(card: object) -> bool:
    if not isinstance(card, dict) or not isinstance(card.get("id"), str):
        return False
    modalities = card.get("modalities")
    return card["id"] in BUILT_IN or not isinstance(modalities, list) or "image" in modalities


def _rules(card: Mapping[str, Any]) -> Rules:
    """One card over the built-in rules of its model: it can add values, never take one away."""
    able = _object(card.get("capabilities"))
    pricing = _object(able.get("pricing"))
    taken, offered = _object(able.get("reference_input")), _enums(able.get("parameters"))
    base = BUILT_IN.get(card["id"]) or Rules(card["id"], dict.fromkeys(CHOICES, ()) if not offered else {})
    most = _count(taken.get("max_items")) or 0
    return replace(
        base,
        values={name: _merged(base.values.get(name), offered.get(name)) for name in _known(base, offered)},
        references=max(base.references, most if taken.get("supported") is not False else 0),
        reference_types=_merged(base.reference_types, _texts(taken.get("accepted_mime"))),
        reference_bytes=max(base.reference_bytes, _count(taken.get("max_size_per_file_bytes")) or 0),
        channels=tuple(_channels(card.get("available_channels"))),
        tiers=dict(_tiers(pricing.get("tiers"))),
        flat=_count(pricing.get("price_micro_usdc")),
        enabled=card.get("enabled") is not False,
    )


def _known(base: Rules, offered: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The choice fields a model takes; a built-in model gains no field, since its pages say what is refused."""
    return [name for name in CHOICES if name in base.values or (name in offered and base.model not in BUILT_IN)]


def _merged(ours: tuple[str, ...] | None, theirs: tuple[str, ...] | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*(ours or ()), *(theirs or ()))))


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    return (each for each in value if isinstance(each, dict)) if isinstance(value, list) else iter(())


def _texts(value: object) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _enums(value: object) -> dict[str, tuple[str, ...]]:
    return {str(each.get("name")): _texts(each.get("enum")) for each in _objects(value)}


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        return None
    return int(value)


def _tiers(value: object) -> Iterator[tuple[str, int]]:
    for each in _objects(value):
        price = _count(each.get("price_micro_usdc"))
        if price is not None and isinstance(each.get("id"), str):
            yield each["id"], price


def _channels(value: object) -> Iterator[int]:
    return (number for each in _objects(value) if (number := _count(each.get("id"))) is not None)


def _problems(request: Request, rules: Rules) -> Iterator[Problem]:
    if not rules.enabled:
        yield Problem("model", f"{rules.model} is switched off by the provider at present")
    if not request.prompt.strip():
        yield Problem("prompt", "the prompt is empty")
    for name in CHOICES:
        yield from _choice(name, getattr(request, name), rules)
    if request.channel_id is not None and rules.channels and request.channel_id not in rules.channels:
        shown = ", ".join(map(str, rules.channels))
        yield Problem("channel_id", f"{rules.model} has no channel {request.channel_id}; it has {shown}")
    yield from _across(request)
    yield from _references(request.references, rules)


def _choice(name: str, value: str | None, rules: Rules) -> Iterator[Problem]:
    if value is None:
        return
    if name not in rules.values:
        yield Problem(name, f"{rules.model} does not take {name}; leave it out")
    elif rules.values[name] and value not in rules.values[name]:
        shown = ", ".join(rules.values[name])
        near = _nearest({"jpeg": "jpg"}.get(value.lower(), value), rules.values[name])
        yield Problem(name, f"{rules.model} has no {name} {value!r}; it has {shown}", near)


def _across(request: Request) -> Iterator[Problem]:
    """Rules over two fields of gpt-image-2, for which an unset aspect_ratio is auto."""
    fields = effective(request)
    match request.model, fields.get("aspect_ratio"), fields.get("resolution"):
        case "gpt-image-2", "auto", "2K" | "4K" as resolution:
            asked = "auto" if request.aspect_ratio else "unset"
            yield Problem("resolution", f"gpt-image-2 does not make {resolution} with aspect_ratio {asked}", "1K")
        case "gpt-image-2", "1:1", "4K":
            yield Problem("resolution", "gpt-image-2 does not make 4K with aspect_ratio 1:1", "2K")


def _references(references: tuple[Reference, ...], rules: Rules) -> Iterator[Problem]:
    if len(references) > rules.references:
        most = f"at most {rules.references} references" if rules.references else "no references"
        yield Problem("references", f"{rules.model} takes {most}; this job has {len(references)}")
    for reference in references:
        match reference:
            case FileReference():
                yield from _file(reference, rules)
            case UrlReference(url=url) if not _is_web_url(url):
                yield Problem("references", "a reference URL must be http or https, with a host and without spaces")


def _file(reference: FileReference, rules: Rules) -> Iterator[Problem]:
    if reference.media_type not in rules.reference_types:
        shown = ", ".join(kind.removeprefix("image/") for kind in rules.reference_types)
        kind = reference.media_type or "no picture"
        yield Problem("references", f"{reference.path} is {kind}; {rules.model} takes {shown}")
    if reference.size == 0:
        yield Problem("references", f"{reference.path} is empty")
    if reference.size > rules.reference_bytes:
        yield Problem(
            "references", f"{reference.path} has {reference.size} bytes; {rules.model} takes {rules.reference_bytes}"
        )


def _is_web_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not any(char <= " " for char in url)


def _nearest(asked: str, known: Iterable[str]) -> str:
    """The known name that was probably meant; empty when none is near."""
    by_plain = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(asked.casefold().strip(), list(by_plain), n=1, cutoff=0.6)
    return by_plain[near[0]] if near else ""

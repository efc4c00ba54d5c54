"""Reading answers: task ids, states, URLs, costs, complaints and delays, from every shape seen in the wild.

Pure functions over parsed JSON. Nothing of an answer is trusted: types are checked, lengths bounded, and what a server
says is cleaned of secrets before it becomes part of a message.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Final, TypeAlias

from batchgen.api import NO_PICTURE, Offer, Standing, Waiting, wire
from batchgen.api.meaning import About
from batchgen.errors import FailureClass, TaskFailed

Document: TypeAlias = Mapping[str, Any]

SHORTEST_DELAY: Final = 0.5
LONGEST_DELAY: Final = 600.0
REASON_CHARACTERS: Final = 200

_LONGEST_URL: Final = 8192
_MOST_URLS: Final = 64
_NESTING: Final = 6
_CUT: Final = "[…]"

_POLICY: Final = re.compile(
    r"content.?policy|policy.?violation|violat\w* .{0,40}polic|usage polic|moderat|safety|nsfw|prohibited|inappropriate"
    r"|forbidden (?:prompt|content)|sensitive|unsafe|harmful"
)
_BAD_REQUEST: Final = re.compile(r"\b(?:400|413|415|422)\b|bad_request|invalid|unsupported|validation|unprocessable")
_QUERY: Final = re.compile(r"([a-z][a-z0-9+.-]*://[^\s?#\"'<>]*)[?#][^\s\"'<>]*", re.IGNORECASE)
_USERINFO: Final = re.compile(r"(://)[^\s/@\"'<>]*@")
_KEYS: Final = re.compile(r"\bbearer\s+[\w.~+/=-]{12,}|\bsk[-_][\w-]{6,}|\beyJ[\w.-]{10,}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a server said is wrong; `code` in lower case, both possibly empty."""

    code: str
    text: str

    @property
    def about_policy(self) -> bool:
        """Whether the content was refused, not the request."""
        return _POLICY.search(f"{self.code} {self.text}".lower()) is not None

    @property
    def about_model(self) -> bool:
        """Whether the model is what was not found."""
        return "model" in f"{self.code} {self.text}".lower()

    @property
    def about_token(self) -> bool:
        """Whether the idempotency key was seen before."""
        return "idempot" in f"{self.code} {self.text}".lower()

    @property
    def about(self) -> About:
        """The one thing it speaks of that changes what a refusal means; a token seen before weighs most."""
        told: tuple[tuple[About, bool], ...] = (
            ("token", self.about_token),
            ("policy", self.about_policy),
            ("model", self.about_model),
        )
        return next((about for about, said in told if said), "")

    @property
    def failure(self) -> FailureClass:
        """How a task with this complaint failed; transient unless the words say otherwise."""
        if self.about_policy:
            return "refused"
        return "rejected" if _BAD_REQUEST.search(self.code) else "transient"


def document(body: bytes) -> Document | None:
    """The JSON object of a body; None for anything else, however deep or broken."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def task_id(answer: Document) -> str | None:
    """The id of the task that an answer speaks of, as it stands there; None when it names none."""
    for place in (answer, _inner(answer, "data")):
        for name in ("task_id", "taskId"):
            match place.get(name):
                case str(text) if text:
                    return text
                case int(number) if not isinstance(number, bool):
                    return str(number)
    return None


def usable(task: str) -> bool:
    """Whether an id can be kept and asked for: at most 200 bytes, no control or broken characters."""
    try:
        size = len(task.encode("utf-8"))
    except UnicodeEncodeError:
        return False
    return 0 < size <= wire.TASK_ID_BYTES and not any(char < " " or "\x7f" <= char <= "\x9f" for char in task)


def result_urls(answer: Document) -> tuple[str, ...]:
    """Every result URL of an answer, in order, each once."""
    found = (url for url in _urls(answer, _NESTING) if url.startswith(("http://", "https://")))
    return tuple(dict.fromkeys(url for url in found if len(url) <= _LONGEST_URL))[:_MOST_URLS]


def state(answer: Document) -> str | None:
    """The state word, trimmed and in lower case; None when the answer has none."""
    word = _resource(answer).get("state", _resource(answer).get("status"))
    return word.strip().lower() if isinstance(word, str) else None


def standing(answer: Document, word: str, at: float) -> Standing:
    """Where a task stands, by its state word; a success without a URL is still waited for.

    Raises:
        TaskFailed: the state is one of failure.
    """
    resource = _resource(answer)
    if word in wire.FAILED:
        told = complaint(resource)
        prompt = str(_inner(resource, "request").get("prompt", ""))
        reason = clean(told.text, prompt=prompt) or "the provider gave no reason"
        raise TaskFailed(f"the task failed: {reason}", failure=told.failure, cost_micro_usd=cost(resource))
    urls = result_urls({name: resource.get(name) for name in _RESULT_NAMES}) if word in wire.SUCCEEDED else ()
    if urls:
        return Offer(urls, at, cost(resource))
    shown = NO_PICTURE if word in wire.SUCCEEDED else _shown(word)
    return Waiting(
        shown, _seconds(resource.get("recommended_poll_interval_ms"), 1000), _seconds(resource.get("eta_hint_seconds"))
    )


@lru_cache(64)
def _shown(word: str) -> str:
    """A state word as people may see it; servers have few."""
    return clean(word)[:40]


def cost(answer: Document) -> int | None:
    """What was billed in micro-USD, None when the answer does not say."""
    amount = _inner(answer, "billing").get("actual_amount_micro_usdc")
    number = _number(amount)
    return int(number) if number is not None and 0 <= number < 1e15 else None


@dataclass(frozen=True, slots=True)
class Sold:
    """What a task says it was asked for; fields that it does not name are missing."""

    fields: Mapping[str, str]

    def is_for(self, asked: Mapping[str, Any]) -> bool:
        """Whether it can be the answer to these effective fields: none that both name differs."""
        ours = {name: _plain(value) for name, value in asked.items()}
        return all(ours.get(name, value) == value for name, value in self.fields.items())


def sold(answer: Document) -> Sold:
    """What a task resource says of its own request."""
    resource = _resource(answer)
    told = {**_inner(resource, "request"), "model": resource.get("model")}
    named = ("model", "prompt", "aspect_ratio", "resolution", "output_format")
    return Sold({name: _plain(told[name]) for name in named if isinstance(told.get(name), str) and told[name].strip()})


def _plain(value: object) -> str:
    """A field as it compares: whatever a server does to spaces, case and lone surrogates is no difference."""
    text = str(value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return " ".join(text.split()).casefold()


def complaint(answer: Document) -> Complaint:
    """What an error body or a failed task complains of, in any of its shapes."""
    error = answer.get("error")
    told: Document = error if isinstance(error, dict) else {}
    codes = [told.get("code"), told.get("type"), told.get("error"), answer.get("code"), answer.get("type")]
    codes += [error]
    texts = (
        told.get("message"),
        told.get("error"),
        told.get("details"),
        answer.get("message"),
        answer.get("msg"),
        error,
    )
    words = (str(each).strip() for each in codes if isinstance(each, str | int) and each != "image")
    code = " ".join(word for word in words if word and len(word) <= 80 and " " not in word)
    text = next((each for each in texts if isinstance(each, str) and each.strip()), "")
    return Complaint(code.lower(), text[:20_000])


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """The seconds a server asks us to wait, between 0.5 and 600; None when it asks nothing that can be read.

    A date is held against the server's own Date, so that our clock does not matter; `now` is used without one.
    """
    asked = headers.get(wire.RETRY_AFTER, "").strip()
    seconds = _number(asked)
    if seconds is None:
        then, since = _date(asked), _date(headers.get("Date", "")) or now or datetime.now(UTC)
        seconds = (then - since).total_seconds() if then is not None else None
    return None if seconds is None else min(max(seconds, SHORTEST_DELAY), LONGEST_DELAY)


def clean(text: str, *, prompt: str = "", credential: str = "") -> str:
    """A server's words fit for a message: one line, at most 200 characters, without credential, prompt or URL query."""
    if credential:
        text = text.replace(credential, _CUT)
    text = _without(text, prompt)
    text = _KEYS.sub(_CUT, _USERINFO.sub(r"\1", _QUERY.sub(r"\1", text)))
    shown = "".join(char if char.isprintable() else _visible(char) for char in " ".join(text.split()))
    return shown if len(shown) <= REASON_CHARACTERS else shown[: REASON_CHARACTERS - 1] + "…"


_RESULT_NAMES: Final = ("result", "data", "url", "image_url", "output", "outputs")


def _resource(answer: Document) -> Document:
    """The task itself, which some servers wrap in `data`."""
    inner = _inner(answer, "data")
    return inner if {"state", "status"} & inner.keys() and not {"state", "status"} & answer.keys() else answer


def _inner(answer: Document, name: str) -> Document:
    value = answer.get(name)
    return value if isinstance(value, dict) else {}


def _urls(value: Any, depth: int) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list() if depth:
            for each in value[:_MOST_URLS]:
                yield from _urls(each, depth - 1)
        case dict() if depth:
            for name in ("data", "url", "image_url", "output", "outputs", "result"):
                if (inner := value.get(name)) is not None:
                    yield from _urls(inner, depth - 1)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)[:40]) > 32:
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _seconds(value: object, divisor: float = 1) -> float | None:
    number = _number(value)
    return number / divisor if number is not None and number > 0 else None


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _without(text: str, prompt: str) -> str:
    """The text less the prompt, also where only the beginning of it is quoted."""
    text, prompt = " ".join(text.split()), " ".join(prompt.split())
    if not prompt:
        return text
    text = re.sub(rf"(?<!\w){re.escape(prompt)}(?!\w)", _CUT, text)
    head = prompt[:12]
    while len(head) == 12 and (start := text.find(head)) >= 0:
        end = start
        while end < len(text) and end - start < len(prompt) and text[end] == prompt[end - start]:
            end += 1
        text = text[:start] + _CUT + text[end:]
    return text


def _visible(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")

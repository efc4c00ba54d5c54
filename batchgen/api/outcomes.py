"""Meanings as errors: what is raised for each end of a call, with words that repeat no secret."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httpx

from batchgen.api import Order, answers, wire
from batchgen.api.carriers import Headers
from batchgen.api.meaning import Answered, Broke, Call, Meaning, Phase, meaning
from batchgen.errors import (
    BatchgenError,
    NotTaken,
    OfferExpired,
    OutcomeUnknown,
    Parked,
    Rejected,
    Stop,
    TaskFailed,
    Throttled,
    Unavailable,
)

REACH: Final[Mapping[Phase, str]] = {
    "unsent": "not reached, nothing was sent",
    "sent in part": "request sent in part",
    "sent": "request sent, no answer",
    "answer begun": "answer cut off",
}
"""How far a call got, in the words that the journal keeps."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it came; the body is empty when it was longer than 1 MiB or could not be decoded."""

    status: int
    raw_headers: Headers | httpx.Headers
    body: bytes

    @property
    def headers(self) -> httpx.Headers:
        """The headers by name, in capitals or not; most answers are never asked for them."""
        return httpx.Headers(self.raw_headers)


@dataclass(frozen=True, slots=True)
class Asked:
    """Who was asked and with which secrets, which no message may repeat."""

    host: str
    credential: str
    renewed: bool = False


@dataclass(frozen=True, slots=True)
class _Told:
    """What is known of an end of a call: our sentence of it, how far a submit got, and a time to come back."""

    words: str
    reach: str = ""
    seconds: float | None = None
    answered: bool = True


def of_submit(answer: Answer, order: Order, asked: Asked) -> BatchgenError:
    """The error for a create that was not answered with 2xx."""
    complaint = answers.complaint(answers.document(answer.body) or {})
    prompt = wire.prompt_of(order.content_type, order.body)
    reason = answers.clean(complaint.text, prompt=prompt, credential=asked.credential)
    words = f"{asked.host} answered {answer.status}" + (f": {reason}" if reason else "")
    seconds = answers.retry_after(answer.headers)
    met = Answered(answer.status, complaint.about, timed=seconds is not None, renewed=asked.renewed)
    found = meaning("submit", met)
    if found is Meaning.MODEL_FORBIDDEN:
        words += f"; this credential may not use the model {order.model}"
    return _error(found, _Told(words, f"answered {answer.status}", seconds))


def of_poll(answer: Answer, asked: Asked) -> BatchgenError:
    """The error for a poll that was not answered with 2xx."""
    told = _Told(f"{asked.host} answered {answer.status}", seconds=answers.retry_after(answer.headers))
    return _error(meaning("poll", Answered(answer.status, renewed=asked.renewed)), told)


def of_picture(status: int, headers: httpx.Headers, host: str) -> BatchgenError | None:
    """The error for a picture that was not answered with its bytes, or None when it was."""
    found = meaning("picture", Answered(status))
    told = _Told(f"{host} answered {status} for a picture", seconds=answers.retry_after(headers))
    return None if found is Meaning.TAKEN else _error(found, told)


def of_break(call: Call, broke: Broke, words: str) -> BatchgenError:
    """The error for a call that no whole answer came to."""
    return _error(meaning(call, broke), _Told(words, REACH[broke.phase], answered=False))


def unclear(call: Call, status: int, words: str) -> BatchgenError:
    """The error for a 2xx whose body does not say what was asked."""
    return _error(meaning(call, Answered(status, usable=False)), _Told(words, "answer not understood"))


def _error(found: Meaning, told: _Told) -> BatchgenError:  # noqa: C901, PLR0912  # one line per meaning
    words = told.words
    match found:
        case Meaning.NOT_TAKEN:
            return NotTaken(words + _RENEWED * told.answered, answered=told.answered)
        case Meaning.TOO_MANY | Meaning.BUSY:
            return Throttled(words, retry_after_seconds=told.seconds, too_many=found is Meaning.TOO_MANY)
        case Meaning.IN_DOUBT:
            return OutcomeUnknown(words, reach=told.reach)
        case Meaning.KNOWN_PAID:
            return OutcomeUnknown(f"{words}; it knows this token", reach=told.reach, known_paid=True)
        case Meaning.REFUSED:
            return Rejected(words, failure="refused")
        case Meaning.REJECTED:
            return Rejected(words)
        case Meaning.MODEL_FORBIDDEN:
            return Parked(words)
        case Meaning.AGAIN:
            return Unavailable(words, answered=told.answered, retry_after_seconds=told.seconds)
        case Meaning.FRESH_URL:
            return OfferExpired(f"{words}; the task is asked for a fresh URL")
        case Meaning.TASK_FORBIDDEN:
            return Parked(f"{words}: this task is not ours to see; was it bought with another credential?")
        case Meaning.TASK_UNKNOWN:
            return TaskFailed(f"{words}: it does not know this task", failure="expired", missing=True)
        case Meaning.TASK_GONE:
            return TaskFailed(f"{words}: this task is no longer to be had", failure="expired")
        case _:
            return Stop(f"{words}{_STOPS[found]}", credential=found is Meaning.STOP_CREDENTIAL)


_RENEWED = "; the credential has been renewed since"

_STOPS = {
    Meaning.STOP_CREDENTIAL: "; the credential is refused, check it and run again",
    Meaning.STOP_FUNDS: "; the account has no funds, add some and run again",
    Meaning.STOP_ADDRESS: "; there is no image API at this address, check base_url",
    Meaning.STOP_REDIRECT: ", a redirect, which is never followed; put the final address into base_url",
    Meaning.STOP_PROXY: "; the proxy wants a user name and a password, put them into HTTPS_PROXY",
    Meaning.STOP_CERTIFICATE: "; check the address, or name your certificates in SSL_CERT_FILE",
}
"""What a person does about each reason to end the run."""

"""What a status of the API means for the one who asked: the table from answers to errors.

A refusal is believed only where it proves something; every other answer to a paid call leaves it in doubt.
"""

from dataclasses import dataclass

from batchgen.api import Order, answers, wire
from batchgen.api.transport import Answer
from batchgen.errors import (
    NotTaken,
    OutcomeUnknown,
    Parked,
    ProviderError,
    Rejected,
    Stop,
    TaskFailed,
    Throttled,
    Unavailable,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Who was asked and with which secrets, which no message may repeat."""

    host: str
    credential: str
    renewed: bool = False


@dataclass(frozen=True, slots=True)
class _Said:
    """A refusal, read."""

    answer: Answer
    told: answers.Complaint
    words: str


def of_submit(answer: Answer, order: Order, asked: Asked) -> ProviderError:
    """The error for a create that was not answered with 2xx."""
    told = answers.complaint(answers.document(answer.body) or {})
    prompt = wire.prompt_of(order.content_type, order.body)
    reason = answers.clean(told.text, prompt=prompt, credential=asked.credential)
    said = _Said(answer, told, f"{asked.host} answered {answer.status}" + (f": {reason}" if reason else ""))
    return _never(said) or _not_taken(said, order, asked) or _stopped(said) or _doubtful(said)


def _never(said: _Said) -> ProviderError | None:
    """The server will not take this request, now or later."""
    match said.answer.status:
        case 400 | 403 | 413 | 415 | 422 | 451 if said.told.about_policy:
            return Rejected(said.words, failure="refused")
        case 400 | 422 if said.told.about_token:
            return None
        case 400 | 413 | 415 | 422:
            return Rejected(said.words)
        case 404 if said.told.about_model:
            return Rejected(said.words)
        case _:
            return None


def _not_taken(said: _Said, order: Order, asked: Asked) -> ProviderError | None:
    """Nothing was bought, and another time or another job may fare better."""
    seconds = answers.retry_after(said.answer.headers)
    match said.answer.status:
        case 429:
            return Throttled(said.words, retry_after_seconds=seconds)
        case 503 if seconds is not None:
            return Throttled(said.words, retry_after_seconds=seconds)
        case 401 if asked.renewed:
            return NotTaken(f"{said.words}; the credential has been renewed since", answered=True)
        case 403:
            return Parked(f"{said.words}; this credential may not use the model {order.model}")
        case _:
            return None


def _stopped(said: _Said) -> ProviderError | None:
    """No submit of this run will be taken."""
    match said.answer.status:
        case 401 | 402 | 407:
            return _stop(said.answer.status, said.words)
        case 404 | 405 | 410:
            return Stop(f"{said.words}; there is no image API at this address, check base_url")
        case status if 300 <= status < 400:
            return Stop(f"{said.words}, a redirect, which is never followed; put the final address into base_url")
        case _:
            return None


def _doubtful(said: _Said) -> ProviderError:
    reach = f"answered {said.answer.status}"
    if said.answer.status == 409 or said.told.about_token:
        return OutcomeUnknown(f"{said.words}; it knows this token", reach=reach, known_paid=True)
    return OutcomeUnknown(said.words, reach=reach)


def of_poll(answer: Answer, asked: Asked) -> ProviderError:
    """The error for a poll that was not answered with 2xx."""
    words = f"{asked.host} answered {answer.status}"
    match answer.status:
        case 401 if asked.renewed:
            return Unavailable(f"{words}; the credential has been renewed since", answered=True)
        case 401 | 407:
            return _stop(answer.status, words)
        case 403:
            return Parked(f"{words}: this task is not ours to see; was it bought with another credential?")
        case 404:
            return TaskFailed(f"{words}: it does not know this task", failure="expired", missing=True)
        case 410:
            return TaskFailed(f"{words}: this task is no longer to be had", failure="expired")
        case _:
            return Unavailable(words, answered=True, retry_after_seconds=answers.retry_after(answer.headers))


def _stop(status: int, words: str) -> Stop:
    match status:
        case 401:
            return Stop(f"{words}; the credential is refused, check it and run again", credential=True)
        case 402:
            return Stop(f"{words}; the account has no funds, add some and run again")
        case _:
            return Stop(f"{words}; the proxy wants a user name and a password, put them into HTTPS_PROXY")

"""What anything that can happen to a call means for whoever made it: one pure table, in words (docs/outcomes.md).

A refusal is believed only where it proves something; every other end of a paid call leaves it in doubt.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Literal, TypeAlias

Call: TypeAlias = Literal["submit", "poll", "picture"]

Phase: TypeAlias = Literal["unsent", "sent in part", "sent", "answer begun"]
"""How far a call had got when it broke: no byte of it left, some did, all did, its answer had begun."""

About: TypeAlias = Literal["", "policy", "model", "token"]
"""What a refusal's words speak of, where that matters."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A whole head came. `usable` is about a 2xx: whether its body says what was asked; `timed` that it names a wait.

    `renewed` says that the credential has been renewed since the call was made.
    """

    status: int
    about: About = ""
    timed: bool = False
    renewed: bool = False
    usable: bool = True


@dataclass(frozen=True, slots=True)
class Broke:
    """No whole answer came; `by` names the two causes that trying again does not mend."""

    phase: Phase
    by: Literal["", "certificate", "proxy credentials"] = ""


Met: TypeAlias = Answered | Broke


class Meaning(Enum):
    """What to do next. The first six are about money."""

    TAKEN = auto()
    NOT_TAKEN = auto()
    TOO_MANY = auto()
    BUSY = auto()
    IN_DOUBT = auto()
    KNOWN_PAID = auto()
    REFUSED = auto()
    REJECTED = auto()
    MODEL_FORBIDDEN = auto()
    AGAIN = auto()
    FOLLOW = auto()
    FRESH_URL = auto()
    TASK_FORBIDDEN = auto()
    TASK_UNKNOWN = auto()
    TASK_GONE = auto()
    STOP_CREDENTIAL = auto()
    STOP_FUNDS = auto()
    STOP_ADDRESS = auto()
    STOP_REDIRECT = auto()
    STOP_PROXY = auto()
    STOP_CERTIFICATE = auto()


def meaning(call: Call, met: Met) -> Meaning:
    """What this end of a call means."""
    match met:
        case Broke():
            return _broken(call, met)
        case Answered(status=status, usable=usable) if 200 <= status < 300 and call != "picture":
            return Meaning.TAKEN if usable else _unsure(call)
        case Answered():
            return {"submit": _submit, "poll": _poll, "picture": _picture}[call](met)


def _unsure(call: Call) -> Meaning:
    return Meaning.IN_DOUBT if call == "submit" else Meaning.AGAIN


def _broken(call: Call, broke: Broke) -> Meaning:
    if broke.phase == "unsent" or call == "poll":
        match broke.by, call:
            case _, "picture":
                return Meaning.AGAIN
            case "certificate", _:
                return Meaning.STOP_CERTIFICATE
            case "proxy credentials", _:
                return Meaning.STOP_PROXY
            case _, "submit":
                return Meaning.NOT_TAKEN
    return _unsure(call)


def _submit(met: Answered) -> Meaning:
    match met.status, met.about:
        case (400 | 422, "token") | (409, _):
            return Meaning.KNOWN_PAID
        case 400 | 403 | 404 | 413 | 415 | 422 | 451, "policy":
            return Meaning.REFUSED
        case (400 | 413 | 415 | 422, _) | (404, "model"):
            return Meaning.REJECTED
        case 429, _:
            return Meaning.TOO_MANY
        case 503, _ if met.timed:
            return Meaning.BUSY
        case 401, _:
            return Meaning.NOT_TAKEN if met.renewed else Meaning.STOP_CREDENTIAL
        case 403, _:
            return Meaning.MODEL_FORBIDDEN
        case status, about:
            return _whole_run(status) or (Meaning.KNOWN_PAID if about == "token" else Meaning.IN_DOUBT)


def _whole_run(status: int) -> Meaning | None:
    """What no submit of this run would survive."""
    match status:
        case 402:
            return Meaning.STOP_FUNDS
        case 407:
            return Meaning.STOP_PROXY
        case 404 | 405 | 410:
            return Meaning.STOP_ADDRESS
        case _ if 300 <= status < 400:
            return Meaning.STOP_REDIRECT
        case _:
            return None


def _poll(met: Answered) -> Meaning:
    match met.status:
        case 401:
            return Meaning.AGAIN if met.renewed else Meaning.STOP_CREDENTIAL
        case 403:
            return Meaning.TASK_FORBIDDEN
        case 404:
            return Meaning.TASK_UNKNOWN
        case 407:
            return Meaning.STOP_PROXY
        case 410:
            return Meaning.TASK_GONE
        case _:
            return Meaning.AGAIN


def _picture(met: Answered) -> Meaning:
    match met.status:
        case 200:
            return Meaning.TAKEN
        case 301 | 302 | 303 | 307 | 308:
            return Meaning.FOLLOW
        case 408 | 425 | 429:
            return Meaning.AGAIN
        case status if 400 <= status < 500:
            return Meaning.FRESH_URL
        case _:
            return Meaning.AGAIN

"""How the gateway says no: one exception, one body."""

import math
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any, Final

from fastapi.responses import JSONResponse

from batchgen.api import wire
from batchgen.gateway.rules import RetryAfter

_WORDS: Final = {
    400: "bad_request", 401: "unauthorized", 402: "payment_required", 403: "forbidden", 404: "not_found",
    405: "method_not_allowed", 408: "request_timeout", 409: "conflict", 410: "gone", 413: "payload_too_large",
    415: "unsupported_media_type", 416: "range_not_satisfiable", 429: "rate_limited", 502: "bad_gateway",
    503: "unavailable",
}  # fmt: skip


class Refusal(Exception):
    """An answer of 400 or above; the message says what to do and repeats nothing that was sent."""

    def __init__(self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers

    def body(self) -> wire.ErrorBody:
        """The body on the wire."""
        word = _WORDS.get(self.status, "error")
        kind = "server_error" if self.status >= 500 else "invalid_request_error"
        return {"error": word, "message": self.message, "type": kind, "code": self.code}

    def response(self) -> JSONResponse:
        """The whole answer."""
        return JSONResponse(self.body(), self.status, self.headers)


def bad(code: str, message: str) -> Refusal:
    """A request that is wrong and stays wrong."""
    return Refusal(400, code, message)


def later(seconds: int, now: float, form: RetryAfter) -> dict[str, str]:
    """The header that says when to come again, in the form that was asked for."""
    match form:
        case "seconds":
            return {wire.RETRY_AFTER: str(seconds)}
        case "date":
            return {wire.RETRY_AFTER: formatdate(math.ceil(now) + seconds, usegmt=True)}
        case "none":
            return {}


def of_status(status: int, detail: Any, headers: Mapping[str, str] | None = None) -> Refusal:
    """A refusal that the framework raised by itself."""
    if status == 404:
        detail = "there is nothing at this path; /docs lists what there is"
    return Refusal(status, _WORDS.get(status, "error"), str(detail), headers=headers)

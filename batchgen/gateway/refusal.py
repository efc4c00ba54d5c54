"""How the gateway says no: one exception, one body."""

from typing import Any, Final

from fastapi.responses import JSONResponse

from batchgen.api.wire import ErrorBody

_WORDS: Final = {
    400: "bad_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed",
    408: "request_timeout", 409: "conflict", 410: "gone", 413: "payload_too_large", 415: "unsupported_media_type",
    429: "rate_limited", 502: "bad_gateway", 503: "unavailable",
}  # fmt: skip


class Refusal(Exception):
    """An answer of 400 or above; the message says what to do and repeats nothing that was sent."""

    def __init__(self, status: int, code: str, message: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers

    def body(self) -> ErrorBody:
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


def of_status(status: int, detail: Any) -> Refusal:
    """A refusal that the framework raised by itself."""
    return Refusal(status, _WORDS.get(status, "error"), str(detail))

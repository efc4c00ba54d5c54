"""One answer as its bytes come: head, body, end. It knows no socket, and what is not clearly framed it refuses."""

from collections import deque
from typing import Final

import httptools
import httpx

OVERHEAD_BYTES: Final = 64 * 1024
"""How much may come in a row that is no body: heads, interim answers, chunk lines, trailers."""
HEADERS: Final = 256

_FRAMING: Final = {b"content-length", b"transfer-encoding"}
_BODILESS: Final = {204, 304}


class Incoming:
    """One answer; fed with bytes until it has `ended`.

    `headed`: status and headers are known. `kept`: the connection may serve another request after it; meant for when
    it has ended. `begun`: a byte of it has come. `chunks` hold the body that nobody has taken yet, `held` bytes.
    """

    __slots__ = (
        *("begun", "chunks", "ended", "headed", "headers", "held", "kept", "reason", "status", "version"),
        *("_framing", "_headless", "_overhead", "_parser", "_until_close"),
    )

    def __init__(self, method: str) -> None:
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._headless = method == "HEAD"
        self._framing: list[tuple[bytes, bytes]] = []
        self._overhead = 0
        self._until_close = False
        self.headers: list[tuple[bytes, bytes]] = []
        self.chunks: deque[bytes] = deque()
        self.version, self.reason, self.status, self.held = b"HTTP/1.1", b"", 0, 0
        self.begun = self.headed = self.ended = self.kept = False

    def feed(self, data: bytes) -> None:
        """Take bytes of the wire; those behind its end only say that the connection cannot be kept.

        Raises:
            httpx.RemoteProtocolError: this is no answer, or one that could be read in two ways.
        """
        if self._parser is None:
            self.kept = False
            return
        self.begun = True
        self._overhead += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self.ended:
                raise httpx.RemoteProtocolError(f"no proper HTTP answer ({_cause(error)})") from error
            self.kept = False
        if self.ended:
            self._parser = None  # it and its callbacks hold each other
        elif self._overhead > OVERHEAD_BYTES:
            raise httpx.RemoteProtocolError(f"more than {OVERHEAD_BYTES} bytes without any body")

    def close(self) -> None:
        """The other side has ended the connection.

        Raises:
            httpx.RemoteProtocolError: the answer has no end.
        """
        self.kept, self._parser = False, None
        if self.headed and self._until_close:
            self.ended = True
        elif not self.ended:
            words = "disconnected in the middle of its answer" if self.begun else "disconnected without an answer"
            raise httpx.RemoteProtocolError(f"the server {words}")

    def take(self) -> bytes:
        """The next piece of the body; there must be one."""
        chunk = self.chunks.popleft()
        self.held -= len(chunk)
        return chunk

    def on_message_begin(self) -> None:
        """Called by the parser, also for whatever stands behind the end."""
        self.kept = False

    def on_status(self, reason: bytes) -> None:
        """Called by the parser, piece by piece."""
        self.reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser, for trailers too, which say nothing that anybody here asks for."""
        if self.headed:
            return
        self.headers.append((name, value))
        if len(self.headers) > HEADERS:
            raise ValueError(f"more than {HEADERS} headers")
        if name.lower() in _FRAMING:
            self._framing.append((name.lower(), value.strip().lower()))

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        assert self._parser is not None
        status, version = self._parser.get_status_code(), self._parser.get_http_version()
        if version not in {"1.1", "1.0"} or not 100 <= status <= 999 or status == 101:
            raise ValueError("a version or a status that was not asked for")
        if status < 200:
            return
        match self._framing:
            case [] | [(b"content-length", _)] | [(b"transfer-encoding", b"chunked")]:
                self._until_close = not self._framing and status not in _BODILESS
            case _:
                raise ValueError("no clear length")
        self.status, self.version, self.headed = status, b"HTTP/" + version.encode(), True
        if self._headless:  # the parser would wait for the body that is only announced
            self.ended = True

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        if not self.ended:
            self._overhead = 0
            self.held += len(body)
            self.chunks.append(body)

    def on_message_complete(self) -> None:
        """Called by the parser, for interim answers too."""
        if not self.headed:
            self.reason = b""
            self.headers.clear()
            self._framing.clear()
        elif not self.ended:
            assert self._parser is not None
            self.ended, self.kept = True, self._parser.should_keep_alive()


def _cause(error: Exception) -> str:
    """The parser's own words, or ours where we stopped it; neither repeats what came over the wire."""
    return str(error.__context__ if isinstance(error.__context__, ValueError) else error)

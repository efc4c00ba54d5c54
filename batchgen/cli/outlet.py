"""A standard stream that can never stop a run: what it cannot take is dropped, and the reason kept."""

import io
import os
import select
from typing import Final, TextIO

_TYPEWRITER: Final = str.maketrans("━─·…│", "=-,~|")
"""What stands for our own signs, column by column, where a stream's encoding lacks them."""


class Outlet(io.TextIOBase):
    """Wraps stdout or stderr; None stands for a stream that was closed before we began.

    Writes go to the descriptor itself: nothing is left in a buffer whose flush could fail or block the exit.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.broken: OSError | None = None

    def write(self, text: str) -> int:
        """Write at once; characters that the stream's encoding lacks are spelled out."""
        if self._stream is not None and self.broken is None:
            try:
                self._put(self.spelled(text).encode(self.encoding, "backslashreplace"))
            except OSError as broken:
                self.broken = broken
            except ValueError:  # closed under us
                self._stream = None
        return len(text)

    def spelled(self, text: str) -> str:
        """The text as it is going to be read: characters that the stream's encoding lacks are spelled out."""
        try:
            text.encode(self.encoding)
        except UnicodeEncodeError:
            spelled = text.translate(_TYPEWRITER).encode(self.encoding, "backslashreplace")
            return spelled.decode(self.encoding)
        return text

    def isatty(self) -> bool:
        """Whether people look at it."""
        return self._stream is not None and not self._stream.closed and self._stream.isatty()

    @property
    def obeys(self) -> bool:
        """Whether it is a terminal that is known to obey more than line ends."""
        return self.isatty() and os.environ.get("TERM", "dumb") not in {"dumb", ""}

    @property
    def coloured(self) -> bool:
        """Whether colour is wanted there."""
        return self.obeys and not os.environ.get("NO_COLOR")

    def fileno(self) -> int:
        """The descriptor; OSError when there is none."""
        if self._stream is None:
            raise io.UnsupportedOperation("no stream")
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # read-only is enough
        """The stream's encoding."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def _put(self, data: bytes) -> None:
        try:
            descriptor = self.fileno()
        except io.UnsupportedOperation:
            assert self._stream is not None
            self._stream.write(data.decode(self.encoding))
            return
        while data:
            try:
                data = data[os.write(descriptor, data) :]
            except BlockingIOError:  # somebody made it non-blocking
                select.select([], [descriptor], [])

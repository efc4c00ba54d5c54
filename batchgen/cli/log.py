"""The log of -v: one line per event on stderr, without credentials and without what follows a URL's path."""

import logging
import traceback

from batchgen.cli.outlet import Outlet
from batchgen.report.plain import harmless

_LOUD = ("httpx", "httpcore")
"""They log whole URLs, signatures included."""


class Plain(logging.Formatter):
    """A record as lines that cannot be forged and hold no secret; a traceback is frames only, never values."""

    def format(self, record: logging.LogRecord) -> str:
        """Render one record."""
        text = f"{self.formatTime(record, '%H:%M:%S')} {record.levelname.lower()} {harmless(record.getMessage())}"
        kind = record.exc_info[0] if record.exc_info else None
        if record.exc_info is None or kind is None:
            return text
        return "\n".join((text, *frames(record.exc_info[1])))


def frames(broken: BaseException | None) -> list[str]:
    """Where it went wrong, innermost last: file, line, function and the kind of error, but no message and no values."""
    if broken is None:
        return []
    found = traceback.extract_tb(broken.__traceback__)
    places = [harmless(f"  {each.filename}:{each.lineno} in {each.name}") for each in found]
    return [*places, f"  {type(broken).__name__}"]


def turn_on(err: Outlet) -> None:
    """Send what batchgen logs to stderr, and of other libraries warnings only."""
    handler = logging.StreamHandler(err)
    handler.setFormatter(Plain())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("batchgen").setLevel(logging.DEBUG)
    _hush()


def turn_off(err: Outlet) -> None:
    """Log nothing but what would be lost otherwise: what people must know is said in the last lines."""
    handler = logging.StreamHandler(err)
    handler.setFormatter(Plain())
    handler.setLevel(logging.CRITICAL)
    logging.getLogger().handlers[:] = [handler]
    _hush()


def _hush() -> None:
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)

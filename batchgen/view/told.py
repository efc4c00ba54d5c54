"""How the page says things: filters of its templates, and the commands that it offers for copying."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from batchgen.report.cards import redo, reference_name, remedy
from batchgen.report.plain import harmless, visible
from batchgen.report.words import many, moment, span, took, usd

LABELS: Final[Mapping[str, str]] = {
    "stored": "Pictures",
    "running": "Running",
    "queued": "Queued",
    "failed": "Failed",
    "in_doubt": "In doubt",
    "dropped": "Dropped",
    "all": "All",
}
"""The states in the order in which people look for them."""


def command(verb: str, where: Sequence[str], *more: str) -> str:
    """A command line, ready to be pasted."""
    return shlex.join(("batchgen", verb, *where, *more))


def environment() -> Environment:
    """The templates: everything from outside is escaped, and a name that nobody gave is a mistake."""
    made = Environment(
        loader=PackageLoader("batchgen.view"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., Any]] = {
        "usd": usd,
        "span": span,
        "took": took,
        "visible": lines,
        "harmless": harmless,
        "moment": moment,
        "clock": clock,
        "many": many,
        "count": "{:,}".format,
        "ticked": ticked,
        "words": lambda text: text.replace("_", " "),
    }
    made.filters.update(filters)
    made.globals.update(LABELS=LABELS, redo=redo, remedy=remedy, reference_name=reference_name)
    return made


def lines(text: str) -> str:
    """A text of several lines in which nothing is hidden and nothing turns the reading round."""
    return "\n".join(visible(line) for line in text.splitlines())


def ticked(text: str) -> Markup:
    """A sentence in which what stands between backticks is code."""
    parts = [escape(part) for part in text.split("`")]
    return Markup("").join(Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts))


def clock(unix_seconds: float) -> str:
    """A time as it stands on the wall here."""
    return datetime.fromtimestamp(unix_seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")

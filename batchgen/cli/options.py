"""The options that verbs share, declared once; each may also stand in the environment as BATCHGEN_<NAME>."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import click

from batchgen.cli.console import Console, Voice
from batchgen.cli.doors import Desk
from batchgen.cli.log import turn_off, turn_on

if TYPE_CHECKING:
    from batchgen.location import Location

MANIFEST: Final = "batchgen.yaml"

SETTINGS: Final = {"auto_envvar_prefix": "BATCHGEN", "help_option_names": ["-h", "--help"]}
"""Without the verb's name in it: BATCHGEN_OUTPUTS means the same to every verb."""

_PLACE: Final = ("outputs", "journal", "store", "provider")
_SPAN: Final = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?")


class Span(click.ParamType[float]):
    """A length of time such as 25s, 20m, 4h or 1h30m, in seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read it; a bare number is no length of time."""
        found = _SPAN.fullmatch(str(value))
        if found is None or not any(found.groups()):
            self.fail(f"{value!r} is no length of time; write it as 25s, 20m, 4h or 1h30m", param, ctx)
        hours, minutes, seconds = (float(each or 0) for each in found.groups())
        return hours * 3600 + minutes * 60 + seconds


@dataclass(frozen=True, slots=True)
class Where:
    """What names a batch: a manifest or a batch folder, and options; `typed` are the words that say so again."""

    source: str
    outputs: str | None
    journal: str | None
    provider: str | None
    store: str | None
    typed: tuple[str, ...]

    def locate(self, desk: Desk) -> "Location":
        """Find the batch."""
        found = desk.doors.locate(self.source, outputs=self.outputs, provider=self.provider, journal=self.journal)
        return replace(found, store=self.store or "")


def limit_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--max-pictures, --grace."""
    for add in (
        click.option("--grace", type=Span(), default="25s", show_default=True, help="Time to end well after Ctrl-C."),
        click.option("--max-pictures", type=click.IntRange(min=0), metavar="N", help="Begin at most so many attempts."),
    ):
        command = add(command)
    return command


def batch_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--outputs, --journal, --store, --provider."""
    for add in (
        click.option("--provider", metavar="local|URL", help="Who paints, instead of who the manifest names."),
        click.option("--store", metavar="URL", help="Where batches keep their pictures, if not in their folders."),
        click.option("--journal", metavar="PATH", help="The journal, if it is not in the batch folder."),
        click.option("--outputs", metavar="DIR", help="The folder that batches land in."),
    ):
        command = add(command)
    return command


def manifest_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """The manifest, or for verbs that only read, the batch folder."""
    return click.argument("manifest", default=MANIFEST)(command)


def voice_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--json, -q, -v."""
    for add in (
        click.option("-v", "--verbose", is_flag=True, help="Log what happens, to stderr."),
        click.option("-q", "--quiet", is_flag=True, help="Say nothing when the exit code is 0."),
        click.option("--json", is_flag=True, help="JSON on stdout; people's text goes to stderr."),
    ):
        command = add(command)
    return command


def console(ctx: click.Context) -> Console:
    """The console as the options want it; from here on the log is on or off."""
    given = ctx.params
    found = Console(Voice(given["json"], given["quiet"], given["verbose"]))
    if found.voice.verbose:
        turn_on(found.err)
    else:
        turn_off(found.err)
    return found


def where(ctx: click.Context, source: str | None = None) -> Where:
    """Which batch is meant; `source` in place of the manifest argument."""
    given = ctx.params
    named = source or given.get("manifest", MANIFEST)
    typed = (named,) if source or _was_typed(ctx, "manifest") else ()
    options = (word for name in _PLACE if _was_typed(ctx, name) for word in (f"--{name}", given[name]))
    place = given["outputs"], given["journal"], given["provider"], given["store"]
    return Where(named, *place, (*options, *_guarded(typed)))


def _guarded(typed: tuple[str, ...]) -> Iterator[str]:
    """A name that begins with a dash is not an option."""
    for each in typed:
        yield f"./{each}" if each.startswith("-") else each


def _was_typed(ctx: click.Context, name: str) -> bool:
    return ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE

"""`batchgen view`: a batch in the browser, while it goes and afterwards."""

import os
from typing import TYPE_CHECKING, Any

import click

from batchgen.cli import browser
from batchgen.cli.console import Console
from batchgen.cli.options import SETTINGS, batch_options, console, manifest_argument, voice_options, where
from batchgen.cli.verbs import VERBS

if TYPE_CHECKING:
    from batchgen.location import Location

_EPILOG = """\b
Examples:
  batchgen view batchgen.yaml           before, during or after a run
  batchgen view outputs/hello           a batch folder will do
  batchgen view batchgen.yaml --port 9000 --no-open

\b
From another machine:
  ssh -L 8780:127.0.0.1:8780 HOST       then open http://localhost:8780/
"""


@click.command("view", short_help=VERBS["view"], epilog=_EPILOG, context_settings=SETTINGS)
@manifest_argument
@click.option("--port", type=click.IntRange(0, 65535), help="Where it listens; without, 8780 or any free one.")
@click.option("--open/--no-open", "opened", default=None, help="Open the browser; without, if there is a screen.")
@batch_options
@voice_options
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> int:
    """Show a batch in the browser until Ctrl-C: MANIFEST is its manifest or its folder. It reads, and changes nothing.

    The page answers on this machine alone. The batch may be running, be over, or not have begun.
    """
    from batchgen.view.serve import ViewOptions

    speaker, named = console(ctx), where(ctx)
    location = named.locate(ctx.obj)
    wanted = browser.has_screen(os.environ) if given["opened"] is None else given["opened"]
    options = ViewOptions(named.source, location, named.typed, given["port"])
    ctx.obj.doors.view(options, lambda url: _ready(speaker, location, url, wanted=wanted))
    return 0


def _ready(speaker: Console, location: "Location", url: str, *, wanted: bool) -> None:
    if speaker.voice.json:
        speaker.data({"url": url, "folder": str(location.folder)})
    speaker.say(f"{location.folder}\nshown at {url} until Ctrl-C")
    if wanted:
        browser.show_beside(url, speaker)

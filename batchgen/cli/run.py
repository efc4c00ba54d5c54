"""`batchgen run`: buy what is owed; the same command again goes on where the last one stopped."""

from typing import Any

import click

from batchgen.cli.options import (
    SETTINGS,
    batch_options,
    console,
    limit_options,
    manifest_argument,
    voice_options,
    where,
)
from batchgen.cli.teller import Teller
from batchgen.cli.verbs import VERBS
from batchgen.cli.wishes import options, wish_options
from batchgen.report.closing import Ended, closing

_EPILOG = """\b
Examples:
  batchgen run batchgen.yaml
  batchgen run batchgen.yaml --provider local      rehearse, for nothing
  batchgen run batchgen.yaml --redo changed        buy what was edited, too
  batchgen run batchgen.yaml --max-usd 20 --json -q    from a script
"""


@click.command("run", short_help=VERBS["run"], epilog=_EPILOG, context_settings=SETTINGS)
@manifest_argument
@click.option("--plan", metavar="FILE", allow_from_autoenv=False, help="Buy what a plan on paper says, or nothing.")
@wish_options
@click.option("--dask", metavar="local|ADDRESS", help="Carry the jobs in several processes, of a Dask cluster.")
@limit_options
@batch_options
@voice_options
@click.pass_context
def command(ctx: click.Context, /, **_given: Any) -> int:
    """Buy the pictures that MANIFEST asks for and that are not there yet.

    Whatever stopped the last run, the same command goes on from there: what was paid for is not paid again.
    """
    speaker, named = console(ctx), where(ctx)
    teller = Teller(speaker)
    with teller.telling():
        ending = ctx.obj.doors.run(options(ctx, named, speaker), teller)
    if not ending.run:
        speaker.say(f"{ending.folder}\nnothing to do")
    if speaker.voice.json:
        speaker.data({"event": "end", **ending.as_json()})
    ended = Ended(
        exit_code=ending.exit_code,
        reason=ending.reason,
        again=ctx.obj.words,
        where=named.typed,
        run=ending.run,
        seconds=ending.seconds,
        spent_micro_usd=ending.spent_micro_usd,
        summary=ending.summary,
    )
    return speaker.close(closing(ended), ending.exit_code)

"""`batchgen doctor`: what is wrong with key, network, proxy, disk, clock and versions."""

from typing import Any

import click

from batchgen.cli.options import SETTINGS, batch_options, console, manifest_argument, voice_options, where
from batchgen.cli.verbs import VERBS
from batchgen.report.plain import harmless, redact

_EPILOG = """\b
Examples:
  batchgen doctor batchgen.yaml
  batchgen doctor batchgen.yaml --json | jq 'select(.exit_code > 0)'
"""


@click.command("doctor", short_help=VERBS["doctor"], epilog=_EPILOG, context_settings=SETTINGS)
@manifest_argument
@batch_options
@voice_options
@click.pass_context
def command(ctx: click.Context, /, **_given: Any) -> int:
    """Look at everything that a run needs, and say what is wrong; buys nothing and never shows a key.

    The exit code is the one that a run would end with.
    """
    speaker, named = console(ctx), where(ctx)
    location = named.locate(ctx.obj)
    found = ctx.obj.doors.doctor(location, named.source, named.provider)
    from batchgen.batch.doctor import worst

    for each in found:
        text = redact(each.text)
        if speaker.voice.json:
            speaker.data({"part": each.part, "text": text, "exit_code": each.exit_code})
        tell = speaker.complain if each.exit_code else speaker.say
        tell(f"  {'ok' if not each.exit_code else 'wrong':<6} {each.part:<10} {harmless(text)}")
    return worst(found)

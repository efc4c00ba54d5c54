"""`batchgen prune`: pictures that the manifest does not ask for any more."""

from typing import Any, Final

import click

from batchgen.cli.options import SETTINGS, batch_options, console, manifest_argument, voice_options, where
from batchgen.cli.verbs import VERBS
from batchgen.errors import SettingsError
from batchgen.report.plain import fit, harmless
from batchgen.report.words import many

_EPILOG = """\b
Examples:
  batchgen prune batchgen.yaml                     list them with their sizes
  batchgen prune batchgen.yaml --delete            remove them
"""

_SHOWN: Final = 50


@click.command("prune", short_help=VERBS["prune"], epilog=_EPILOG, context_settings=SETTINGS)
@manifest_argument
@click.option("--delete", is_flag=True, allow_from_autoenv=False, help="Remove them, for good.")
@batch_options
@voice_options
@click.pass_context
def command(ctx: click.Context, /, **_given: Any) -> int:
    """List the pictures of jobs that were replaced or left the manifest; remove them only when told to.

    A picture that is removed and asked for again later is bought again.
    """
    speaker, named = console(ctx), where(ctx)
    location = named.locate(ctx.obj)
    if not location.exists:
        raise SettingsError(f"{location.folder} holds no batch yet; there is nothing to prune")
    delete = ctx.params["delete"]
    found = ctx.obj.doors.prune(location, delete=delete)
    if speaker.voice.json:
        for each in found:
            row = {"id": each.id, "path": each.asset.name, "bytes": each.asset.size, "removed": delete}
            speaker.data({**row, "standing": each.progress.standing})
    told = ((each.asset.size / 1e6, each.progress.standing, harmless(each.asset.name)) for each in found)
    lines = [f"  {size:>9,.2f} MB  {standing:<9} {name}" for size, standing, name in told]
    size = sum(each.asset.size for each in found) / 1e6
    speaker.say(str(location.folder))
    speaker.say("\n".join(fit(line, 80) for line in lines[:_SHOWN])) if lines else None
    if len(lines) > _SHOWN:
        speaker.say(f"  and {len(lines) - _SHOWN:,} more: --json lists all")
    verdict = "removed" if delete else "not asked for any more"
    speaker.say(f"{many(len(found), 'picture')} {verdict}, {size:,.1f} MB")
    if found and not delete:
        speaker.say("  next         `batchgen prune --delete` removes them")
    return 0

"""`batchgen verify`: pictures and journal held against each other, and mended without buying anything."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from batchgen.cli.console import Console
from batchgen.cli.options import SETTINGS, Where, batch_options, console, manifest_argument, voice_options, where
from batchgen.cli.verbs import VERBS
from batchgen.errors import SettingsError
from batchgen.report.plain import fit, harmless
from batchgen.report.words import many

if TYPE_CHECKING:
    from batchgen.batch.keeping import Verified, VerifyOptions
    from batchgen.location import Location

_EPILOG = """\b
Examples:
  batchgen verify batchgen.yaml                 sizes, and the whole journal
  batchgen verify outputs/hello --read-data     every byte and every pixel
  batchgen verify batchgen.yaml --repair        fetch lost pictures again
"""

_SHOWN: Final = 50


@click.command("verify", short_help=VERBS["verify"], epilog=_EPILOG, context_settings=SETTINGS)
@manifest_argument
@click.option("--read-data", is_flag=True, allow_from_autoenv=False, help="Hash and decode every picture.")
@click.option("--repair", is_flag=True, allow_from_autoenv=False, help="Mend the journal; fetch lost pictures again.")
@click.option("--accept-old-copy", is_flag=True, allow_from_autoenv=False, help="Go on from an older journal.")
@batch_options
@voice_options
@click.pass_context
def command(ctx: click.Context, /, **_given: Any) -> int:
    """Hold pictures and journal against each other; MANIFEST is the batch's manifest or its folder.

    Exit code: 1 if a picture is not as it was stored, 5 if the journal is not.
    """
    speaker, named = console(ctx), where(ctx)
    location = named.locate(ctx.obj)
    if not location.exists:
        raise SettingsError(f"{location.folder} holds no batch yet; there is nothing to verify")
    found = ctx.obj.doors.verify(_options(ctx, named, location))
    if speaker.voice.json:
        speaker.data(_as_json(found, location))
    _say(found, location, speaker, repair=ctx.params["repair"])
    return 1 if found.findings else 0


def _options(ctx: click.Context, named: Where, location: "Location") -> "VerifyOptions":
    from batchgen.batch import RunOptions
    from batchgen.batch.keeping import VerifyOptions

    given = ctx.params
    run = None
    if os.path.isfile(named.source):
        run = RunOptions(named.source, named.outputs, named.journal, named.provider, named.store)
    return VerifyOptions(location, given["read_data"], given["repair"], given["accept_old_copy"], run)


def _say(found: "Verified", location: "Location", speaker: Console, *, repair: bool) -> None:
    speaker.say(str(location.folder))
    speaker.say("\n".join(_done(found)))
    lines = [
        fit(f"  {each.flaw:<12} {harmless(each.asset.name)}: {harmless(each.reason)}", 80) for each in found.findings
    ]
    if lines:
        speaker.complain("\n".join(lines[:_SHOWN]))
    if len(lines) > _SHOWN:
        speaker.complain(f"  and {len(lines) - _SHOWN:,} more: --json lists all")
    if lines and not repair:
        speaker.complain("  next         `batchgen verify --repair` fetches them again; it buys nothing")


def _done(found: "Verified") -> Iterator[str]:
    if found.accepted is not None:
        yield f"  old copy     accepted; {many(found.accepted, 'job')} may have been sent since: `batchgen resolve`"
    if found.salvage is not None:
        done = found.salvage
        yield f"  journal      was damaged; {many(done.jobs, 'job')} kept, {many(done.lost, 'milestone')} lost"
        yield f"  in doubt     {many(done.doubtful, 'job')} because of that; the damaged journal is kept beside it"
        if done.behind:
            yield "  old copy     it is an older copy too: `batchgen verify --accept-old-copy`"
    yield f"  journal      sound, {many(found.milestones, 'milestone')}"
    there = found.pictures - len(found.findings)
    yield f"  pictures     {there:,} of {found.pictures:,} as they were stored, {found.size / 1e6:,.1f} MB"
    if found.fetched:
        yield f"  fetched      {many(found.fetched, 'picture')} again"
    if found.findings and found.unfetched:
        yield f"  not fetched  {harmless(found.unfetched)}"


def _as_json(found: "Verified", location: "Location") -> dict[str, Any]:
    done = found.salvage
    return {
        "v": 1,
        "folder": str(location.folder),
        "milestones": found.milestones,
        "pictures": found.pictures,
        "bytes": found.size,
        "damaged": [
            {"id": each.id, "path": each.asset.name, "flaw": each.flaw, "reason": each.reason}
            for each in found.findings
        ],
        "fetched": found.fetched,
        "accepted": found.accepted,
        "repaired": done and {"jobs": done.jobs, "lost": done.lost, "in_doubt": done.doubtful, "behind": done.behind},
    }

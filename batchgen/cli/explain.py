"""`batchgen explain`: one job from its prompt to its picture, and why it waits."""

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from batchgen.cli.options import MANIFEST, SETTINGS, batch_options, console, voice_options, where
from batchgen.cli.verbs import VERBS
from batchgen.errors import SettingsError
from batchgen.journal import state_of
from batchgen.report.plain import cell, fit, harmless, wrapped
from batchgen.report.words import moment

if TYPE_CHECKING:
    from batchgen.batch.explaining import Explained

_EPILOG = """\b
Examples:
  batchgen explain shoe/front                      a job of batchgen.yaml
  batchgen explain nightly.yaml shoe/front
  batchgen explain outputs/nightly/shoe/front.png  whose picture is this?
"""


@click.command("explain", short_help=VERBS["explain"], epilog=_EPILOG, context_settings=SETTINGS)
@click.argument("words", nargs=-1, required=True, metavar="[MANIFEST] ID|FILE")
@batch_options
@voice_options
@click.pass_context
def command(ctx: click.Context, /, **_given: Any) -> int:
    """Tell all of one job: what is sent, where every value comes from, its life so far, and why it waits or will run.

    Given a picture or what lies beside it, whose it is, wherever it lies now. The first of two words is the manifest or
    the batch folder.
    """
    speaker, (source, name) = console(ctx), _split(ctx.params["words"])
    named = where(ctx, source)
    try:
        found = ctx.obj.doors.explain(named.source, named.locate(ctx.obj), name)
    except SettingsError as unknown:  # the same command again would help nobody
        raise click.UsageError(str(unknown), ctx) from unknown
    if speaker.voice.json:
        speaker.data(_as_json(found))
    speaker.say("\n".join(_lines(found)))
    return 0


def _split(words: Sequence[str]) -> tuple[str, str]:
    match tuple(words):
        case (source, name):
            return source, name
        case (name,):
            return (_batch(name) if os.path.isfile(name) else MANIFEST), name
        case _:
            raise click.UsageError("name one job by its id, or one picture; ids with spaces stand in quotes")


def _batch(picture: str) -> str:
    """The batch that a file lies in; of one that lies in none, that of the manifest here."""
    from batchgen.batch.explaining import batch_of
    from batchgen.batch.whose import given

    if found := batch_of(picture):
        return str(found.folder)
    if os.path.exists(MANIFEST):
        return MANIFEST
    raise SettingsError(given(picture).stray)


def _lines(found: "Explained") -> Iterator[str]:
    from batchgen.batch.explaining import lives

    state = state_of(found.progress.milestone).replace("_", " ") if found.progress else "not owed"
    number = f", job {found.progress.job.number}" if found.progress else ""
    yield f"{harmless(found.id)}: {state}{number}"
    for told in filter(None, (found.picture, found.why)):
        yield from (f"  {each}" for each in wrapped(harmless(told), 78))
    asked = found.draft.request if found.draft is not None else None
    request = asked or (found.progress.job.request if found.progress else None)
    for value in found.values:
        shown = "(below)" if value.field == "prompt" else harmless(value.value or "unset")
        yield f"  {value.field:<14} {cell(shown, 36)} {harmless(value.where)}".rstrip()
    if found.unread:
        yield f"  the manifest cannot be read: {harmless(found.unread)}"
    yield from _made_from(found)
    if request is not None:
        yield "  prompt"
        yield from (f"    {harmless(line)}" for line in request.prompt.split("\n"))
    for written, told in lives(found.life):
        kind = type(written.milestone).__name__
        yield f"  {moment(written.at)}  run {written.run:<4} {kind:<13} {fit(harmless(told), 33)}".rstrip()


def _made_from(found: "Explained") -> Iterator[str]:
    row = (found.draft.row if found.draft else None) or (found.progress.row if found.progress else None)
    axes = (found.draft.axes if found.draft else {}) or (found.progress.axes if found.progress else {})
    if axes:
        yield f"  {'axes':<14} {harmless(', '.join(f'{name}: {value}' for name, value in axes.items()))}"
    if row is not None:
        yield f"  {'row':<14} {row.number}"
        for name, value in row.cells.items():
            if value:
                yield f"    {cell(harmless(name), 20)} {fit(harmless(value), 54)}"


def _as_json(found: "Explained") -> dict[str, Any]:
    from batchgen.batch.explaining import lives

    progress = found.progress
    request = found.draft.request if found.draft else progress.job.request if progress else None
    return {
        "v": 1,
        "id": found.id,
        "state": state_of(progress.milestone) if progress else None,
        "standing": progress.standing if progress else None,
        "why": found.why,
        "picture": found.picture or None,
        "prompt": request.prompt if request else None,
        "values": [{"field": each.field, "value": each.value or None, "where": each.where} for each in found.values],
        "life": [
            {"at": moment(each.at), "run": each.run, "milestone": type(each.milestone).__name__, "told": told}
            for each, told in lives(found.life)
        ],
    }

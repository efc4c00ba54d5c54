"""`batchgen report`: the morning after, as a page with all pictures, and as contact sheets."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from batchgen.cli.browser import show
from batchgen.cli.console import Console
from batchgen.cli.options import SETTINGS, Where, batch_options, console, manifest_argument, voice_options, where
from batchgen.cli.verbs import VERBS
from batchgen.errors import SettingsError
from batchgen.report.words import many

if TYPE_CHECKING:
    from batchgen.journal import Record
    from batchgen.location import Location
    from batchgen.report.gallery import Elsewhere
    from batchgen.report.page import Made
    from batchgen.report.thumbnails import Thumbnails

_EPILOG = """\b
Examples:
  batchgen report batchgen.yaml --open
  batchgen report outputs/hello                    a batch folder will do
  batchgen report batchgen.yaml --contact-sheet sheet.png
"""

_EVERY_SECONDS = 5.0


@click.command("report", short_help=VERBS["report"], epilog=_EPILOG, context_settings=SETTINGS)
@manifest_argument
@click.option("--open", "opened", is_flag=True, allow_from_autoenv=False, help="Open it in the browser.")
@click.option("-o", "--to", metavar="FILE", allow_from_autoenv=False, help="The page, if not report.html of the batch.")
@click.option("--contact-sheet", metavar="FILE", allow_from_autoenv=False, help="Contact sheets too, as PNG.")
@click.option("--base-url", metavar="URL", help="Link to the pictures there, if a store of theirs is published.")
@batch_options
@voice_options
@click.pass_context
def command(ctx: click.Context, /, **_given: Any) -> int:
    """Make a page of all pictures, with money, times and failures; MANIFEST is a manifest or a batch folder.

    Accept and reject pictures there; the picks that it saves are done again by `batchgen run --redo FILE`.
    """
    from batchgen.report.facts import Asked
    from batchgen.report.page import make
    from batchgen.report.thumbnails import Thumbnails

    speaker, named = console(ctx), where(ctx)
    location = named.locate(ctx.obj)
    if not location.exists:
        raise SettingsError(f"{location.folder} holds no batch yet; `batchgen run` begins one")
    target = os.path.abspath(ctx.params["to"] or location.folder / "report.html")
    if not target.endswith((".html", ".htm")):
        raise click.UsageError(f"-o {ctx.params['to']}: the page is an .html file")
    elsewhere = _elsewhere(location, ctx.params["base_url"])
    shelf = None if elsewhere is None else elsewhere.shelf
    try:
        with (
            ctx.obj.doors.open_record(location) as record,
            Thumbnails(location.folder, pictures=shelf) as thumbnails,
        ):
            asked = Asked(
                folder=str(location.folder),
                elsewhere=elsewhere,
                target=target,
                now=time.time(),
                where=_words(named, record.identity.manifest),
                budget_micro_usd=ctx.obj.doors.budget(named.source),
            )
            made = make(record, asked, thumbnails, _Progress(speaker).told)
            sheets = _sheets(record, ctx.params["contact_sheet"], thumbnails)
    except OSError as broken:
        raise SettingsError(f"{target} could not be written: {broken.strerror}; choose another by -o") from None
    _tell(speaker, made, sheets)
    if ctx.params["opened"]:
        show(Path(made.file).as_uri(), speaker)
    return 0


def _elsewhere(location: "Location", base_url: str | None) -> "Elsewhere | None":
    """Where the pictures are, if not in the batch folder."""
    if not location.kept_in():
        return None
    from batchgen.batch.storing import pictures_of
    from batchgen.report.export import checked_base
    from batchgen.report.gallery import Elsewhere

    kept = pictures_of(location)
    files = kept.url if kept.files else ""
    return Elsewhere(kept.url, kept.shelf(), files if base_url is None else checked_base(base_url))


def _words(named: Where, manifest: str) -> tuple[str, ...]:
    """The words that name the batch to `run`, from wherever one stands; a batch folder knows its manifest."""
    if os.path.isdir(named.source):
        return (manifest,)
    given = {"--outputs": named.outputs, "--journal": named.journal, "--provider": named.provider}
    options = (word for name, value in given.items() if value for word in (name, value))
    return (*options, os.path.abspath(named.source))


@dataclass(slots=True)
class _Progress:
    """Says now and then how many thumbnails there are: of many pictures that takes minutes."""

    speaker: Console
    said: float = field(default_factory=time.monotonic)

    def told(self, count: int) -> None:
        now = time.monotonic()
        if now - self.said >= _EVERY_SECONDS:
            self.said = now
            self.speaker.say(many(count, "thumbnail"))


def _sheets(record: "Record", target: str | None, thumbnails: "Thumbnails") -> Sequence[str]:
    if target is None:
        return ()
    if not target.endswith(".png"):
        raise click.UsageError(f"--contact-sheet {target}: a contact sheet is a .png file")
    from batchgen.report.contact import Print, write_sheets
    from batchgen.report.gallery import assets

    made = thumbnails.each(assets(record))
    return write_sheets(os.path.abspath(target), (Print(os.path.splitext(asset.name)[0], each) for asset, each in made))


def _tell(speaker: Console, made: "Made", sheets: Sequence[str]) -> None:
    gone = f"; {made.missing:,} not in the folder any more" if made.missing else ""
    speaker.say(f"{many(made.pictures, 'picture')} of {many(made.jobs, 'job')} in {made.file}{gone}")
    for each in sheets[:1]:
        more = f" and {many(len(sheets) - 1, 'further page')}" if len(sheets) > 1 else ""
        speaker.say(f"contact sheet in {each}{more}")
    if speaker.voice.json:
        speaker.data(
            {
                "v": 1,
                "file": made.file,
                "jobs": made.jobs,
                "pictures": made.pictures,
                "missing": made.missing,
                "contact_sheets": list(sheets),
            }
        )

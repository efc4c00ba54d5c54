"""`batchgen export`: one row per picture as JSON lines, streamed from the journal."""

import os
from collections.abc import Iterable
from typing import Any

import click

from batchgen.cli.console import Console
from batchgen.cli.later import later_options
from batchgen.cli.options import SETTINGS, batch_options, console, manifest_argument, voice_options, where
from batchgen.cli.verbs import VERBS
from batchgen.errors import SettingsError
from batchgen.report.export import line, rows
from batchgen.report.words import many

_EPILOG = """\b
Examples:
  batchgen export batchgen.yaml -o pictures.jsonl
  batchgen export outputs/hello -o - | head
"""


@later_options("export")
@click.command("export", short_help=VERBS["export"], epilog=_EPILOG, context_settings=SETTINGS)
@manifest_argument
@click.option(
    "-o",
    "--to",
    metavar="FILE",
    required=True,
    allow_from_autoenv=False,
    help="A .jsonl file, or - for stdout.",
)
@batch_options
@voice_options
@click.pass_context
def command(ctx: click.Context, /, **_given: Any) -> int:
    """Write one row for each picture of a batch; MANIFEST is its manifest or its folder."""
    speaker, named, target = console(ctx), where(ctx), str(ctx.params["to"])
    if target != "-" and not target.endswith(".jsonl"):
        raise click.UsageError(f"-o {target}: anything but a .jsonl file or - is not yet there")
    location = named.locate(ctx.obj)
    if not location.exists:
        raise SettingsError(f"{location.folder} holds no batch yet; `batchgen run` begins one")
    with ctx.obj.doors.open_record(location) as record:
        if target == "-":
            _print(rows(record), speaker)
        else:
            count = _write(rows(record), target)
            speaker.say(f"{many(count, 'row')} in {os.path.abspath(target)}")
            if speaker.voice.json:
                speaker.data({"v": 1, "rows": count, "file": os.path.abspath(target)})
    return 0


def _print(found: Iterable[dict[str, Any]], speaker: Console) -> None:
    """Print rows until they are told or nobody reads any more; only a reader that left is no error."""
    for each in found:
        if not speaker.data(each):
            break
    if speaker.out.broken is not None and not isinstance(speaker.out.broken, BrokenPipeError):
        raise SettingsError(f"stdout could not be written: {speaker.out.broken.strerror}; nothing else is wrong")


def _write(found: Iterable[dict[str, Any]], target: str) -> int:
    """Write a file that is whole under its name, or not there."""
    part, count = f"{target}.part", 0
    try:
        with open(part, "w", encoding="ascii") as file:
            for count, each in enumerate(found, start=1):  # noqa: B007  # the count is what is wanted
                file.write(line(each))
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except OSError as broken:
        raise SettingsError(f"{target} could not be written: {broken.strerror}; choose another place") from None
    return count

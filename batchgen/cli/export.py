"""`batchgen export`: one row per picture or per input row, for the next program, streamed from the journal."""

import os
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import click

from batchgen.cli.console import Console
from batchgen.cli.options import SETTINGS, batch_options, console, manifest_argument, voice_options, where
from batchgen.cli.verbs import VERBS
from batchgen.errors import SettingsError
from batchgen.report import parquet, separated, sheet
from batchgen.report.export import Tabled, checked_base, rows, run_meant
from batchgen.report.plain import line
from batchgen.report.words import many

KINDS: Final = (".jsonl", ".csv", ".parquet")

_EPILOG = """\b
Examples:
  batchgen export batchgen.yaml -o pictures.jsonl
  batchgen export -o new.csv --run last --base-url https://cdn.example.com
  batchgen export -o upload.csv --wide    one line per row of the table
  batchgen export outputs/hello -o - | head
"""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What to export and where to."""

    target: str
    scope: sheet.Scope
    wide: bool


@click.command("export", short_help=VERBS["export"], epilog=_EPILOG, context_settings=SETTINGS)
@manifest_argument
@click.option(
    "-o",
    "--to",
    metavar="FILE",
    required=True,
    allow_from_autoenv=False,
    help="A .jsonl, .csv or .parquet file, or - for JSON lines on stdout.",
)
@click.option("--run", metavar="last|N", help="Only what this run brought.")
@click.option("--base-url", metavar="URL", help="Add each picture's URL, if the batch folder is published here.")
@click.option("--wide", is_flag=True, help="One line per input row, with a column for each of its pictures.")
@batch_options
@voice_options
@click.pass_context
def command(ctx: click.Context, /, **_given: Any) -> int:
    """Write one row for each picture of a batch; MANIFEST is its manifest or its folder."""
    speaker, named, given = console(ctx), where(ctx), ctx.params
    target, base_url = str(given["to"]), given["base_url"]
    if target != "-" and _kind(target) not in KINDS:
        raise click.UsageError(f"-o {target}: name a {', '.join(KINDS[:-1])} or {KINDS[-1]} file, or - for JSON lines")
    base_url = None if base_url is None else checked_base(base_url)
    location = named.locate(ctx.obj)
    if not location.exists:
        raise SettingsError(f"{location.folder} holds no batch yet; `batchgen run` begins one")
    with ctx.obj.doors.open_record(location) as record:
        run = None if given["run"] is None else run_meant(record, given["run"])
        asked = _Asked(target, sheet.Scope(run, base_url), given["wide"])
        if target == "-":
            _print(_lines(record, asked), speaker)
        else:
            count = _written(record, asked)
            speaker.say(f"{many(count, 'row')} in {os.path.abspath(target)}")
            if speaker.voice.json:
                speaker.data({"v": 1, "rows": count, "file": os.path.abspath(target)})
    return 0


def _kind(target: str) -> str:
    return os.path.splitext(target)[1].lower()


def _lines(record: Tabled, asked: _Asked) -> Iterable[dict[str, Any]]:
    scope = asked.scope
    return sheet.wide_rows(record, scope) if asked.wide else rows(record, scope.run, scope.base_url)


def _print(found: Iterable[dict[str, Any]], speaker: Console) -> None:
    """Print rows until they are told or nobody reads any more; only a reader that left is no error."""
    for each in found:
        if not speaker.data(each):
            break
    if speaker.out.broken is not None and not isinstance(speaker.out.broken, BrokenPipeError):
        raise SettingsError(f"stdout could not be written: {speaker.out.broken.strerror}; nothing else is wrong")


def _written(record: Tabled, asked: _Asked) -> int:
    table = sheet.wide if asked.wide else sheet.long
    match _kind(asked.target):
        case ".csv":
            return _whole(asked.target, lambda file: separated.write(table(record, asked.scope), file))
        case ".parquet":
            return _whole(asked.target, lambda file: parquet.write(table(record, asked.scope), file))
        case _:
            return _whole(asked.target, lambda file: _write_lines(_lines(record, asked), file))


def _write_lines(found: Iterable[dict[str, Any]], file: BinaryIO) -> int:
    count = 0
    for count, each in enumerate(found, start=1):  # noqa: B007  # the count is what is wanted
        file.write(line(each).encode("ascii"))
    return count


def _whole(target: str, write: Callable[[BinaryIO], int]) -> int:
    """Write a file that is whole under its name, or not there."""
    at = Path(os.path.realpath(target))
    part = at.with_name(f".{at.name[:200]}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            count = write(file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(at)
    except OSError as broken:
        raise SettingsError(f"{target} could not be written: {broken.strerror}; choose another place") from None
    finally:
        with suppress(OSError):
            part.unlink()
    return count

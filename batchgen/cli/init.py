"""`batchgen init`: a commented manifest to begin with, never over a file."""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from batchgen.cli.options import MANIFEST, SETTINGS, console, voice_options
from batchgen.cli.schema import SCHEMA
from batchgen.cli.verbs import VERBS
from batchgen.errors import SettingsError

if TYPE_CHECKING:
    from batchgen.manifest.tables import Table

_EPILOG = """\b
Examples:
  batchgen init && batchgen run
  batchgen init products.csv && batchgen plan
"""

TEXT: Final = """\
# What pictures are owed. `batchgen plan` says what would be bought, `batchgen run` buys it.
batchgen: 1
name: hello                    # the batch: its pictures land in outputs/hello.local/
provider: local                # rehearse on this machine, for nothing; delete this line to buy real pictures

defaults:                      # for every job, unless it says otherwise
  model: nano-banana-pro
  aspect_ratio: 16:9

jobs:
  - id: cube                   # names the file: cube.png
    prompt: |
      A clean product render of a translucent cube on a white desk, soft morning light.

  - id: harbour
    aspect_ratio: 1:1
    prompt: |
      A small harbour at dusk, one red boat, lamps mirrored in calm water.

  # - id: shoe
  #   prompt: |
  #     The shoe of the reference on a wooden table in a bright studio.
  #   references:
  #     - refs/shoe.png        # a file beside this one, or an https address
  #   takes: 3                 # three pictures: shoe.t1, shoe.t2, shoe.t3
"""


@click.command("init", short_help=VERBS["init"], epilog=_EPILOG, context_settings=SETTINGS)
@click.argument("table", required=False)
@voice_options
@click.pass_context
def command(ctx: click.Context, /, **_given: Any) -> int:
    """Write a commented batchgen.yaml into this folder. It rehearses: running it costs nothing.

    TABLE is a csv, tsv, jsonl or parquet file, such as an export of Shopify or WooCommerce: its rows become pictures.
    """
    speaker, given = console(ctx), ctx.params["table"]
    text, said = (TEXT, "") if given is None else _sketched(given)
    try:
        with open(MANIFEST, "x", encoding="utf-8") as file:
            file.write(f"# yaml-language-server: $schema={SCHEMA}\n{text}")
    except FileExistsError:
        raise SettingsError(f"{MANIFEST} is there already and was left as it is; remove or rename it first") from None
    except OSError as broken:
        raise SettingsError(f"{MANIFEST} could not be written: {broken.strerror}; go to a folder that can be") from None
    path = os.path.abspath(MANIFEST)
    if speaker.voice.json:
        speaker.data({"v": 1, "file": path})
    speaker.say(f"{path}\n  next         batchgen run" if given is None else _next(path, said))
    return 0


def _next(path: str, said: str) -> str:
    return f"{path}\n  from         {said}\n  next         batchgen plan"


def _sketched(given: str) -> tuple[str, str]:
    """A manifest for a table, and what the table was taken for. SettingsError when it is none, or lies elsewhere."""
    from batchgen.manifest.sketch import sketch
    from batchgen.manifest.tables import TableError

    if os.path.lexists(MANIFEST):
        raise SettingsError(f"{MANIFEST} is there already and was left as it is; remove or rename it first")
    file = os.path.relpath(given)
    if file.startswith(os.pardir):
        raise SettingsError(f"{given} lies outside this folder; copy it here, or go to its folder")
    name = re.sub(r"[^a-z0-9_-]+", "-", Path(file).name.partition(".")[0].lower()).strip("-_")[:64] or "catalogue"
    try:
        found = sketch(_opened(file), name=name, file=file)
    except TableError as error:
        raise SettingsError(f"{error}; {error.hint}" if error.hint else str(error)) from None
    return found.text, found.said


def _opened(file: str) -> "Table":
    """The table, in its likely encoding when it is not UTF-8."""
    from batchgen.manifest.tables import OtherEncoding, open_table

    try:
        table = open_table(Path(file), name=file)
        for _ in table.records():
            pass
    except OtherEncoding as error:
        if not error.likely or error.likely == "utf-8":
            raise
        return open_table(Path(file), name=file, encoding=error.likely)
    return table

"""`batchgen init`: a commented manifest to begin with, never over a file."""

import os
from typing import Any, Final

import click

from batchgen.cli.options import MANIFEST, SETTINGS, console, voice_options
from batchgen.cli.verbs import VERBS
from batchgen.errors import SettingsError

_EPILOG = """\b
Example:
  batchgen init && batchgen run
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
    """Write a commented batchgen.yaml into this folder. It rehearses: running it costs nothing."""
    speaker = console(ctx)
    if ctx.params["table"] is not None:
        raise click.UsageError("`batchgen init TABLE` is not yet there; without a table it writes a manifest")
    try:
        with open(MANIFEST, "x", encoding="utf-8") as file:
            file.write(TEXT)
    except FileExistsError:
        raise SettingsError(f"{MANIFEST} is there already and was left as it is; remove or rename it first") from None
    except OSError as broken:
        raise SettingsError(f"{MANIFEST} could not be written: {broken.strerror}; go to a folder that can be") from None
    path = os.path.abspath(MANIFEST)
    if speaker.voice.json:
        speaker.data({"v": 1, "file": path})
    speaker.say(f"{path}\n  next         batchgen run")
    return 0

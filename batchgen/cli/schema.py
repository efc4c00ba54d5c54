"""`batchgen schema`: the manifest language for editors and programs."""

import json
from pathlib import Path
from typing import Any, Final

import click

import batchgen
from batchgen.cli.options import SETTINGS, console, voice_options
from batchgen.cli.verbs import VERBS

_EPILOG = """\b
Examples:
  batchgen schema > manifest.schema.json
  # and as the first line of a manifest:
  # yaml-language-server: $schema=manifest.schema.json
"""

SCHEMA: Final = Path(batchgen.__file__).with_name("manifest.schema.json")
"""The schema as it is installed; it is made from the types that read a manifest, and a test holds them together."""


@click.command("schema", short_help=VERBS["schema"], epilog=_EPILOG, context_settings=SETTINGS)
@voice_options
@click.pass_context
def command(ctx: click.Context, /, **_given: Any) -> int:
    """Print the manifest language as a JSON Schema, which editors complete and check by."""
    speaker, text = console(ctx), SCHEMA.read_text(encoding="utf-8")
    if speaker.voice.json:
        speaker.data(json.loads(text))
    else:
        speaker.out.write(text)
    return 0

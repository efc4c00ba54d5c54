"""`batchgen validate`: a plan that asks nobody."""

from typing import Any

import click

from batchgen.cli.options import (
    SETTINGS,
    batch_options,
    limit_options,
    manifest_argument,
    voice_options,
)
from batchgen.cli.plan import say
from batchgen.cli.verbs import UNLISTED
from batchgen.cli.wishes import wish_options


@click.command("validate", short_help=UNLISTED["validate"], context_settings=SETTINGS)
@manifest_argument
@wish_options
@limit_options
@batch_options
@voice_options
@click.pass_context
def command(ctx: click.Context, /, **_given: Any) -> int:
    """Say what is wrong with MANIFEST, and what it asks for: `batchgen plan --offline`."""
    ctx.params |= {"offline": True, "paper": None}
    return say(ctx)

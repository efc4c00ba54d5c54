"""`batchgen plan`: what a run would buy, and why; nothing is written and nothing is sent that costs."""

from typing import Any

import click

from batchgen.cli.options import (
    SETTINGS,
    batch_options,
    console,
    limit_options,
    manifest_argument,
    voice_options,
    where,
)
from batchgen.cli.verbs import VERBS
from batchgen.cli.wishes import options, typed_again, wish_options

_EPILOG = """\b
Examples:
  batchgen plan batchgen.yaml
  batchgen plan batchgen.yaml --offline            ask nobody
  batchgen plan batchgen.yaml --only "vendor == 'Acme'"
  batchgen plan batchgen.yaml -o plan.json         then: run --plan plan.json
"""


@click.command("plan", short_help=VERBS["plan"], epilog=_EPILOG, context_settings=SETTINGS)
@manifest_argument
@click.option("--offline", is_flag=True, help="Do not ask the provider about its models.")
@click.option("-o", "paper", metavar="FILE", allow_from_autoenv=False, help="Put the plan on paper for `run --plan`.")
@wish_options
@limit_options
@batch_options
@voice_options
@click.pass_context
def command(ctx: click.Context, /, **_given: Any) -> int:
    """Say what `batchgen run` would buy for MANIFEST, and why. Writes nothing but the file of -o."""
    return say(ctx)


def say(ctx: click.Context) -> int:
    """Plan, and say so."""
    from batchgen.cli.bill import as_json, lines

    speaker, named = console(ctx), where(ctx)
    asked = options(ctx, named, speaker)
    plan = ctx.obj.doors.plan(asked)
    if speaker.voice.json:
        speaker.data(as_json(plan))
    speaker.say("\n".join(lines(plan)))
    paper = ctx.params.get("paper")
    if paper is not None:
        ctx.obj.doors.write_plan(plan, paper)
        speaker.say(f"  on paper     {paper}")
    if plan.to_buy:
        again = _run((*typed_again(ctx), *named.typed), paper)
        speaker.say(f"  next         batchgen {again}")
    return 0


def _run(typed: tuple[str, ...], paper: str | None) -> str:
    import shlex

    return shlex.join(("run", *(("--plan", paper) if paper is not None else ()), *typed))

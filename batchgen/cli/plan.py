"""`batchgen plan`: what a run would buy, and why; nothing is written and nothing is sent that costs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from batchgen.cli.later import later_options
from batchgen.cli.options import (
    SETTINGS,
    batch_options,
    console,
    limit_options,
    manifest_argument,
    voice_options,
    where,
)
from batchgen.cli.run import options
from batchgen.cli.teller import first_lines
from batchgen.cli.verbs import VERBS
from batchgen.journal import Difference, Kind
from batchgen.report.plain import columns, fit, harmless
from batchgen.report.words import many

if TYPE_CHECKING:
    from batchgen.plan import Plan

_EPILOG = """\b
Examples:
  batchgen plan batchgen.yaml
  batchgen plan batchgen.yaml --offline            ask nobody
  batchgen plan batchgen.yaml --json
"""

_KINDS: Final[dict[Kind, str]] = {
    "new": "to be bought",
    "changed": "kept as they were bought",
    "unchanged": "nothing to do",
    "renamed": "the same pictures under another id",
    "gone": "no longer asked for; files stay",
}

_EXAMPLES: Final = 3


@later_options("plan")
@click.command("plan", short_help=VERBS["plan"], epilog=_EPILOG, context_settings=SETTINGS)
@manifest_argument
@click.option("--offline", is_flag=True, help="Do not ask the provider about its models.")
@limit_options
@batch_options
@voice_options
@click.pass_context
def command(ctx: click.Context, /, **_given: Any) -> int:
    """Say what `batchgen run` would buy for MANIFEST, and why. Writes nothing."""
    speaker, named = console(ctx), where(ctx)
    plan = ctx.obj.doors.plan(options(ctx, named, speaker))
    if speaker.voice.json:
        speaker.data(_as_json(plan))
    speaker.say("\n".join(_lines(plan)))
    if plan.to_buy:
        speaker.say(f"  next         batchgen {' '.join(_run(named.typed))}")
    return 0


def _run(typed: tuple[str, ...]) -> tuple[str, ...]:
    import shlex

    return ("run", *map(shlex.quote, typed))


def _lines(plan: "Plan") -> Iterator[str]:
    yield first_lines(plan.folder, plan.run, new=plan.new)
    for kind, meaning in _KINDS.items():
        if count := plan.comparison.counts.get(kind, 0):
            yield f"  {kind:<12} {count:>6,}  {meaning}"
            examples = plan.comparison.examples.get(kind, ())
            if kind != "unchanged":
                yield from map(_example, examples[:_EXAMPLES])
    for each in plan.warnings:
        yield f"  {harmless(each)}"
    yield f"  to buy       {many(plan.to_buy, 'picture')}" if plan.to_buy else "  nothing to buy: everything is there"


def _example(difference: Difference) -> str:
    was = f" (was {harmless(difference.was)})" if difference.was else ""
    left = fit(f"{harmless(difference.id)}{was}", 40)
    return f"{'':<23}{left}  {fit(harmless(difference.reason), 55 - columns(left))}".rstrip()


def _as_json(plan: "Plan") -> dict[str, Any]:
    found = plan.comparison
    return {
        "v": 1,
        "name": plan.name,
        "folder": plan.folder,
        "run": plan.run,
        "new_batch": plan.new,
        "counts": {kind: found.counts.get(kind, 0) for kind in _KINDS},
        "to_buy": plan.to_buy,
        "examples": {
            kind: [{"id": each.id, "reason": each.reason, "was": each.was or None} for each in examples]
            for kind, examples in found.examples.items()
        },
        "warnings": list(plan.warnings),
    }

"""`batchgen models`: what the provider says about its models."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from batchgen.cli.options import SETTINGS, batch_options, console, manifest_argument, voice_options, where
from batchgen.cli.verbs import VERBS
from batchgen.cli.wishes import options
from batchgen.report.plain import harmless
from batchgen.report.words import dollars, many, usd

if TYPE_CHECKING:
    from batchgen.api.models import Catalogue, Rules

_EPILOG = """\b
Examples:
  batchgen models batchgen.yaml
  batchgen models batchgen.yaml --json
"""


@click.command("models", short_help=VERBS["models"], epilog=_EPILOG, context_settings=SETTINGS)
@manifest_argument
@batch_options
@voice_options
@click.pass_context
def command(ctx: click.Context, /, **_given: Any) -> int:
    """Ask the provider that MANIFEST names what its models take and cost. Asking is free."""
    speaker, named = console(ctx), where(ctx)
    catalogue = ctx.obj.doors.models(options(ctx, named, speaker))
    if speaker.voice.json:
        speaker.data(_as_json(catalogue))
    speaker.say("\n".join(_lines(catalogue)))
    return 0


def _lines(catalogue: "Catalogue") -> Iterator[str]:
    for each in catalogue.warnings:
        yield harmless(each)
    for rules in catalogue.rules.values():
        yield f"{harmless(rules.model)}{'' if rules.enabled else '  (switched off by the provider)'}"
        for name, values in rules.values.items():
            yield f"  {name.replace('_', ' '):<15} {harmless(', '.join(values)) or 'any'}"
        yield f"  {'references':<15} {f'up to {rules.references}' if rules.references else 'none'}"
        if rules.channels:
            yield f"  {'channels':<15} {', '.join(map(str, rules.channels))}"
        yield f"  {'price':<15} {harmless(_price(rules))}"
    yield many(len(catalogue.rules), "model")


def _price(rules: "Rules") -> str:
    tiers = [f"{usd(price)} ({name})" for name, price in rules.tiers.items() if price]
    flat = [f"{usd(rules.flat)}"] if rules.flat else []
    return ", ".join(tiers or flat) or "unknown"


def _as_json(catalogue: "Catalogue") -> dict[str, Any]:
    return {
        "v": 1,
        "models": [
            {
                "model": rules.model,
                "enabled": rules.enabled,
                "parameters": {name: list(values) for name, values in rules.values.items()},
                "references": rules.references,
                "channels": list(rules.channels),
                "prices_usd": {name: dollars(price) for name, price in rules.tiers.items() if price},
                "price_usd": dollars(rules.flat) if rules.flat else None,
            }
            for rules in catalogue.rules.values()
        ],
        "warnings": list(catalogue.warnings),
    }

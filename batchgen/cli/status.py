"""`batchgen status`: a batch's figures, read from its journal alone."""

from collections.abc import Iterator
from typing import Any, Final

import click

from batchgen.cli.options import SETTINGS, batch_options, console, manifest_argument, voice_options, where
from batchgen.cli.verbs import VERBS
from batchgen.journal import STATES, Run
from batchgen.report.plain import cell, fit, harmless
from batchgen.report.summary import Summary, as_json, summary
from batchgen.report.words import first_lines, moment, owed, price_unknown, span, usd, volume

_EPILOG = """\b
Examples:
  batchgen status batchgen.yaml                    also while a run goes on
  batchgen status outputs/hello                    a batch folder will do
  batchgen status batchgen.yaml --json
  batchgen status --format prometheus > /var/lib/node_exporter/hello.prom
"""

_LISTED: Final = 10
_NAME: Final = 28
_COLUMN: Final = 10
_BY_MODEL: Final = ("queued", "running", "stored", "failed", "in_doubt")


@click.command("status", short_help=VERBS["status"], epilog=_EPILOG, context_settings=SETTINGS)
@manifest_argument
@click.option(
    "--format", type=click.Choice(["text", "prometheus"]), default="text", help="As text, or as gauges on stdout."
)
@batch_options
@voice_options
@click.pass_context
def command(ctx: click.Context, /, **_given: Any) -> int:
    """Say how a batch stands: MANIFEST is its manifest or its folder. Needs no key and no valid manifest."""
    from batchgen.store.space import free_bytes

    speaker, named = console(ctx), where(ctx)
    gauges = ctx.params["format"] == "prometheus"
    if gauges and speaker.voice.json:
        raise click.UsageError("--json and --format prometheus are two formats; choose one")
    location = named.locate(ctx.obj)
    found = Summary(location.name, str(location.folder))
    if location.exists:
        with ctx.obj.doors.open_record(location) as record:
            found = summary(record, str(location.folder), location.kept_in())
    free = free_bytes(str(location.folder))
    if gauges:
        from batchgen.report.exposition import exposition

        speaker.out.write("".join(f"{each}\n" for each in exposition(found, free)))
        return 0
    if speaker.voice.json:
        speaker.data(as_json(found))
    speaker.say("\n".join(_lines(found, free)))
    return 0


def _lines(found: Summary, free_bytes: int | None) -> Iterator[str]:
    run = found.runs[0].number if found.runs else 0
    yield first_lines(found.folder, run, new=not found.runs, store=found.store)
    if not found.runs:
        return
    for state in STATES:
        if count := found.of(state):
            kept = f"  {found.kept:,} kept as they were" if state == "stored" and found.kept else ""
            yield f"  {state.replace('_', ' '):<12} {count:>6,} of {found.total:,}{kept}"
    yield f"  money        {_money(found)}"
    if free_bytes is not None:
        yield f"  disk         {volume(free_bytes)} free"
    if len(found.models) > 1:
        yield from _models(found)
    yield from [""] if found.failures else []
    for each in found.failures[:_LISTED]:
        yield fit(f"  {each.failure.replace('_', ' '):<12} {each.jobs:>6,}  {harmless(each.reason)}", 80)
    if len(found.failures) > _LISTED:
        yield f"  {len(found.failures) - _LISTED} more reasons: --json lists them"
    yield ""
    for number, each_run in enumerate(found.runs):
        yield _run(each_run, going=found.live and number == 0)


def _models(found: Summary) -> Iterator[str]:
    yield ""
    yield f"  {'model':<{_NAME}}" + "".join(f"{state.replace('_', ' '):>{_COLUMN}}" for state in _BY_MODEL)
    for model, counts in sorted(found.models.items())[:_LISTED]:
        cells = "".join(f"{counts.get(state, 0):>{_COLUMN},}" for state in _BY_MODEL)
        yield f"  {cell(harmless(model), _NAME - 1)} {cells}"
    if len(found.models) > _LISTED:
        yield f"  {len(found.models) - _LISTED} more models: --json lists them"


def _money(found: Summary) -> str:
    if price_unknown(found.money):
        return "price unknown"
    lost = f"{usd(found.money.lost)} of it without a picture" if found.money.lost else ""
    return ", ".join(filter(None, (f"spent {usd(found.money.spent)}", lost, owed(found.money))))


def _run(run: Run, *, going: bool) -> str:
    if run.ended is None:
        ending = f"running as process {run.pid}" if going else "killed, or its machine went down"
    else:
        told = (span(run.ended - run.began), f"exit {run.exit_code}", harmless(run.reason))
        ending = ", ".join(filter(None, told))
    return fit(f"  run {run.number:<8} {moment(run.began)}  {run.verb}, {ending}", 80)

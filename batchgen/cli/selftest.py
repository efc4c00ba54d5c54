"""`batchgen selftest crash`: a small batch dies at every call in every way, and nothing may be lost."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from batchgen.cli.console import Console
from batchgen.cli.options import SETTINGS, console, voice_options
from batchgen.cli.verbs import VERBS
from batchgen.report.words import many

if TYPE_CHECKING:
    from batchgen.selftest import Options, Outcome

_EPILOG = """\b
Examples:
  batchgen selftest crash                          a sample of the deaths
  batchgen selftest crash --whole                  every one of them
  batchgen selftest crash --kind power --first --keep /tmp/breach
"""

KINDS: Final = ("exception", "full", "kill", "power", "torn")
SURROUNDINGS: Final = ("replay", "crowd", "hold", "machine")
_SHOWN: Final = 20
_WIDTH: Final = 34


@click.command("selftest", short_help=VERBS["selftest"], epilog=_EPILOG, context_settings=SETTINGS)
@click.argument("what", type=click.Choice(["crash"]))
@click.option("--whole", is_flag=True, allow_from_autoenv=False, help="Every call, every death, everywhere.")
@click.option("--deaths", type=click.IntRange(min=1), metavar="N", help="So many deaths, drawn by lot.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed, another sample.")
@click.option("--kind", type=click.Choice(KINDS), multiple=True, help="Only these deaths.")
@click.option("--setting", type=click.Choice(SURROUNDINGS), multiple=True, help="Only these surroundings.")
@click.option("--first", is_flag=True, allow_from_autoenv=False, help="End at the first broken promise.")
@click.option("--keep", type=click.Path(path_type=Path), metavar="DIR", help="Keep what a broken promise has left.")
@voice_options
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> int:
    """Prove on this machine that a crash loses nothing.

    `crash` ends a small batch at its calls of journal, store, disk and provider, runs it again until it is done, and
    checks every promise. It speaks to the built-in gateway alone, costs nothing and takes about a minute.
    """
    if given["whole"] and given["deaths"]:
        raise click.UsageError("--whole tries every death; --deaths N tries a sample")
    speaker = console(ctx)
    outcome = ctx.obj.doors.explore(_options(given), _Progress(speaker))
    if speaker.voice.json:
        speaker.data(as_json(outcome))
    speaker.say("\n".join(_lines(outcome)))
    return 1 if outcome.breaches else 0


def _options(given: dict[str, Any]) -> "Options":
    from batchgen.selftest import Options

    every = Options()
    return replace(
        every,
        kinds=[kind for kind in every.kinds if kind in given["kind"]] or every.kinds,
        settings=[setting for setting in every.settings if setting in given["setting"]] or every.settings,
        deaths=None if given["whole"] else given["deaths"] or every.deaths,
        seed=given["seed"],
        first=given["first"],
        kept=given["keep"],
    )


class _Progress:
    """A count that goes on in its place on a terminal, a line for each tenth elsewhere."""

    def __init__(self, speaker: Console) -> None:
        self._speaker = speaker

    def __call__(self, done: int, of: int) -> None:
        """So many of so many deaths are died."""
        if self._speaker.voice.quiet:
            return
        err = self._speaker.err
        if err.isatty():
            err.write(f"\r{done:,} of {of:,} deaths" + ("\r\x1b[K" if done == of else ""))
        elif done * 10 // of > (done - 1) * 10 // of:
            err.write(f"{done:,} of {of:,} deaths\n")
            err.flush()


def as_json(outcome: "Outcome") -> dict[str, Any]:
    """The outcome for programs."""
    return {
        "v": 1,
        "calls": [asdict(row) for row in outcome.rows],
        "breaches": [{**asdict(each.trial), "what": each.what} for each in outcome.breaches],
        "moments": outcome.moments,
        "deaths": outcome.deaths,
        "missed": outcome.missed,
        "seconds": round(outcome.seconds, 1),
    }


def _lines(outcome: "Outcome") -> Iterator[str]:
    yield f"{'call':<{_WIDTH}} {'calls':>6}" + "".join(f" {kind:>9}" for kind in KINDS) + f" {'broken':>9}"
    for row in outcome.rows:
        deaths = "".join(f" {row.deaths.get(kind, 0) or '':>9}" for kind in KINDS)
        yield f"{row.call:<{_WIDTH}} {row.calls:>6,}{deaths} {row.breaches or '':>9}"
    yield from _breaches(outcome.breaches)
    missed = f" ({outcome.missed:,} more never came)" if outcome.missed else ""
    yield (
        f"{many(outcome.moments, 'moment')} before and after calls, {many(outcome.deaths, 'death')}{missed},"
        f" {outcome.seconds:.0f} s: {many(len(outcome.breaches), 'broken promise')}"
    )


def _breaches(breaches: "Sequence[Any]") -> Iterator[str]:
    for each in breaches[:_SHOWN]:
        trial = each.trial
        yield f"  {trial.setting}, {trial.kind} {trial.name}, time {trial.turn}: {each.what}"
    if len(breaches) > _SHOWN:
        yield f"  and {len(breaches) - _SHOWN:,} more: --json lists all"

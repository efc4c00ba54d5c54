"""`batchgen resolve`: a person decides about payments that may have happened."""

import os
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from batchgen.cli.console import Console
from batchgen.cli.options import SETTINGS, Where, batch_options, console, voice_options, where
from batchgen.cli.verbs import VERBS
from batchgen.errors import SettingsError
from batchgen.journal import Progress, state_of
from batchgen.lifecycle import InDoubt
from batchgen.report.plain import cell, columns, fit, harmless
from batchgen.report.words import dollars, many, span, usd

if TYPE_CHECKING:
    from batchgen.decide import Decision

_EPILOG = """\b
Examples:
  batchgen resolve batchgen.yaml                   list them
  batchgen resolve batchgen.yaml --resend shoe     buy it again
  batchgen resolve batchgen.yaml --drop 'a/*' --not-billed
  batchgen resolve batchgen.yaml --paid task_123 shoe
"""

_SHOWN: Final = 50


@click.command("resolve", short_help=VERBS["resolve"], epilog=_EPILOG, context_settings=SETTINGS)
@click.argument("words", nargs=-1, metavar="[MANIFEST] [ID|GLOB]...")
@click.option("--resend", is_flag=True, allow_from_autoenv=False, help="Buy them again; the old stays in doubt.")
@click.option("--drop", is_flag=True, allow_from_autoenv=False, help="Never mind them.")
@click.option("--paid", metavar="TASK_ID", allow_from_autoenv=False, help="It was paid, and this is its task.")
@click.option("--not-billed", is_flag=True, allow_from_autoenv=False, help="With --drop: it was not charged for.")
@click.option("--all", "everything", is_flag=True, allow_from_autoenv=False, help="All that are in doubt.")
@batch_options
@voice_options
@click.pass_context
def command(ctx: click.Context, /, **_given: Any) -> int:
    """List the payments in doubt, or decide about those that ids or globs name.

    A task named by --paid is asked for first: one that was bought for something else is refused.

    The first word is the manifest or the batch folder if it is there as a file or folder, else an id of batchgen.yaml.
    """
    source, names = _split(ctx.params["words"])
    speaker, named = console(ctx), where(ctx, source)
    decision = _decision(ctx.params, names)
    location = named.locate(ctx.obj)
    if not location.exists:
        raise SettingsError(f"{location.folder} holds no batch yet; there is nothing to decide")
    if decision is None:
        from batchgen.decide import doubtful

        with ctx.obj.doors.open_record(location) as record:
            _list(doubtful(record), speaker, named)
        return 0
    from batchgen.batch import Whom

    chosen, whom = None if ctx.params["everything"] else names, Whom(named.source, named.provider)
    decided = ctx.obj.doors.decide(location, decision, chosen, whom)
    _tell(decided, speaker)
    return 0


def _split(words: Sequence[str]) -> tuple[str | None, tuple[str, ...]]:
    if words and os.path.exists(words[0]):
        return words[0], tuple(words[1:])
    return None, tuple(words)


def _decision(given: dict[str, Any], names: Sequence[str]) -> "Decision | None":
    """The one decision asked for, None for none; a decision without jobs is a mistake, not a decision about all."""
    from batchgen.decide import Drop, Paid, Resend

    if given["not_billed"] and not given["drop"]:
        raise click.UsageError("--not-billed goes with --drop")
    asked: list[Decision] = []
    asked += [Resend()] if given["resend"] else []
    asked += [Drop(not_billed=given["not_billed"])] if given["drop"] else []
    asked += [Paid(given["paid"])] if given["paid"] is not None else []
    match asked:
        case []:
            _refuse(given["everything"] or bool(names), "say what to do: --resend, --drop or --paid TASK_ID")
            return None
        case [decision]:
            _refuse(bool(names) == bool(given["everything"]), "name the jobs by ids or globs, or all of them by --all")
            _refuse(isinstance(decision, Paid) and len(names) != 1, "--paid is for one job: name its id")
            return decision
        case _:
            raise click.UsageError("--resend, --drop and --paid exclude each other")


def _refuse(wrong: bool, why: str) -> None:  # noqa: FBT001  # a condition, read as one
    if wrong:
        raise click.UsageError(why)


def _list(doubts: Sequence[Progress], speaker: Console, named: Where) -> None:
    now = time.time()
    if speaker.voice.json:
        for each in doubts:
            speaker.data(_as_json(each, now))
    speaker.say(f"{many(len(doubts), 'payment')} in doubt" if doubts else "no payment is in doubt")
    speaker.say("\n".join(_line(each, now) for each in doubts[:_SHOWN])) if doubts else None
    if len(doubts) > _SHOWN:
        speaker.say(f"  and {len(doubts) - _SHOWN:,} more: --json lists all")
    if doubts:
        import shlex

        again = shlex.join(("batchgen", "resolve", *named.typed))
        speaker.say(f"  next         {again} --resend ID, or --drop ID, or --paid TASK_ID ID")


def _line(each: Progress, now: float) -> str:
    from batchgen.decide import address

    doubt = each.milestone
    assert isinstance(doubt, InDoubt)
    price = "price unknown" if doubt.price_micro_usd is None else usd(doubt.price_micro_usd)
    known = "known to be paid" if doubt.known_paid else harmless(doubt.reach)
    line = f"  {cell(harmless(address(each)), 32)}  {price:>13}  {span(now - doubt.since):>9} ago  "
    return line + fit(known, 80 - columns(line))


def _as_json(each: Progress, now: float) -> dict[str, Any]:
    from batchgen.decide import address

    doubt = each.milestone
    assert isinstance(doubt, InDoubt)
    return {
        "id": address(each),
        "state": "in_doubt",
        "attempt": doubt.attempt,
        "price_usd": None if doubt.price_micro_usd is None else dollars(doubt.price_micro_usd),
        "age_seconds": round(now - doubt.since, 1),
        "reach": doubt.reach,
        "known_paid": doubt.known_paid,
        "run": each.run,
    }


def _tell(decided: Sequence[Progress], speaker: Console) -> None:
    if speaker.voice.json:
        for each in decided:
            speaker.data({"id": each.job.id, "state": state_of(each.milestone)})
    speaker.say("\n".join(_decided(decided)))


def _decided(decided: Sequence[Progress]) -> Iterator[str]:
    yield f"{many(len(decided), 'job')} decided; `batchgen run` carries out what is left to do"
    for each in decided[:_SHOWN]:
        yield f"  {fit(harmless(each.job.id), 60)}  {state_of(each.milestone).replace('_', ' ')}"

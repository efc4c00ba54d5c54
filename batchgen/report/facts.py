"""What the page tells in words and figures, ready for a template: every text from outside fit for people."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from batchgen.journal import STATES, Record, Run, State
from batchgen.ledger import Money
from batchgen.report.cards import remedy
from batchgen.report.closing import Ended, happened
from batchgen.report.gallery import Elsewhere, Gallery
from batchgen.report.plain import harmless, visible
from batchgen.report.summary import Summary, summary
from batchgen.report.timings import Completions, Latency
from batchgen.report.words import many, moment, price_unknown, took, usd

RUNS: Final = 50
"""So many runs are listed, the newest first."""

_WIDTH: Final = 720
_HEIGHT: Final = 120
"""Of the drawing of how pictures came in, in its own units."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page is made of: the batch `folder`, the `target` file, both absolute, and the time `now`, unix seconds.

    `where` are the words that name the batch to `run`; `budget_micro_usd` is what it may cost, None when nobody said.
    `elsewhere` is where the pictures are, if not in the folder.
    """

    folder: str
    target: str
    now: float
    where: tuple[str, ...]
    budget_micro_usd: int | None = None
    elsewhere: Elsewhere | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with the word above it, and a few words beside."""

    word: str
    number: str
    beside: str = ""


def facts(record: Record, gallery: Gallery, asked: Asked) -> dict[str, Any]:
    """All that the template asks for, once the gallery's lines have passed."""
    found, runs = summary(record, asked.folder), record.runs
    latencies = gallery.timings.latencies()
    return {
        "name": visible(found.name),
        "folder": visible(found.folder),
        "store": visible(asked.elsewhere.address) if asked.elsewhere else "",
        "linked": bool(asked.elsewhere and asked.elsewhere.base_url),
        "headline": headline(found),
        "made": moment(asked.now),
        "live": found.live,
        "missing": many(gallery.missing, "picture") if gallery.missing else "",
        "states": list(_states(found)),
        "figures": list(_figures(found, gallery, asked)),
        "models": list(_models(gallery)),
        "latencies": list(_latencies(latencies)),
        "completions": completions(gallery.timings.completions(runs)),
        "open": [*_failures(found, asked.where), *_undecided(found, asked.where)],
        "runs": [
            _run(each, gallery.spent[each.number], live=found.live and number == 0)
            for number, each in enumerate(runs[:RUNS])
        ],
        "earlier": many(len(runs) - RUNS, "earlier run") if len(runs) > RUNS else "",
    }


def headline(found: Summary) -> str:
    """How the batch stands, in the words of a run's last lines."""
    last = next((each for each in found.runs if each.verb == "run"), None)
    if found.live:
        return "a run is going on"
    if last is None or last.exit_code is None:
        return "cut off: the last run was killed, or its machine went down"
    words = happened(Ended(last.exit_code, summary=found))
    told = "" if last.exit_code in {0, 1, 3} else harmless(last.reason)
    return f"{words}: {told}" if told else words


def _states(found: Summary) -> Iterator[dict[str, Any]]:
    """The bar of states: where each begins and how wide it is, of 1000."""
    begin = 0.0
    for state in STATES:
        if count := found.of(state):
            width = 1000 * count / found.total
            word = state.replace("_", " ")
            yield {"state": state, "word": word, "count": f"{count:,}", "begin": begin, "width": width}
            begin += width


def _figures(found: Summary, gallery: Gallery, asked: Asked) -> Iterator[Figure]:
    money = found.money
    beside = f"{found.kept:,} kept as they were" if found.kept else ""
    yield Figure("pictures", f"{found.of('stored'):,}", f"of {found.total:,}{f'; {beside}' if beside else ''}")
    if price_unknown(money):
        yield Figure("spent", "price unknown")
    else:
        limit = asked.budget_micro_usd
        yield Figure("spent", usd(money.spent), f"of {usd(limit)}" if limit is not None else "")
    for word, sum_ in (("at risk", money.reserved), ("in doubt", money.in_doubt), ("paid, no picture", money.lost)):
        if sum_:
            yield Figure(word, usd(sum_))
    if money.unpriced and not price_unknown(money):
        yield Figure("price unknown", f"{money.unpriced:,}", "attempts")
    if (usual := gallery.timings.median()) is not None:
        yield Figure("a picture takes", took(usual), "usually")
    if (came := gallery.timings.completions(found.runs)) is not None:
        yield Figure("time of all runs", took(came.seconds))


def _models(gallery: Gallery) -> Iterator[dict[str, str]]:
    """What each model cost; one that nothing was asked of is left out."""
    for model, money in sorted(gallery.money.items()):
        pictures = gallery.pictures[model]
        if not pictures and money == Money():
            continue
        each = usd(money.spent // pictures) if pictures and money.spent else ""
        open_ = usd(money.reserved + money.in_doubt) if money.reserved + money.in_doubt else ""
        yield {
            "model": visible(model),
            "pictures": f"{pictures:,}",
            "spent": "unknown" if price_unknown(money) else usd(money.spent),
            "each": each,
            "open": open_,
            "lost": usd(money.lost) if money.lost else "",
        }


def _latencies(latencies: tuple[Latency, ...]) -> Iterator[dict[str, Any]]:
    """Times by model, with a bar from the quickest to the time that a tenth took longer than; of 1000."""
    longest = max((each.tenth for each in latencies), default=0.0) or 1.0
    for each in latencies:
        begin, end = 1000 * each.quickest / longest, 1000 * each.tenth / longest
        yield {
            "model": visible(each.model),
            "median": took(each.median),
            "tenth": took(each.tenth),
            "slowest": took(each.slowest),
            "begin": begin,
            "width": max(4.0, end - begin),
            "middle": 1000 * each.median / longest,
        }


def completions(found: Completions | None) -> dict[str, Any] | None:
    """The drawing of how pictures came in, with the sentence that says the same."""
    if found is None:
        return None
    most = max(found.counts)
    wide = _WIDTH / len(found.counts)
    bars = [
        {"x": round(wide * at, 2), "width": round(wide * 0.8, 2), "height": round(_HEIGHT * count / most, 2)}
        for at, count in enumerate(found.counts)
    ]
    return {
        "width": _WIDTH,
        "height": _HEIGHT,
        "bars": [each for each in bars if each["height"]],
        "turns": [{"run": number, "x": round(share * _WIDTH, 2)} for number, share in found.turns],
        "end": took(found.seconds),
        "most": f"{most:,} in {took(found.stretch_seconds)}",
        "sentence": f"{many(found.pictures, 'picture')} in {took(found.seconds)} of running; at most {most:,} in "
        f"{took(found.stretch_seconds)}.",
    }


def _failures(found: Summary, where: tuple[str, ...]) -> Iterator[dict[str, str]]:
    for each in found.failures:
        yield {
            "state": "failed",
            "jobs": f"{each.jobs:,}",
            "cause": each.failure.replace("_", " "),
            "reason": harmless(each.reason),
            "command": _command(remedy("failed", each.failure), where),
        }


def _undecided(found: Summary, where: tuple[str, ...]) -> Iterator[dict[str, str]]:
    told: dict[State, str] = {
        "in_doubt": "sent, and nobody knows whether it was taken: it may have been paid",
        "running": "paid, at the provider or on its way here",
        "queued": "not sent",
    }
    for state, words in told.items():
        if count := found.of(state):
            yield {
                "state": state,
                "jobs": f"{count:,}",
                "cause": state.replace("_", " "),
                "reason": words,
                "command": _command(remedy(state, None), where),
            }


def _command(words: tuple[str, ...], where: tuple[str, ...]) -> str:
    """A command ready to paste, from wherever one stands."""
    return visible(shlex.join(("batchgen", words[0], *where, *words[1:])))


def _run(run: Run, spent: int, *, live: bool) -> dict[str, str]:
    ended = "" if run.ended is None else took(run.ended - run.began)
    if run.exit_code is None:
        ending = "going on" if live else "killed, or its machine went down"
    else:
        ending = f"exit {run.exit_code}, {harmless(run.reason)}" if run.reason else f"exit {run.exit_code}"
    return {
        "number": str(run.number),
        "verb": run.verb,
        "began": moment(run.began),
        "took": ended,
        "ending": ending,
        "spent": usd(spent) if spent else "",
    }

"""The last lines of every command: what happened, what it cost, whether to run again, and the command that goes on.

At most 12 lines of 80 columns, under 2,048 bytes in all, whatever the texts in them are.
"""

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from batchgen.report.plain import columns, fit, fit_end, harmless, visible
from batchgen.report.summary import Summary
from batchgen.report.words import many, owed, price_unknown, span, usd

LINES: Final = 12
WIDTH: Final = 80
BYTES: Final = 2_048
_LINE_BYTES: Final = BYTES // LINES - 2
_LABEL: Final = 15

_FINISHED: Final = {
    0: "done",
    1: "finished; some pictures failed for good",
    3: "finished; some payments are in doubt",
}

_STOPPED: Final = {
    2: "nothing was sent; mend this first",
    4: "stopped; a person must act",
    5: "stopped; the journal is not usable",
    70: "stopped by a mistake in batchgen itself",
    75: "not finished; nothing is wrong",
    130: "interrupted",
    143: "terminated",
}

_SAFE: Final = {
    0: "yes, there is nothing left to buy",
    1: "yes, it buys only what is missing",
    2: "yes, nothing was sent",
    3: "yes, it buys only what is missing",
    4: "yes, once that is mended; it buys only what is missing",
    5: "no, not before the line above is acted on",
    70: "yes, it goes on where it stopped",
    75: "yes, later; it goes on where it stopped",
    130: "yes, it goes on where it stopped",
    143: "yes, it goes on where it stopped",
}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended.

    `again` are its words as typed after the program's name, `where` those of them that name the batch; `run` is 0 when
    no run was begun, `summary` is None when no journal was read.
    """

    exit_code: int
    reason: str = ""
    again: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    run: int = 0
    seconds: float = 0.0
    spent_micro_usd: int = 0
    summary: Summary | None = None


def closing(ended: Ended) -> tuple[str, ...]:
    """The last lines, without line ends."""
    above = [_head(ended), *_reason(ended), *_stored(ended)]
    below = [*_open(ended), *_money(ended), _safe(ended), *_next(ended)]
    lines = [*above, *_failures(ended, LINES - len(above) - len(below)), *below]
    return tuple(fit(line.rstrip(), WIDTH, _LINE_BYTES) for line in lines)


def _head(ended: Ended) -> str:
    name = "batchgen" if ended.summary is None else harmless(ended.summary.name)
    run = f"run {ended.run}, " if ended.run else ""
    return _ends(f"{name}: {happened(ended)}", f"{run}exit {ended.exit_code}")


def happened(ended: Ended) -> str:
    """How a batch stands, in half a sentence."""
    if ended.summary is None:
        return _FINISHED.get(ended.exit_code) or _STOPPED.get(ended.exit_code, "stopped")
    match ended.exit_code:
        case 0:
            return f"complete, {_there(ended.summary)}"
        case 1:
            return f"finished, {_missing(ended.summary)}"
        case 3:
            doubts = ended.summary.of("in_doubt")
            return f"finished, {many(doubts, 'payment')} {'is' if doubts == 1 else 'are'} in doubt"
        case code:
            return _STOPPED.get(code, "stopped")


def _there(summary: Summary) -> str:
    match summary.of("stored"):
        case 0:
            return "no picture is asked for"
        case 1:
            return "the picture is there"
        case stored:
            return f"all {many(stored, 'picture')} are there"


def _missing(summary: Summary) -> str:
    missing = summary.total - summary.of("stored") - summary.of("dropped")
    return f"{many(missing, 'picture')} {'is' if missing == 1 else 'are'} missing"


def _reason(ended: Ended) -> Iterator[str]:
    """What stopped it, on at most two lines; codes 0, 1 and 3 say it in figures."""
    text = "" if ended.exit_code in {0, 1, 3} else harmless(ended.reason.split("\n", maxsplit=1)[0])
    if columns(text) > WIDTH - 2:
        head = fit(text, WIDTH - 2).removesuffix("…")
        head = head[: head.rstrip().rfind(" ") + 1] or head
        yield f"  {head}"
        text = text[len(head) :]
    if text:
        yield f"  {text}"


def _stored(ended: Ended) -> Iterator[str]:
    if ended.summary is None or not ended.summary.total:
        return
    stored = f"{ended.summary.of('stored'):>6,} of {ended.summary.total:,}"
    aside = [
        f"{ended.summary.kept:,} kept as they were" if ended.summary.kept else "",
        f"{ended.summary.of('dropped'):,} dropped" if ended.summary.of("dropped") else "",
    ]
    note = "; ".join(filter(None, aside))
    text = _row("stored", f"{stored}  {note}" if note else stored)
    yield _ends(text, span(ended.seconds) if ended.run else "")


def _failures(ended: Ended, room: int) -> Iterator[str]:
    """A line for each class that pictures failed by, the rarest together when there is no room for all."""
    if ended.summary is None or not ended.summary.failures:
        return
    classes: Counter[str] = Counter()
    for each in ended.summary.failures:
        classes[each.failure] += each.jobs
    shown = classes.most_common() if len(classes) <= min(room, 3) else classes.most_common(max(0, min(room, 3) - 1))
    for failure, jobs in shown:
        reasons = [each.reason for each in ended.summary.failures if each.failure == failure]
        more = f"; and {many(len(reasons) - 1, 'other reason')}" if len(reasons) > 1 else ""
        yield _row(failure.replace("_", " "), fit(f"{jobs:>6,}  {harmless(reasons[0])}", 65 - columns(more)) + more)
    if rest := classes.total() - sum(jobs for _, jobs in shown):
        yield _row("failed", f"{rest:>6,}  {'for other reasons' if shown else 'for good'}")


def _open(ended: Ended) -> Iterator[str]:
    """What is not decided: unfinished jobs, and payments that may have happened."""
    if (summary := ended.summary) is None:
        return
    running, queued = summary.of("running"), summary.of("queued")
    if running or queued:
        parts = [f"{running:,} at the provider" if running else "", f"{queued:,} not sent" if queued else ""]
        yield _row("unfinished", f"{running + queued:>6,}  {', '.join(filter(None, parts))}")
    if doubts := summary.of("in_doubt"):
        price = f"at most {usd(summary.money.in_doubt)}" if summary.money.in_doubt else "price unknown"
        yield _row("in doubt", f"{doubts:>6,}  no answer to the submit; {price}")


def _money(ended: Ended) -> Iterator[str]:
    if ended.summary is None:
        return
    money = ended.summary.money
    if price_unknown(money):
        yield _row("money", f"price unknown, of {many(money.unpriced, 'attempt')}")
        return
    spent, risk = _spent(ended, money.spent), owed(money)
    together = _row("money", f"{spent}; {risk}" if risk else spent)
    if columns(together) <= WIDTH:
        yield together
    else:
        yield _row("money", spent)
        yield _row("", risk)


def _spent(ended: Ended, in_all: int) -> str:
    match ended.run, ended.spent_micro_usd:
        case 0, _:
            return f"spent {usd(in_all)} in all"
        case _, this_run if this_run == in_all:
            return f"spent {usd(in_all)} this run and in all"
        case _, this_run:
            return f"spent {usd(this_run)} this run, {usd(in_all)} in all"


def _safe(ended: Ended) -> str:
    return f"  safe to run again: {_SAFE.get(ended.exit_code, 'yes, it goes on where it stopped')}"


def _next(ended: Ended) -> Iterator[str]:
    summary = ended.summary
    match ended.exit_code:
        case 0 if summary is not None and summary.of("stored"):
            yield from _found(many(summary.of("stored"), "picture"), visible(summary.store or summary.folder))
            yield from _command(("report", *ended.where, "--open"), "to see them")
        case 0:
            return
        case 1:
            yield from _command(("status", *ended.where), "what failed")
        case 3:
            doubts = 0 if summary is None else summary.of("in_doubt")
            yield from _command(("resolve", *ended.where), f"{doubts:,} to decide" if doubts else "decide")
        case 5:
            yield _row("next", "act on the line above; move and delete nothing")
        case 70:
            yield from _command(ended.again, "and please report this")
        case _:
            yield from _command(ended.again, "")


def _found(pictures: str, folder: str) -> Iterator[str]:
    if columns(f"  {pictures} in {folder}") <= WIDTH and len(folder.encode()) < 100:
        yield f"  {pictures} in {folder}"
    else:
        yield f"  {pictures} in"
        yield f"  {fit_end(folder, WIDTH - 2)}"


def _command(words: Sequence[str], note: str) -> Iterator[str]:
    """A command ready to paste; one that cannot be shown whole is named in words, never cut."""
    command = f"batchgen {shlex.join(words)}".rstrip()
    shown = harmless(command) == command and len(command.encode()) <= _LINE_BYTES - _LABEL
    if shown and columns(command) <= WIDTH - _LABEL:
        beside = columns(command + note) <= WIDTH - _LABEL - 2
        yield _ends(_row("next", command), note if beside else "")
    elif shown and columns(command) <= WIDTH - 2:
        yield _row("next", note)
        yield f"  {command}"
    else:
        verb = words[0] if words else "--help"
        yield _row("next", f"batchgen {verb if verb.isalpha() else ''} with the words you typed"[: WIDTH - _LABEL])


def _row(label: str, text: str) -> str:
    return f"  {label:<{_LABEL - 2}}{text}"


def _ends(left: str, right: str) -> str:
    """Two texts at both ends of a line; it is the left one that gives way."""
    left = fit(left, WIDTH - columns(right) - 2) if right else left
    return left + " " * (WIDTH - columns(left) - columns(right)) + right if right else left

"""Judges what is left of a batch; it uses none of the program's code, only SQLite, the files and the gateway's list.

The promises, by number: 1 no job is lost; 2 nothing is paid twice, or each extra payment is listed; 3 no payment
without a job that knows of it; 4 no picture that is not the one sold; 5 nothing half-written under a final name, and
nothing left behind; 6 no file of others touched; 7 the money in the journal is the money of its milestones, within
the cap; 8 no credential and no signature written anywhere; 9 nothing that was acknowledged is lost; 10 a picture that
was saved is not fetched again.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeAlias

from batchgen.selftest import accounts, pictures
from batchgen.selftest.evidence import Case, Evidence, gather

Judge: TypeAlias = Callable[[Evidence], Iterator[str]]

ALWAYS: Final[tuple[Judge, ...]] = (
    pictures.torn,
    pictures.rewritten,
    pictures.touched,
    accounts.acknowledged,
    accounts.over_the_cap,
    accounts.unlisted,
)
"""These hold at any moment, whatever has just died."""

IN_THE_END: Final[tuple[Judge, ...]] = (
    accounts.lost,
    pictures.reported,
    accounts.twice,
    accounts.orphans,
    pictures.corrupt,
    pictures.left_behind,
    accounts.miscounted,
    pictures.secrets,
    pictures.again,
)
"""These hold when nothing is left to do."""


def at_rest(case: Case, facts: Iterable[dict[str, Any]]) -> list[str]:
    """The breaches right after a death, before anything is mended."""
    return _judged(gather(case, facts), ALWAYS)


def at_the_end(case: Case, facts: Iterable[dict[str, Any]]) -> list[str]:
    """The breaches after the same command was run until it had nothing more to do."""
    return _judged(gather(case, facts), (*ALWAYS, *IN_THE_END))


def _judged(found: Evidence, judges: Iterable[Judge]) -> list[str]:
    return [breach for judge in judges for breach in judge(found)]

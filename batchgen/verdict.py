"""How a run ended: one exit code and one sentence, from the figures and the reasons; pure."""

from batchgen.halt import Halt, worst_of
from batchgen.journal import Totals
from batchgen.terms import Accept

NOTHING = Accept()
"""Every failure counts."""


def verdict(totals: Totals, halt: Halt, accept: Accept = NOTHING) -> tuple[int, str]:
    """Exit code and reason; of several that apply, the one that matters most (docs/cli.md, exit codes).

    Failures that `accept` allows are no reason, unless there is another one.
    """
    counts, reasons = totals.counts, dict(halt.reasons)
    unfinished = counts["queued"] + counts["running"]
    if unfinished:
        reasons[f"{_pictures(unfinished)} not finished"] = 75
    if counts["in_doubt"]:
        reasons[f"{_payments(counts['in_doubt'])} in doubt"] = 3
    missing = f"{_pictures(counts['failed'])} missing"
    if not accept.allows(counts["failed"], sum(counts.values())):
        reasons[missing] = 1
    if reasons:
        return worst_of(reasons)
    return 0, f"{missing}, as accepted" if counts["failed"] else "everything is there"


def _pictures(count: int) -> str:
    return "1 picture is" if count == 1 else f"{count:,} pictures are"


def _payments(count: int) -> str:
    return "1 payment is" if count == 1 else f"{count:,} payments are"

"""Which jobs are meant, which go on, and in what words two versions of a job differ; pure."""

import re
from collections.abc import Collection
from fnmatch import translate
from functools import cache
from posixpath import splitext
from typing import Final

from batchgen.job import Request, effective
from batchgen.journal import Difference, Kind, Progress, Selection, State, state_of
from batchgen.lifecycle import InDoubt, StartAgain, Stored, Wait, next_step
from batchgen.terms import Terms

UNDER_WAY: Final = ("Generated", "Accepted", "Started", "InDoubt")
"""Kinds of milestone whose money is open, in the order in which they are carried on."""

TO_BUY: Final = ("Planned", "AttemptFailed")
"""Kinds of milestone that call for a purchase."""

BOUGHT: Final = (*UNDER_WAY, "Stored")
"""Kinds of milestone whose job was bought or may have been."""

PAGE: Final = 200
"""Rows read at once; no transaction outlives a page."""

EXAMPLES: Final = 5
"""How many differences of each kind a comparison names."""


def selected(progress: Progress, selection: Selection) -> bool:
    """Whether a job is among those meant."""
    return (
        _among(progress.standing, selection.standings)
        and _among(progress.job.number, selection.numbers)
        and _among(state_of(progress.milestone), selection.states)
        and (not selection.globs or any(_pattern(glob).match(progress.job.id) for glob in selection.globs))
        and (not selection.misplaced or misplaced(progress))
    )


def misplaced(progress: Progress) -> bool:
    """Whether the picture of a current job lies under another name than the manifest gives it.

    A name that goes on with `~` after the wanted one is in place: a file that is not ours was in the way.
    """
    if progress.standing != "current" or not isinstance(progress.milestone, Stored) or not progress.milestone.assets:
        return False
    name, wanted = progress.milestone.assets[0].name, progress.job.path
    return splitext(name)[0] != wanted and not name.startswith(wanted + "~")


def goes_on(progress: Progress, terms: Terms, now: float) -> bool:
    """Whether there is anything to do for a job under way without a person.

    A payment in doubt of a job that nobody asks for any longer is cleared up, but nothing new is bought for it.
    """
    if not isinstance(progress.milestone, InDoubt):
        return True
    step = next_step(progress.milestone, terms, now)
    if progress.standing == "current":
        return not isinstance(step, Wait)
    return isinstance(step, StartAgain)


def differing(kept: Request, asked: Request) -> str:
    """The names of the fields in which two requests differ, for people; never their values."""
    old, new = effective(kept), effective(asked)
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    names += [name for name in ("references", "take") if getattr(kept, name) != getattr(asked, name)]
    return ", ".join(names) or "recipe"


def difference(kind: Kind, job_id: str, *, was: str = "", differs: str = "", state: State = "queued") -> Difference:
    """One line of a comparison with its reason in words."""
    reasons: dict[Kind, str] = {
        "new": "not bought before",
        "changed": f"{differs} changed; {_fate(state)}",
        "unchanged": state.replace("_", " "),
        "renamed": f"was {was}, the same picture",
        "gone": f"no longer in the manifest; {state.replace('_', ' ')}",
    }
    return Difference(kind, job_id, reasons[kind], was)


def _fate(state: State) -> str:
    if state in {"stored", "running", "in_doubt"}:
        return "the picture asked for before is kept"
    return "never bought, so only the new one will be"


def _among(value: object, allowed: Collection[object]) -> bool:
    return not allowed or value in allowed


@cache
def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile(translate(glob))

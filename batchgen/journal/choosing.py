"""Which jobs are meant, which go on, and in what words two versions of a job differ; pure."""

import re
from collections.abc import Collection
from fnmatch import translate
from functools import cache
from posixpath import splitext
from typing import Final

from batchgen.job import FileReference, Job, Reference, Request, effective
from batchgen.journal import Change, Difference, Kind, Progress, Redo, Selection, State, state_of
from batchgen.lifecycle import InDoubt, JobFailed, Milestone, StartAgain, Started, Stored, Wait, next_step
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

SHOWN: Final = 60
"""Characters of a text that is shown whole in a comparison."""


def again(redo: Redo, job_id: str, milestone: Milestone) -> bool:
    """Whether a job that has its request already is to be done again."""
    match milestone:
        case Stored(attempt=attempt):
            return redo.picks.get(job_id) == attempt or _meant(redo, job_id)
        case JobFailed(failure=failure):
            return failure in redo.classes or _meant(redo, job_id)
        case InDoubt() | Started():
            return redo.in_doubt
        case _:
            return False


def anew(redo: Redo, job_id: str, attempt: int | None) -> bool:
    """Whether a job that was bought by another request is to be bought by its new one; `attempt` of its picture."""
    judged = attempt is not None and redo.picks.get(job_id) == attempt
    return redo.changed or judged or _meant(redo, job_id)


def _meant(redo: Redo, job_id: str) -> bool:
    return any(pattern(glob).match(job_id) for glob in redo.globs)


def selected(progress: Progress, selection: Selection) -> bool:
    """Whether a job is among those meant."""
    return (
        _among(progress.standing, selection.standings)
        and _among(progress.job.number, selection.numbers)
        and _among(state_of(progress.milestone), selection.states)
        and (not selection.globs or any(pattern(glob).match(progress.job.id) for glob in selection.globs))
        and selection.run in {None, progress.run}
        and (not selection.misplaced or misplaced(progress))
        and _among(progress.job.request.model, selection.models)
        and selection.axes.items() <= progress.axes.items()
        and (not selection.text or _says(progress.job, folded(selection.text)))
        and (not selection.beside or beside(progress))
    )


def folded(text: str) -> str:
    """The text as it is searched: capitals make no difference."""
    return text.casefold()


def _says(job: Job, text: str) -> bool:
    return text in folded(job.id) or text in folded(job.request.prompt)


def misplaced(progress: Progress) -> bool:
    """Whether the picture of a current job lies under another name than the manifest gives it.

    A name that goes on with `~` after the wanted one is in place: a file that is not ours was in the way.
    """
    if progress.standing != "current" or not isinstance(progress.milestone, Stored) or not progress.milestone.assets:
        return False
    name, wanted = progress.milestone.assets[0].name, progress.job.path
    return splitext(name)[0] != wanted and not name.startswith(wanted + "~")


def beside(progress: Progress) -> bool:
    """Whether the picture of a job lies beside the name it should have."""
    stored = progress.milestone
    wanted = f"{progress.job.path}~"
    return isinstance(stored, Stored) and any(asset.name.startswith(wanted) for asset in stored.assets[:1])


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


def differing(kept: Request, asked: Request) -> tuple[Change, ...]:
    """The fields in which two requests differ, for people."""
    old, new = effective(kept), effective(asked)
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    found = [Change(name, *_pieces(str(old.get(name, "")), str(new.get(name, "")))) for name in names]
    if kept.references != asked.references:
        found.append(Change("references", _named(kept.references), _named(asked.references)))
    if kept.take != asked.take:
        found.append(Change("take", str(kept.take), str(asked.take)))
    return tuple(found)


def _pieces(old: str, new: str) -> tuple[str, str]:
    """Of two long texts the words that differ, with a few before and after."""
    if max(len(old), len(new)) <= SHOWN:
        return old, new
    ours, theirs = old.split(), new.split()
    least = min(len(ours), len(theirs))
    first = next((at for at in range(least) if ours[at] != theirs[at]), least)
    last = next((at for at in range(least - first) if ours[-1 - at] != theirs[-1 - at]), least - first)
    return _around(ours, first, last), _around(theirs, first, last)


def _around(words: list[str], first: int, last: int) -> str:
    begin, end = max(0, first - 2), min(len(words), len(words) - last + 2)
    text = " ".join(words[begin:end])
    return f"{'… ' if begin else ''}{text}{' …' if end < len(words) else ''}"


def _named(references: tuple[Reference, ...]) -> str:
    names = (each.path if isinstance(each, FileReference) else each.url.partition("?")[0] for each in references)
    return ", ".join(names) or "none"


def difference(
    kind: Kind, job_id: str, *, was: str = "", changes: tuple[Change, ...] = (), state: State = "queued"
) -> Difference:
    """One line of a comparison with its reason in words."""
    differs = ", ".join(each.field for each in changes) or "recipe"
    reasons: dict[Kind, str] = {
        "new": "not bought before",
        "changed": f"{differs} changed; {_fate(state)}",
        "unchanged": state.replace("_", " "),
        "renamed": f"was {was}, the same picture",
        "gone": f"no longer in the manifest; {state.replace('_', ' ')}",
    }
    return Difference(kind, job_id, reasons[kind], was, changes)


def _fate(state: State) -> str:
    if state in {"stored", "running", "in_doubt"}:
        return "the picture asked for before is kept"
    return "never bought, so only the new one will be"


def _among(value: object, allowed: Collection[object]) -> bool:
    return not allowed or value in allowed


@cache
def pattern(glob: str) -> re.Pattern[str]:
    """A glob over ids, in which `*` crosses slashes."""
    return re.compile(translate(glob))

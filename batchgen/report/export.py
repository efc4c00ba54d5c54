"""One row per job, streamed: what a shop imports and a script reads."""

import json
from collections.abc import Iterator
from typing import Any, Final

from batchgen.journal import Progress, Record, Selection, state_of
from batchgen.lifecycle import AttemptFailed, Generated, InDoubt, JobFailed, Milestone, Stored
from batchgen.report.words import dollars

_MEANT: Final = Selection(standings=frozenset({"current", "replaced"}))


def rows(record: Record) -> Iterator[dict[str, Any]]:
    """A row for each job that counts: those of the manifest as it stands, and replaced ones in doubt."""
    for each in record.entries(_MEANT):
        if each.standing == "current" or isinstance(each.milestone, InDoubt):
            yield row(each)


def row(progress: Progress) -> dict[str, Any]:
    """One job as a row with always the same keys; None where there is nothing to say.

    `path` is the name of the stored picture within the batch folder; a task that gave several has them all in `files`.
    `row` are the cells of its input row, as written.
    """
    milestone = progress.milestone
    assets = milestone.assets if isinstance(milestone, Stored) else ()
    first = assets[0] if assets else None
    failure, reason = _why(milestone)
    return {
        "id": progress.job.id,
        "state": state_of(milestone),
        "path": first.name if first else None,
        "sha256": first.sha256 if first else None,
        "bytes": first.size if first else None,
        "width": first.width if first else None,
        "height": first.height if first else None,
        "model": progress.job.request.model,
        "prompt": progress.job.request.prompt,
        "attempts": milestone.attempt,
        "task_id": getattr(milestone, "task_id", None),
        "cost_usd": _cost(milestone),
        "class": failure,
        "reason": reason,
        "files": [asset.name for asset in assets],
        "changed": progress.changed,
        "standing": progress.standing,
        "axes": dict(progress.axes),
        "row": dict(progress.row.cells) if progress.row is not None else None,
    }


def line(value: dict[str, Any]) -> str:
    """A JSON line of plain ASCII, which no terminal obeys."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n"


def _why(milestone: Milestone) -> tuple[str | None, str | None]:
    match milestone:
        case JobFailed(failure=failure, reason=reason) | AttemptFailed(failure=failure, reason=reason):
            return failure, reason
        case InDoubt(reach=reach):
            return None, reach
        case _:
            return None, None


def _cost(milestone: Milestone) -> float | None:
    match milestone:
        case Stored(cost_micro_usd=int(cost)) | Generated(cost_micro_usd=int(cost)):
            return dollars(cost)
        case AttemptFailed(cost_micro_usd=int(cost)):
            return dollars(cost)
        case _:
            return None

"""One row per job, streamed: what a shop imports and a script reads."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol
from urllib.parse import quote, urlsplit

from batchgen.errors import SettingsError
from batchgen.journal import Progress, Record, Selection, state_of
from batchgen.journal.facets import View
from batchgen.lifecycle import InDoubt, Stored
from batchgen.report.cards import cost, why
from batchgen.report.words import dollars

_MEANT: Final = Selection(standings=frozenset({"current", "replaced"}))


class Tabled(Record, Protocol):
    """A record that also tells what its jobs have in common."""

    def columns(self) -> Sequence[str]:
        """The headers of all input rows that count, as the table has them."""
        ...

    def views(self) -> Sequence[View]:
        """The views of all jobs that count, in the manifest's order."""
        ...


def meant(record: Record, run: int | None = None) -> Iterator[Progress]:
    """The jobs that count: those of the manifest as it stands, and replaced ones in doubt.

    `run` narrows them to those whose newest milestone that run wrote.
    """
    for each in record.entries(replace(_MEANT, run=run)):
        if each.standing == "current" or isinstance(each.milestone, InDoubt):
            yield each


def rows(record: Record, run: int | None = None, base_url: str | None = None) -> Iterator[dict[str, Any]]:
    """A row for each job that counts; with a base URL also `url` and `urls`, where `path` and `files` are to be had."""
    for each in meant(record, run):
        found = row(each)
        if base_url is not None:
            urls = [url(base_url, name) for name in found["files"]]
            found |= {"url": urls[0] if urls else None, "urls": urls}
        yield found


def run_meant(record: Record, word: str) -> int:
    """The number of the run that `last` or a number names; of those that resolve, verify or prune, `last` is none.

    Raises:
        SettingsError: there is no such run.
    """
    numbers = {each.number: each.verb for each in record.runs}
    bought = [number for number, verb in numbers.items() if verb == "run"]
    if word == "last" and bought:
        return max(bought)
    if word.isdecimal() and int(word) in numbers:
        return int(word)
    raise SettingsError(f"--run {word}: this batch has the runs 1 to {max(numbers, default=0)}, or `last`")


def checked_base(base_url: str) -> str:
    """A base URL that names can be put behind, without its last slash.

    Raises:
        SettingsError: it is none.
    """
    try:
        parts = urlsplit(base_url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and not parts.username
    except ValueError:
        usable = False
    if not usable or "?" in base_url or "#" in base_url or not base_url.isprintable() or " " in base_url:
        raise SettingsError("--base-url takes a URL such as https://cdn.example.com/autumn, without user, ? and #")
    return base_url.rstrip("/")


def url(base_url: str, name: str) -> str:
    """Where a picture of this name is to be had, if the batch folder lies at a checked base URL."""
    return f"{base_url}/{quote(name.encode('utf-8', 'surrogateescape'), safe='/')}"


def row(progress: Progress) -> dict[str, Any]:
    """One job as a row with always the same keys; None where there is nothing to say.

    `path` is the name of the stored picture within the batch folder; a task that gave several has them all in `files`.
    `row` are the cells of its input row, as written.
    """
    milestone = progress.milestone
    assets = milestone.assets if isinstance(milestone, Stored) else ()
    first = assets[0] if assets else None
    failure, reason = why(milestone)
    billed = cost(milestone)
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
        "cost_usd": None if billed is None else dollars(billed),
        "class": failure,
        "reason": reason,
        "files": [asset.name for asset in assets],
        "changed": progress.changed,
        "standing": progress.standing,
        "axes": dict(progress.axes),
        "row": dict(progress.row.cells) if progress.row is not None else None,
    }

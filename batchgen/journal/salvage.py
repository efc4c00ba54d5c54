"""A damaged journal made whole from what is sound in it; the damaged one is kept beside.

Heads, totals, days and runs follow from the milestones, so they are made anew. Where a milestone is lost that may have
been a payment, its job is in doubt afterwards, never planned. A job of which nothing tells what was bought is not
guessed at: then nothing is repaired.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import apsw

from batchgen.errors import Damaged
from batchgen.job import fingerprint
from batchgen.journal import Identity, State, running, state_of
from batchgen.journal.codec import decode_milestone, decode_request, encode_milestone, seal
from batchgen.journal.folding import Sums
from batchgen.journal.lost import after_a_loss
from batchgen.journal.owing import RECOUNT
from batchgen.journal.rows import RUN, SEALED
from batchgen.journal.schema import read_identity, sync_folder
from batchgen.ledger import Money
from batchgen.lifecycle import IllegalMilestone, Milestone, advance

READY: Final = ".repaired"
_COLUMNS: Final = tuple(name.strip() for name in SEALED.split(","))
_LIFE: Final = (
    "SELECT job, position, run, at, kind, attempt, body, checksum FROM milestones WHERE job = ? AND position = ?"
)


@dataclass(slots=True)
class Salvage:
    """What came of a repair in run `run`: `lost` milestones were not sound, so `doubtful` jobs are in doubt now.

    `milestones` are those of the whole journal, `added` those among them that stand for lost ones; `behind` says that
    even what was sound and what was lost is less than had been reached.
    """

    run: int = 0
    jobs: int = 0
    milestones: int = 0
    added: int = 0
    lost: int = 0
    doubtful: int = 0
    behind: bool = False
    sums: Sums = field(default_factory=Sums)


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who writes what is added: the journal's batch id, a run, the time in unix seconds."""

    batch_id: str
    run: int
    now: float


def identity(source: apsw.Connection, batch_id: str | None) -> Identity:
    """Whose the damaged journal is; the batch id that its folder of pictures carries may vouch for a damaged row.

    Raises:
        Damaged: it cannot be told.
    """
    row = read(source, "SELECT format, batch_id, name, manifest, provider, inputs, seal FROM journal", ())
    if row is None or (seal(*row[:-1]) != row[-1] and row[1] != batch_id):
        raise Damaged("The journal does not tell any more whose it is; put a copy back.")
    return Identity(*row[1:-1])


def read(source: apsw.Connection, query: str, bindings: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """One row, None when there is none or it cannot be read."""
    with contextlib.suppress(apsw.Error, UnicodeDecodeError):
        return source.execute(query, bindings).fetchone()
    return None


def readable(source: apsw.Connection, query: str) -> Iterator[tuple[Any, ...]]:
    """Rows as far as they can be read."""
    with contextlib.suppress(apsw.Error, UnicodeDecodeError):
        yield from source.execute(query)


def transfer(source: apsw.Connection, target: apsw.Connection, now: float) -> Salvage:
    """Copy what is sound and add what follows from it, as a run of its own, inside a transaction of `target`.

    Raises:
        Damaged: a job may have been bought, and nothing tells which.
    """
    _carry_runs(source, target)
    run, _ = running.begin(target, "verify", now)
    stamp, done = Stamp(read_identity(target, "The journal").batch_id, run, now), Salvage(run)
    for table in ("rows", "redone"):
        for row in readable(source, f"SELECT * FROM {table}"):  # noqa: S608  # named in the program
            if seal(*row[:-1]) == row[-1]:
                target.execute(f"INSERT OR IGNORE INTO {table} VALUES ({_marks(row)})", row)  # noqa: S608
    for number in range(1, _most(source) + 1):
        _carry_over(source, target, number, stamp, done)
    _derive(target, done.sums)
    ending = (now, 0, f"repaired the journal; {done.lost} of its milestones were lost")
    running.end(target, run=run, milestones=done.milestones, ending=ending)
    return done


def finish(path: str) -> None:
    """Put a finished repair in the journal's place and keep the damaged one; callable again after a crash."""
    if not os.path.exists(path + READY):
        return
    with contextlib.suppress(FileNotFoundError):
        kept = f"{path}.damaged-{os.stat(path).st_ino}"
        for end in ("-wal", ""):
            with contextlib.suppress(FileExistsError, FileNotFoundError):
                os.link(path + end, kept + end)
    sync_folder(os.path.dirname(path))
    for end in ("-wal", "-shm", "-journal"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path + end)
    os.rename(path + READY, path)
    sync_folder(os.path.dirname(path))


def _marks(row: tuple[Any, ...]) -> str:
    return ", ".join("?" * len(row))


def _most(source: apsw.Connection) -> int:
    """The highest job number that anything tells of."""
    told = "SELECT amount FROM totals WHERE what LIKE 'jobs:%' AND seal = seal(model, standing, what, amount)"
    asked = ("SELECT max(number) FROM jobs", "SELECT max(job) FROM milestones")
    found = [row[0] for query in asked if (row := read(source, query, ())) and isinstance(row[0], int)]
    found += [sum(amount for (amount,) in readable(source, told))]
    if not any(found):
        raise Damaged("Nothing in the journal can be read any more; put a copy back.")
    return max(found)


def _carry_runs(source: apsw.Connection, target: apsw.Connection) -> None:
    """Every run that is sound, and for the others one of which nothing is known."""
    query = f"SELECT {RUN}, seal FROM runs"  # noqa: S608  # as above
    sound = {row[0]: row[:-1] for row in readable(source, query) if seal(*row[:-1]) == row[-1]}
    last = read(source, "SELECT max(run) FROM milestones", ())
    known = last[0] if last and isinstance(last[0], int) else 0
    for number in range(1, max(known, *sound, 0) + 1):
        row = sound.get(number, (number, "unknown", 0.0, None, "", 0, "", "", None, "", "{}", "{}", 0, 0, "", "{}"))
        target.execute(f"INSERT INTO runs VALUES ({_marks(row)}, ?)", (*row, seal(*row)))  # noqa: S608  # as above


def _carry_over(source: apsw.Connection, target: apsw.Connection, number: int, stamp: Stamp, done: Salvage) -> None:
    life = list(_sound_life(source, number))
    newest = life[-1][1] if life else None
    job, head, kind = _job(source, number)
    last = read(source, "SELECT max(position) FROM milestones WHERE job = ?", (number,))
    highest = max(head, last[0] if last and isinstance(last[0], int) else -1)
    if job is None:
        if highest > 0 or newest is None or last is None:
            raise Damaged(f"Job {number} may have been bought, and nothing tells what it was; put a copy back.")
        done.lost += 1  # planned and never sent: the next run plans it anew
        return
    lost = max(highest + 1 - len(life), 0 if life else 1)
    added = after_a_loss(newest, lost, kind, (stamp.batch_id, number, job["fingerprint"])) if lost else []
    written = [row for row, _ in life]
    for position, milestone in enumerate(added, start=len(life)):
        values = (number, position, stamp.run, stamp.now, type(milestone).__name__, milestone.attempt)
        row = (*values, encode_milestone(milestone))
        written.append((*row, seal(*row)))
    milestones = [each for _, each in life] + added
    _put(target, job, written, state_of(milestones[-1]))
    done.sums.add(job["model"], [(each, row[2]) for each, row in zip(milestones, written, strict=True)])
    done.jobs, done.milestones, done.added = done.jobs + 1, done.milestones + len(written), done.added + len(added)
    done.lost, done.doubtful = done.lost + lost, done.doubtful + bool(added)


def _sound_life(source: apsw.Connection, number: int) -> Iterator[tuple[tuple[Any, ...], Milestone]]:
    """The milestones of a job up to the first that is not sound."""
    position, reached = 0, None
    while (row := read(source, _LIFE, (number, position))) and seal(*row[:-1]) == row[-1]:
        try:
            found = decode_milestone(*row[4:7])
            reached = found if reached is None else advance(reached, found)
        except (Damaged, IllegalMilestone):
            return
        yield row, reached
        position += 1


def _job(source: apsw.Connection, number: int) -> tuple[dict[str, Any] | None, int, str]:
    """A job as far as it proves itself, how many milestones it claims to have reached, and the kind of the newest.

    A request that gives the fingerprint beside it is believed: the next expansion finds it by that, whatever its id.
    """
    query = f"SELECT {SEALED}, seal, head, kind FROM jobs NOT INDEXED WHERE number = ?"  # noqa: S608  # as above
    row = read(source, query, (number,))
    if row is None:
        return None, -1, ""
    *values, sealed, head, kind = row
    job = dict(zip(_COLUMNS, values, strict=True))
    if seal(*values) == sealed:
        return job, head, kind
    with contextlib.suppress(Damaged, KeyError, TypeError, ValueError):
        request = decode_request(job["request"])
        if fingerprint(request, job["recipe"]) == job["fingerprint"]:
            return job | {"model": request.model, "standing": "current", "changed": 0, "axes": "{}"}, head, kind
    return None, head, kind


def _put(target: apsw.Connection, job: dict[str, Any], written: list[tuple[Any, ...]], state: State) -> None:
    if job["input"] is not None and not read(target, "SELECT 1 FROM rows WHERE key = ?", (job["input"],)):
        job = job | {"input": None}
    if job["standing"] == "current" and read(
        target, "SELECT 1 FROM jobs WHERE id = ? AND standing = 'current'", (job["id"],)
    ):
        job = job | {"standing": "replaced", "changed": 0}
    values = tuple(job[name] for name in _COLUMNS)
    head = written[-1]
    row = (*values, seal(*values), len(written) - 1, head[4], state, head[2])
    target.execute(
        f"INSERT INTO jobs ({SEALED}, seal, head, kind, state, run) VALUES ({_marks(row)})",  # noqa: S608  # as above
        row,
    )
    target.executemany("INSERT INTO milestones VALUES (?, ?, ?, ?, ?, ?, ?, ?)", written)


def _derive(target: apsw.Connection, sums: Sums) -> None:
    """Totals, days and what each run began."""
    sealed = "model, standing, what, amount, seal(model, standing, what, amount)"
    target.execute(f"INSERT INTO totals SELECT {sealed} FROM ({RECOUNT})")  # noqa: S608  # as above
    for model, money in sums.money.items():
        for name in Money.__dataclass_fields__:
            row = (model, "", f"money:{name}", getattr(money, name))
            if row[3]:
                target.execute("INSERT INTO totals VALUES (?, ?, ?, ?, ?)", (*row, seal(*row)))
    for run in sums.started | sums.committed:
        begun = (sums.committed[run], sums.started[run], run)
        target.execute("UPDATE runs SET committed = ?, started = ? WHERE number = ?", begun)
    target.execute(f"UPDATE runs SET seal = seal({RUN})")  # noqa: S608  # as above
    for day, committed in sums.days.items():
        target.execute("INSERT INTO days VALUES (?, ?, ?)", (day, committed, seal(day, committed)))

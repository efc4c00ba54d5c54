"""How a run begins and ends in a SQLite journal, and which files it holds open meanwhile."""

import json
import logging
import os
from dataclasses import asdict
from typing import Final

import batchgen
from batchgen.journal import Identity, rows, unrecorded
from batchgen.journal.codec import seal
from batchgen.journal.database import Connection
from batchgen.journal.proof import mark_end
from batchgen.journal.schema import whoami

_log = logging.getLogger(__name__)

ACCEPT: Final = "accept"
"""The verb of a run in which an old copy of the journal was accepted."""


def bring_in(connection: Connection, folder: str, identity: Identity, now: float) -> int:
    """Record what an earlier run had paid for and could not record; says how many milestones that was."""
    with connection:
        recorded, strange = unrecorded.bring_in(connection, folder, identity.batch_id, now)
    for each in strange:
        _log.critical("paid, and its job waits for nothing: %s; see %s", each, os.path.join(folder, unrecorded.NAME))
    if recorded and not strange:
        unrecorded.clear(folder)
    return recorded


def files(path: str) -> tuple[tuple[int, int] | None, ...]:
    """Which files the names of a journal and its log stand for."""
    return tuple(map(_file, (path, f"{path}-wal")))


def _file(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def begin(connection: Connection, verb: str, now: float) -> tuple[int, bool]:
    """Begin a run; says its number and whether the one before has no end."""
    before = connection.execute("SELECT number, ended FROM runs ORDER BY number DESC LIMIT 1").fetchone() or (0, now)
    run = before[0] + 1
    row = (run, verb, float(now), None, *whoami(), batchgen.__version__, None, "", "{}", "{}", 0, 0, "", "{}")
    with connection:
        connection.execute(f"INSERT INTO runs VALUES ({'?, ' * len(row)}?)", (*row, seal(*row)))  # noqa: S608
    return run, before[1] is None


def accepted(connection: Connection) -> int:
    """The last run that accepted an old copy, 0 for none: what earlier ones wrote may have gone on unrecorded."""
    query = "SELECT coalesce(max(number), 0) FROM runs WHERE verb = ?"
    return int(connection.execute(query, (ACCEPT,)).get)


def end(connection: Connection, *, run: int, milestones: int, ending: tuple[float, int, str]) -> None:
    """End a run in order: `ending` is the time, the exit code and the reason, `milestones` how many there are now."""
    totals = rows.totals(connection)
    counts, money = json.dumps(totals.counts), json.dumps(asdict(totals.money))
    connection.execute(
        "UPDATE runs SET ended = ?, exit_code = ?, reason = ?, counts = ?, money = ? WHERE number = ?",
        (*ending, counts, money, run),
    )
    connection.execute(f"UPDATE runs SET seal = seal({rows.RUN}) WHERE number = ?", (run,))  # noqa: S608
    mark_end(connection, run, milestones)

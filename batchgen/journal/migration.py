"""Journals of older formats made new, a format at a time, in one transaction and after a backup.

A step proves the rows that it seals anew: damage is never given a fresh seal. The steps are frozen; a table that a
later format changes keeps its text of that format beside the step.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import apsw

from batchgen.errors import Damaged
from batchgen.journal.codec import seal
from batchgen.journal.proof import prove
from batchgen.journal.schema import FORMAT, TABLES, Machine, connect_to_read, is_older, sync_folder

BACKUPS: Final = "backups"

_RUN_1: Final = """number, verb, began, ended, host, pid, user, version, exit_code, reason, counts, money, committed,
    started"""
_JOB_1: Final = "number, id, fingerprint, recipe, request, model, path, place, standing, changed"

_INDEXES_1: Final = ("one_current", "in_order", "under_way", "to_buy")


@dataclass(frozen=True, slots=True)
class Step:
    """From one format to the next: `proofs` count the rows that are not sound, `work` is done after them."""

    proofs: tuple[str, ...]
    work: tuple[str, ...]


def _made(*names: str) -> tuple[str, ...]:
    return tuple(each for name in names for each in TABLES if each.split("(", 1)[0].split()[:3][2] == name)


STEPS: Final[Mapping[int, Step]] = {
    1: Step(
        (
            f"SELECT count(*) FROM runs WHERE seal IS NOT seal({_RUN_1})",  # noqa: S608  # columns named in the program
            f"SELECT count(*) FROM jobs WHERE seal IS NOT seal({_JOB_1})",  # noqa: S608
        ),
        (
            "ALTER TABLE runs RENAME TO runs_1",
            "ALTER TABLE jobs RENAME TO jobs_1",
            "DROP INDEX one_current; DROP INDEX in_order; DROP INDEX under_way; DROP INDEX to_buy",
            *_made("runs", "rows", "jobs"),
            f"""INSERT INTO runs SELECT {_RUN_1}, '', '{{}}', seal({_RUN_1}, '', '{{}}') FROM runs_1""",  # noqa: S608
            """INSERT INTO jobs SELECT number, id, fingerprint, recipe, request, model, path, place, NULL, '{}',
                standing, changed, seal(number, id, fingerprint, recipe, request, model, path, place, NULL, '{}',
                standing, changed), head, kind, state, run FROM jobs_1""",
            "DROP TABLE jobs_1",
            "DROP TABLE runs_1",
            *(each for each in TABLES if any(f" INDEX {name} ON jobs " in each for name in _INDEXES_1)),
            *_made("redone"),
        ),
    ),
    2: Step((), tuple(each for each in TABLES if each.startswith("CREATE INDEX tasks "))),
    3: Step((), tuple(each for each in TABLES if each.startswith("CREATE INDEX given_up "))),
}


def migrate(connection: apsw.Connection, path: str) -> None:
    """Bring a journal of an older format to this one's, all or nothing; any other is left alone.

    Raises:
        Damaged: it is not sound; nothing was changed.
    """
    written = connection.pragma("user_version")
    if not is_older(connection) or not isinstance(written, int):
        return
    connection.pragma("legacy_alter_table", True)  # noqa: FBT003  # renaming must not touch what refers to a table
    connection.execute("BEGIN IMMEDIATE")
    try:
        _prove(connection, path, written)
        for number in range(written, FORMAT):
            _take(connection, path, STEPS[number])
        connection.pragma("user_version", FORMAT)
        prove(connection, path)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    finally:
        connection.pragma("legacy_alter_table", False)  # noqa: FBT003


def back_up(path: str, machine: Machine) -> str:
    """Copy a journal as it is, durably, beside it in `backups/`; one that is there already is kept."""
    folder = os.path.join(os.path.dirname(path), BACKUPS)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    source = connect_to_read(path, machine)
    try:
        name = f"{os.path.basename(path)}.format-{source.pragma('user_version')}"
        target = os.path.join(folder, name)
        if not os.path.exists(target):
            _copy(source, target)
            sync_folder(folder)
            sync_folder(os.path.dirname(path))
    finally:
        source.close()
    return target


def copied(source: apsw.Connection) -> apsw.Connection:
    """A private copy of a whole journal, gone when it is closed; for readers of older formats, who write nothing."""
    copy = apsw.Connection("")
    copy.create_scalar_function("seal", seal, deterministic=True)
    _back_up(source, copy)
    return copy


def _copy(source: apsw.Connection, target: str) -> None:
    part = f"{target}.part"
    if os.path.exists(part):
        os.unlink(part)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    copy = apsw.Connection(part)
    try:
        _back_up(source, copy)
        copy.pragma("journal_mode", "DELETE")
    finally:
        copy.close()
    descriptor = os.open(part, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(part, target)


def _back_up(source: apsw.Connection, target: apsw.Connection) -> None:
    with target.backup("main", source, "main") as backup:
        while not backup.done:
            backup.step(1000)


def _prove(connection: apsw.Connection, path: str, written: int) -> None:
    row = connection.execute("SELECT format, batch_id, name, manifest, provider, inputs, seal FROM journal").fetchone()
    if connection.pragma("integrity_check") != "ok" or row is None or row[0] != written or seal(*row[:-1]) != row[-1]:
        raise Damaged(f"{path} is damaged and has an older format; keep it, and put a copy back or ask for help.")


def _take(connection: apsw.Connection, path: str, step: Step) -> None:
    for proof in step.proofs:
        if unsound := connection.execute(proof).get:
            raise Damaged(f"{path} has {unsound} rows that are damaged; keep it, and put a copy back or ask for help.")
    for statement in step.work:
        connection.execute(statement)
    connection.execute("UPDATE journal SET format = format + 1")
    connection.execute("UPDATE journal SET seal = seal(format, batch_id, name, manifest, provider, inputs)")

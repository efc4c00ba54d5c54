"""What a person may do about a journal that a run refuses: repair a damaged one, accept an old copy of it."""

import contextlib
import os
from collections.abc import Iterator

import apsw

from batchgen.errors import Damaged, Foreign, SettingsError
from batchgen.journal import Entry, epoch, lock, opening, rows, running, salvage
from batchgen.journal.lost import PUT_BACK, may_have_been_sent
from batchgen.journal.proof import prove
from batchgen.journal.reading import reading
from batchgen.journal.recording import record
from batchgen.journal.salvage import Salvage, Stamp
from batchgen.journal.schema import Machine, connect, connect_to_read, create, is_older, read_identity, sync_folder

_PAGE = 1000
_WAITING = f"""{rows.PROGRESS} WHERE jobs.kind IN ('Planned', 'AttemptFailed') AND number > ? ORDER BY number LIMIT ?"""


def repair(path: str, batch_id: str | None, machine: Machine) -> Salvage:
    """Make a damaged journal whole from what is sound in it, and keep the damaged one beside it; blocks.

    One that is an old copy as well is made whole and stays refused as such. `batch_id` is what the folder of its
    pictures says. Killed at any moment it loses nothing: afterwards there is the damaged journal or the whole one.

    Raises:
        HeldElsewhere: a run has it.
        Damaged: too little is left of it; nothing was changed.
        Foreign: it has a newer format, or is none.
    """
    folder, part = os.path.dirname(path), f"{path}.mending"
    with _held(folder, machine):
        salvage.finish(path)
        _remove(part)
        with _source(path, machine) as source:
            create(part, salvage.identity(source, batch_id), machine)
            done = _fill(source, part, machine)
        done.behind = _is_behind(folder, done.run - 1, done.milestones - done.added + done.lost)
        os.rename(part, path + salvage.READY)
        sync_folder(folder)
        salvage.finish(path)
        if not done.behind:
            epoch.write(folder, done.run, done.milestones)
    return done


def accept_old_copy(path: str, machine: Machine) -> int:
    """Go on from an old copy of a journal: every job that may have been sent since is in doubt; returns how many.

    Raises:
        HeldElsewhere, Damaged, Foreign: as for a run.
        SettingsError: it is no old copy.
    """
    folder = os.path.dirname(path)
    with _held(folder, machine), reading(path):
        salvage.finish(path)
        found = opening.sound(path, machine)
        connection = found.connection
        with contextlib.closing(connection):
            if not _is_behind(folder, connection.execute("SELECT max(number) FROM runs").get, found.milestones):
                raise SettingsError(f"{path} is not an old copy; there is nothing to accept, just run")
            if not found.proven:
                prove(connection, path)
            run, _ = running.begin(connection, running.ACCEPT, machine.clock())
            batch_id = read_identity(connection, path).batch_id
            with connection:
                count = _doubt_all(connection, Stamp(batch_id, run, float(machine.clock())))
                reason = f"accepted an old copy; {count} jobs may have been sent since"
                ending = (float(machine.clock()), 0, reason)
                running.end(connection, run=run, milestones=found.milestones + count, ending=ending)
            epoch.write(folder, run, found.milestones + count)
    return count


def _is_behind(folder: str, run: int, milestones: int) -> bool:
    try:
        epoch.check(folder, run, milestones)
    except Foreign:
        return True
    return False


def _doubt_all(connection: apsw.Connection, stamp: Stamp) -> int:
    """Put every job in doubt that waited to be sent; all at once, so that a crash leaves the old copy refused."""
    count, last = 0, 0
    while page := connection.execute(_WAITING, (last, _PAGE)).fetchall():
        for each in map(rows.progress, page):
            last, name = each.job.number, (stamp.batch_id, each.job.number, each.job.fingerprint)
            doubt = may_have_been_sent(each.milestone, name, PUT_BACK, each.at)
            if doubt is not None:
                record(connection, [Entry(each.job.number, each.position + 1, doubt)], None, (stamp.run, stamp.now))
                count += 1
    return count


@contextlib.contextmanager
def _held(folder: str, machine: Machine) -> Iterator[None]:
    descriptor = lock.take(folder, machine.clock())
    try:
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _source(path: str, machine: Machine) -> Iterator[apsw.Connection]:
    with reading(path):
        source = connect_to_read(path, machine)
    try:
        with reading(path):
            older = is_older(source)
        if older:
            raise Damaged(f"{path} is damaged and has an older format; put a copy back.")
        yield source
    finally:
        with contextlib.suppress(apsw.Error):  # whatever is wrong with it, it is only read
            source.close()


def _fill(source: apsw.Connection, part: str, machine: Machine) -> Salvage:
    target = connect(part, machine)
    with contextlib.closing(target):
        target.pragma("synchronous", "EXTRA")
        with target:
            done = salvage.transfer(source, target, float(machine.clock()))
        prove(target, part)
    return done


def _remove(path: str) -> None:
    for name in (path, f"{path}.new"):
        for end in ("", "-journal", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name + end)

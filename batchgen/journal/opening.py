"""What must be true of a SQLite journal before a run may write it; a journal in doubt is left as it is.

After a run that ended in order only what is always read is proven here; a job is proven when it is read, and the whole
journal before a new expansion is owed. After a run without an end everything is.
"""

import os
from dataclasses import dataclass

import apsw

from batchgen.errors import Damaged, Foreign
from batchgen.journal import Identity, epoch, migration, rows, salvage
from batchgen.journal.database import Connection
from batchgen.journal.proof import milestones_at_end, prove, prove_tables
from batchgen.journal.reading import reading
from batchgen.journal.schema import (
    Machine,
    connect,
    create,
    is_older,
    kept_identity,
    make_durable,
    read_identity,
    write_identity,
)


@dataclass(frozen=True, slots=True)
class Opened:
    """A journal that may be written: how many milestones it holds, and whether all of it is `proven`."""

    connection: apsw.Connection
    milestones: int
    proven: bool


def opened(path: str, identity: Identity | None, also_known_as: frozenset[str], machine: Machine) -> Opened:
    """Make the journal if there is none, else prove it; the folder's lock must be held.

    Raises:
        Foreign: of another batch or provider, a newer format, an older copy, or none where one must be.
        Damaged: anything in it that a run relies on is not as it was written.
    """
    salvage.finish(path)
    if not os.path.exists(path):
        if identity is None:
            raise Foreign(f"There is no journal at {path}; nothing has been run there.")
        epoch.check(os.path.dirname(path), 0, 0)
        create(path, identity, machine)
    if os.path.getsize(path) == 0:
        raise Damaged(f"{path} is empty; put a copy back. Nothing was written to it.")
    with reading(path):
        found = sound(path, machine)
        try:
            run = found.connection.execute("SELECT coalesce(max(number), 0) FROM runs").get
            epoch.check(os.path.dirname(path), run, found.milestones)
            if identity is not None:
                claim(found.connection, identity, also_known_as, path)
        except BaseException:
            found.connection.close()
            raise
    return found


def sound(path: str, machine: Machine) -> Opened:
    """Connect to a journal for writing, brought to this format, once it has shown to be sound.

    Raises:
        Foreign: it is no journal, or a newer format.
        Damaged: something in it is not as it was written.
    """
    connection = connect(path, machine)
    try:
        if old := is_older(connection):
            migration.back_up(path, machine)
            migration.migrate(connection, path)
        read_identity(connection, path)  # first, so that a file of others stays as it is
        make_durable(connection, network=bool(machine.network(os.path.dirname(path))))
        known = None if old else milestones_at_end(connection)
        if known is None:
            return Opened(connection, prove(connection, path), proven=True)
        prove_tables(connection, path)
        rows.runs(connection)
        rows.totals(connection)
        return Opened(connection, known, proven=False)
    except BaseException:
        connection.close()
        raise


def claim(connection: Connection, identity: Identity, also_known_as: frozenset[str], path: str) -> None:
    """Make the journal that of `identity`, as far as it may be; its batch id stays.

    Raises:
        Foreign: it belongs to another batch, or has work under way with another provider.
    """
    kept = kept_identity(connection, path)
    if kept.name != identity.name and not _moved_to(path, identity.name):
        raise Foreign(f"This journal belongs to the batch {kept.name!r}, not to {identity.name!r}; mend `name:`.")
    if kept.provider != identity.provider and kept.provider not in also_known_as and _under_way(connection):
        raise Foreign(
            f"This batch was begun with the provider {kept.provider} and has work under way there, not with"
            f" {identity.provider}; finish it there, or name it in provider.also_known_as if it is the same one."
        )
    if (kept.name, kept.provider, kept.manifest) != (identity.name, identity.provider, identity.manifest):
        mine = Identity(kept.batch_id, identity.name, identity.manifest, identity.provider, kept.inputs)
        with connection:
            write_identity(connection, mine)


def _moved_to(path: str, name: str) -> bool:
    """Whether a journal lies in the batch folder of this name: somebody moved the folder along with a new name."""
    home = os.path.dirname(path)
    return os.path.basename(home) == ".batchgen" and os.path.basename(os.path.dirname(home)) in {name, f"{name}.local"}


def _under_way(connection: Connection) -> bool:
    open_kinds = "SELECT 1 FROM jobs WHERE kind IN ('Generated', 'Accepted', 'Started', 'InDoubt') LIMIT 1"
    return connection.execute(open_kinds).fetchone() is not None

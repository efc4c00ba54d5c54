"""What must be true of a SQLite journal before a run may write it; a journal in doubt is left as it is."""

import os

import apsw

from batchgen.errors import Damaged, Foreign
from batchgen.journal import Identity, epoch, owing, rows
from batchgen.journal.record import reading
from batchgen.journal.schema import TABLES, Machine, connect, create, make_durable, read_identity, write_identity


def opened(path: str, identity: Identity | None, also_known_as: frozenset[str], machine: Machine) -> apsw.Connection:
    """Make the journal if there is none, else prove it; the folder's lock must be held.

    Raises:
        Foreign: of another batch or provider, a newer format, an older copy, or none where one must be.
        Damaged: anything in it that a run relies on is not as it was written.
    """
    if not os.path.exists(path):
        if identity is None:
            raise Foreign(f"There is no journal at {path}; nothing has been run there.")
        epoch.check(os.path.dirname(path), 0, 0)
        create(path, identity, machine)
    if os.path.getsize(path) == 0:
        raise Damaged(f"{path} is empty; put a copy back. Nothing was written to it.")
    with reading(path):
        return _proven(path, identity, also_known_as, machine)


def milestones(connection: apsw.Connection) -> int:
    """How many milestones there are."""
    return int(connection.execute("SELECT count(*) FROM milestones").get)


def _proven(path: str, identity: Identity | None, also_known_as: frozenset[str], machine: Machine) -> apsw.Connection:
    connection = connect(path, machine)
    try:
        kept = read_identity(connection, path)  # first, so that a file of others stays as it is
        make_durable(connection)
        _prove_file(connection, path)
        _prove_rows(connection, path)
        run = connection.execute("SELECT coalesce(max(number), 0) FROM runs").get
        epoch.check(os.path.dirname(path), run, milestones(connection))
        if identity is not None:
            _claim(connection, path, (kept, identity), also_known_as)
    except BaseException:
        connection.close()
        raise
    return connection


def _prove_file(connection: apsw.Connection, path: str) -> None:
    # Not quick_check, which would believe an index that has lost a job.
    if connection.pragma("integrity_check") != "ok":
        raise Damaged(f"{path} is damaged; keep it, and put a copy back or ask for help.")
    written = {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")}
    if written != set(TABLES):
        raise Damaged(f"{path} does not have the tables of a journal; keep it, and put a copy back or ask for help.")


def _prove_rows(connection: apsw.Connection, path: str) -> None:
    """Every head with its milestone, every run, the totals against a recount of the jobs."""
    count = 0
    for row in connection.execute(rows.PROGRESS):
        rows.prove(row)
        count += row[rows.HEAD] + 1
    rows.runs(connection)
    rows.totals(connection)
    told = set(connection.execute("SELECT model, standing, what, amount FROM totals WHERE standing <> '' AND amount"))
    if count != milestones(connection) or told != set(connection.execute(owing.RECOUNT)):
        raise Damaged(f"{path} has sums that contradict its jobs; keep it, and put a copy back or ask for help.")


def _claim(
    connection: apsw.Connection, path: str, identities: tuple[Identity, Identity], also_known_as: frozenset[str]
) -> None:
    kept, identity = identities
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


def _under_way(connection: apsw.Connection) -> bool:
    open_kinds = "SELECT 1 FROM jobs WHERE kind IN ('Generated', 'Accepted', 'Started', 'InDoubt') LIMIT 1"
    return connection.execute(open_kinds).fetchone() is not None

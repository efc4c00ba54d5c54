"""Which server and schema a URL of a manifest means; passwords come from where libpq looks for them."""

from hashlib import blake2b
from typing import Final

from psycopg import ProgrammingError, conninfo

from batchgen.errors import SettingsError
from batchgen.journal.postgres import schema
from batchgen.journal.postgres.connection import PostgresConnection, Target
from batchgen.journal.postgres.reading import Moment, reading

_LONGEST: Final = 63
"""Bytes of a name in PostgreSQL."""


def target(url: str, batch: str) -> Target:
    """Where the journal of a batch lies; `batch` is the name of its folder.

    Raises:
        SettingsError: the URL cannot be read, or holds a password.
    """
    try:
        known = conninfo.conninfo_to_dict(url)
    except ProgrammingError:
        raise SettingsError("the URL of the journal cannot be read; write postgresql://host/database") from None
    if known.get("password"):
        raise SettingsError("the URL of the journal holds a password; leave it to PGPASSWORD or ~/.pgpass")
    return Target(url, named(batch))


def named(batch: str) -> str:
    """The schema of a batch; a long name is cut, and told apart by its digest."""
    whole = f"batchgen_{batch}"
    if len(whole.encode()) <= _LONGEST:
        return whole
    digest = blake2b(batch.encode(), digest_size=8).hexdigest()
    return whole.encode()[: _LONGEST - 17].decode("utf-8", "ignore") + "_" + digest


def is_kept(url: str, batch: str) -> bool:
    """Whether a batch was ever run there.

    Raises:
        JournalError: the server cannot be reached.
    """
    at = target(url, batch)
    with reading(at):
        connection = PostgresConnection(at)
        try:
            with Moment(connection).entered():
                return schema.is_there(connection, at.schema)
        finally:
            connection.close()

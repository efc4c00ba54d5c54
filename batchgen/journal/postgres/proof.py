"""The whole proof of a journal in PostgreSQL: every row against its seal, and the sums that follow."""

from batchgen.errors import Damaged
from batchgen.journal.database import Connection
from batchgen.journal.postgres.sealing import TABLES
from batchgen.journal.proof import prove_rows

_WITHOUT_ROW = "SELECT count(*) FROM jobs WHERE input IS NOT NULL AND NOT EXISTS (SELECT 1 FROM rows WHERE key = input)"


def prove(connection: Connection, shown: str) -> int:
    """Hold everything that a run relies on against how it was written; returns the number of milestones.

    Raises:
        Damaged: something is not.
    """
    unsound = [name for name in ("rows", "redone", "days") if TABLES[name].unsound(connection)]
    if unsound or connection.execute(_WITHOUT_ROW).get:
        raise Damaged(f"The journal {shown} has rows that are not as they were written; put a copy back.")
    return prove_rows(connection, f"The journal {shown}")

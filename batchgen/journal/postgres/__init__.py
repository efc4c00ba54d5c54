"""The journal in PostgreSQL, for batches that several machines look at; needs the extra `postgres`.

The same contract and the same SQL as in a file. A batch has a schema of its own, so that the statements need no key of
a batch, rights are given batch by batch, and one is removed by `DROP SCHEMA`. Nothing of a session is relied on but
inside a transaction, so that poolers may stand in between.
"""

from batchgen.errors import SettingsError

try:
    import psycopg  # noqa: F401
except ImportError as missing:
    raise SettingsError("a journal in PostgreSQL needs psycopg: pip install 'batchgen[postgres]'") from missing

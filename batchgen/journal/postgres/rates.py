"""How many submits a credential has made of late, in the server that keeps the journals, for all runs that use it.

A credential is known by a digest alone. Its row is locked while turns are handed out, the clock is the server's, and
turns are written down before they are used: so no window of time sees more than its rate allows, however many runs of
however many batches share the credential. What is older than the longest window that anybody asked for is forgotten.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, TypeVar

import psycopg
from psycopg import errors

from batchgen.errors import JournalError
from batchgen.journal.postgres.connection import PostgresConnection, Target
from batchgen.journal.postgres.reading import PAUSE_SECONDS
from batchgen.journal.postgres.transactions import PATIENCE_SECONDS, said
from batchgen.terms import Rate

Result = TypeVar("Result")

SCHEMA: Final = "batchgen"
"""No batch has it: theirs begin with `batchgen_`."""

_logger = logging.getLogger(__name__)

_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('batchgen rates'))"
_THERE: Final = "SELECT to_regclass('batchgen.turns') IS NOT NULL"
_TABLES: Final = """
    CREATE SCHEMA IF NOT EXISTS batchgen;
    CREATE TABLE batchgen.lanes (
        credential BYTEA NOT NULL, lane TEXT NOT NULL, longest DOUBLE PRECISION NOT NULL,
        held_until TIMESTAMPTZ NOT NULL DEFAULT '-infinity', PRIMARY KEY (credential, lane));
    CREATE TABLE batchgen.turns (
        credential BYTEA NOT NULL, lane TEXT NOT NULL, at TIMESTAMPTZ NOT NULL, count BIGINT NOT NULL);
    CREATE INDEX turns_of_late ON batchgen.turns (credential, lane, at);
    """
_LANE: Final = """
    INSERT INTO batchgen.lanes VALUES (%s, %s, %s)
    ON CONFLICT (credential, lane) DO UPDATE SET longest = greatest(lanes.longest, excluded.longest)
    RETURNING longest"""
_HELD: Final = """
    SELECT extract(epoch FROM max(held_until) - clock_timestamp())::float8 FROM batchgen.lanes
    WHERE credential = %s AND held_until > clock_timestamp()"""
_USED: Final = """
    SELECT coalesce(sum(count), 0)::bigint, extract(epoch FROM min(at) - clock_timestamp())::float8
    FROM batchgen.turns
    WHERE credential = %s AND lane = %s AND at > clock_timestamp() - make_interval(secs => %s)"""
_GIVE: Final = "INSERT INTO batchgen.turns VALUES (%s, %s, clock_timestamp(), %s)"
_FORGET: Final = """
    DELETE FROM batchgen.turns
    WHERE credential = %s AND lane = %s AND at <= clock_timestamp() - make_interval(secs => %s)"""
_HOLD: Final = """
    INSERT INTO batchgen.lanes VALUES (%s, '', 0, clock_timestamp() + make_interval(secs => %s))
    ON CONFLICT (credential, lane) DO UPDATE SET held_until = greatest(lanes.held_until, excluded.held_until)"""


def digest(origin: str, credential: str) -> bytes:
    """What a credential of a provider is known by."""
    return blake2b(credential.encode(), digest_size=16, key=blake2b(origin.encode()).digest()).digest()


def open_rates(conninfo: str, credential: bytes) -> "Rates | None":
    """The turns of a credential; None where the user of the database may not share them, which is logged. Blocks.

    Raises:
        JournalError: the server refuses, or stays away for a minute.
    """
    rates = Rates(conninfo, credential)
    try:
        rates.open()
    except errors.InsufficientPrivilege:
        rates.close()
        _logger.warning(
            "the schema %s of the database, in which runs that share a credential count their submits, may not be made "
            "or used by its user: this run counts its own alone",
            SCHEMA,
        )
        return None
    return rates


@dataclass(frozen=True, slots=True)
class Given:
    """So many turns; none means to ask again after so many seconds."""

    turns: int
    wait_seconds: float = 0.0


class Rates:
    """The turns of one credential; for one thread at a time. Everything here blocks.

    Raises (from every method but `close`):
        JournalError: the server refuses, or stays away for a minute.
    """

    def __init__(self, conninfo: str, credential: bytes) -> None:
        self._target = Target(conninfo, SCHEMA)
        self._credential = credential
        self._connection: PostgresConnection | None = None

    def open(self) -> None:
        """Make sure that there is something to count in.

        Raises:
            psycopg.errors.InsufficientPrivilege: this user may not.
        """
        self._do(lambda connection: connection.raw("SELECT 1 FROM batchgen.lanes LIMIT 0"))

    def take(self, lane: str, rate: Rate, wanted: int) -> Given:
        """Up to so many turns, as many as the rate leaves now."""
        return self._do(lambda connection: self._taken(connection, lane, rate, wanted))

    def hold(self, seconds: float) -> None:
        """Nobody is given a turn for so long; a longer pause stays as it is."""
        self._do(lambda connection: connection.raw(_HOLD, (self._credential, seconds)))

    def close(self) -> None:
        """Let go of the server; callable twice."""
        if self._connection is not None:
            self._connection.close()

    def _taken(self, connection: PostgresConnection, lane: str, rate: Rate, wanted: int) -> Given:
        mine = (self._credential, lane)
        ((longest,),) = connection.raw(_LANE, (*mine, rate.seconds))
        ((held,),) = connection.raw(_HELD, (self._credential,))
        if held is not None and held > 0:
            return Given(0, held)
        ((used, since),) = connection.raw(_USED, (*mine, rate.seconds))
        turns = min(wanted, rate.count - used)
        if turns <= 0:
            return Given(0, max(since + rate.seconds, 0.0))
        connection.raw(_FORGET, (*mine, longest))
        connection.raw(_GIVE, (*mine, turns))
        return Given(turns)

    def _do(self, work: Callable[[PostgresConnection], Result]) -> Result:
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with self._reached() as connection:
                    return work(connection)
            except psycopg.OperationalError as error:
                self.close()
                if time.monotonic() > until:
                    raise JournalError(
                        f"The server that counts submits, {self._target.shown}, went away ({said(error)}); start it and"
                        " run again."
                    ) from error
                time.sleep(PAUSE_SECONDS)

    def _reached(self) -> PostgresConnection:
        if self._connection is None or self._connection.lost:
            self._connection = PostgresConnection(self._target)
            with self._connection as connection:
                connection.raw(_LOCK)
                if connection.raw(_THERE) == [(False,)]:
                    connection.raw(_TABLES)
        return self._connection

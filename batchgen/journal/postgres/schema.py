"""The tables of a batch in PostgreSQL, made and brought up to date by numbered steps, each once."""

from hashlib import blake2b
from typing import Final

import psycopg

from batchgen.errors import Foreign
from batchgen.journal.postgres.connection import PostgresConnection

_FUNCTIONS: Final = r"""
    CREATE FUNCTION iif(boolean, anyelement, anyelement) RETURNS anyelement LANGUAGE sql IMMUTABLE
        AS 'SELECT CASE WHEN $1 THEN $2 ELSE $3 END';
    CREATE FUNCTION instr(text, text) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS 'SELECT strpos($1, $2)';
    CREATE FUNCTION json_extract(body text, path text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT AS $$
        BEGIN RETURN jsonb_path_query_first(body::jsonb, path::jsonpath) #>> '{}';
        EXCEPTION WHEN data_exception THEN RETURN NULL; END $$;
    CREATE FUNCTION json_valid(body text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE STRICT AS $$
        BEGIN PERFORM body::json; RETURN true;
        EXCEPTION WHEN data_exception THEN RETURN false; END $$;
    CREATE FUNCTION one_more_total() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO totals VALUES ('', '', 'rows', 1, NULL)
            ON CONFLICT (model, standing, what) DO UPDATE SET amount = totals.amount + 1, seal = NULL;
            RETURN NULL;
        END $$;
    CREATE FUNCTION one_total_less() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN UPDATE totals SET amount = amount - 1, seal = NULL WHERE what = 'rows'; RETURN NULL; END $$;
    CREATE FUNCTION never_changed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND OLD.checksum IS NULL AND (OLD.job, OLD.position, OLD.run, OLD.at, OLD.kind,
                OLD.attempt, OLD.body) = (NEW.job, NEW.position, NEW.run, NEW.at, NEW.kind, NEW.attempt, NEW.body)
            THEN RETURN NEW; END IF;
            RAISE EXCEPTION 'a milestone is never changed';
        END $$;
    """
"""Those of SQLite's functions that the journal's words use, and the guards."""

_TABLES: Final = """
    CREATE TABLE journal (
        one BIGINT PRIMARY KEY CHECK (one = 1), format BIGINT NOT NULL, batch_id TEXT NOT NULL, name TEXT NOT NULL,
        manifest TEXT NOT NULL, provider TEXT NOT NULL, inputs TEXT NOT NULL, seal BYTEA NOT NULL);
    CREATE TABLE holder (
        one BIGINT PRIMARY KEY CHECK (one = 1), epoch BIGINT NOT NULL, writes BIGINT NOT NULL, held BOOLEAN NOT NULL,
        host TEXT NOT NULL, pid BIGINT NOT NULL, "user" TEXT NOT NULL, since TIMESTAMPTZ NOT NULL,
        beat TIMESTAMPTZ NOT NULL, lease DOUBLE PRECISION NOT NULL);
    CREATE TABLE writers (name TEXT PRIMARY KEY, writes BIGINT NOT NULL) WITH (fillfactor = 50);
    CREATE TABLE runs (
        number BIGINT PRIMARY KEY, verb TEXT NOT NULL, began DOUBLE PRECISION NOT NULL, ended DOUBLE PRECISION,
        host TEXT NOT NULL, pid BIGINT NOT NULL, "user" TEXT NOT NULL, version TEXT NOT NULL, exit_code BIGINT,
        reason TEXT NOT NULL, counts TEXT NOT NULL, money TEXT NOT NULL, committed BIGINT NOT NULL,
        started BIGINT NOT NULL, redo TEXT NOT NULL, prices TEXT NOT NULL, seal BYTEA);
    CREATE TABLE rows (
        key BIGINT PRIMARY KEY, line BIGINT NOT NULL, name TEXT NOT NULL, cells TEXT NOT NULL, proof BYTEA NOT NULL);
    CREATE TABLE jobs (
        number BIGINT PRIMARY KEY, id TEXT NOT NULL, fingerprint TEXT NOT NULL, recipe BIGINT NOT NULL,
        request TEXT NOT NULL, model TEXT NOT NULL, path TEXT NOT NULL, place BIGINT NOT NULL, input BIGINT,
        axes TEXT NOT NULL, standing TEXT NOT NULL CHECK (standing IN ('current', 'replaced', 'gone')),
        changed BIGINT NOT NULL CHECK (changed IN (0, 1)), seal BYTEA, head BIGINT NOT NULL, kind TEXT NOT NULL,
        state TEXT NOT NULL, run BIGINT NOT NULL, UNIQUE (id, fingerprint)) WITH (fillfactor = 80);
    CREATE UNIQUE INDEX one_current ON jobs (id) WHERE standing = 'current';
    CREATE INDEX in_order ON jobs ((standing <> 'current'), place, number);
    CREATE INDEX under_way ON jobs (kind, number) WHERE kind IN ('Generated', 'Accepted', 'Started', 'InDoubt');
    CREATE INDEX to_buy ON jobs (place, number) WHERE standing = 'current' AND kind IN ('Planned', 'AttemptFailed');
    CREATE INDEX given_up ON jobs (number, head) WHERE standing = 'current' AND state = 'failed';
    CREATE INDEX unsealed_jobs ON jobs (number) WHERE seal IS NULL;
    CREATE TABLE milestones (
        job BIGINT NOT NULL REFERENCES jobs, position BIGINT NOT NULL CHECK (position >= 0), run BIGINT NOT NULL,
        at DOUBLE PRECISION NOT NULL, kind TEXT NOT NULL, attempt BIGINT NOT NULL, body TEXT NOT NULL, checksum BYTEA,
        PRIMARY KEY (job, position));
    CREATE INDEX tasks ON milestones ((iif(json_valid(body), json_extract(body, '$.task_id'), NULL)))
        WHERE kind = 'Accepted';
    CREATE INDEX by_time ON milestones (at, job);
    CREATE INDEX unsealed_milestones ON milestones (job, position) WHERE checksum IS NULL;
    CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE ON milestones
        FOR EACH ROW EXECUTE FUNCTION never_changed();
    CREATE TABLE redone (
        run BIGINT NOT NULL, job BIGINT NOT NULL, position BIGINT NOT NULL, seal BYTEA NOT NULL,
        PRIMARY KEY (run, job));
    CREATE TABLE totals (
        model TEXT NOT NULL, standing TEXT NOT NULL, what TEXT NOT NULL, amount BIGINT NOT NULL, seal BYTEA,
        PRIMARY KEY (model, standing, what)) WITH (fillfactor = 50);
    CREATE TRIGGER one_more_total AFTER INSERT ON totals
        FOR EACH ROW WHEN (NEW.what <> 'rows') EXECUTE FUNCTION one_more_total();
    CREATE TRIGGER one_total_less AFTER DELETE ON totals
        FOR EACH ROW WHEN (OLD.what <> 'rows') EXECUTE FUNCTION one_total_less();
    CREATE TABLE days (day TEXT PRIMARY KEY, committed BIGINT NOT NULL, seal BYTEA);
    INSERT INTO holder VALUES (1, 0, 0, false, '', 0, '', now(), now(), 0);
    """
"""As the tables in a file (batchgen/journal/schema.py); instead of a lock, `holder` with its `writers`."""

STEPS: Final = (_FUNCTIONS + _TABLES,)
"""Each brings a schema from the version of its place to the next one; frozen once released."""


def is_there(connection: PostgresConnection, schema: str) -> bool:
    """Whether a batch was ever kept in this schema."""
    return bool(connection.raw("SELECT to_regclass(%s) IS NOT NULL", (f'"{schema}".version',))[0][0])


def version(connection: PostgresConnection, schema: str, shown: str) -> int:
    """Which steps a schema has taken; 0 for none. Inside a transaction.

    Raises:
        Foreign: a newer batchgen has written it.
    """
    if not is_there(connection, schema):
        return 0
    known = int(connection.raw("SELECT number FROM version")[0][0])
    if known > len(STEPS):
        raise Foreign(f"{shown} has version {known}, this batchgen knows {len(STEPS)}; use the newer one.")
    return known


def bring_up(connection: PostgresConnection, schema: str, shown: str) -> None:
    """Make a schema, or take the steps that it lacks, in the transaction that is open; the others wait meanwhile."""
    connection.raw("SELECT pg_advisory_xact_lock(%s)", (_number(schema),))
    known = version(connection, schema, shown)
    if known == 0:
        connection.raw(psycopg.sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(psycopg.sql.Identifier(schema)))
        connection.raw("CREATE TABLE version (one BIGINT PRIMARY KEY CHECK (one = 1), number BIGINT NOT NULL)")
        connection.raw("INSERT INTO version VALUES (1, 0)")
    for step in STEPS[known:]:
        connection.raw(step)
    if known < len(STEPS):
        connection.raw("UPDATE version SET number = %s", (len(STEPS),))


def _number(schema: str) -> int:
    return int.from_bytes(blake2b(schema.encode(), digest_size=8).digest(), "big", signed=True)

"""A whole expansion against a SQLite journal: what each draft is, and making the journal owe exactly that.

The drafts go into a temporary table and are classified there, set by set, so that neither a comparison nor an
expansion holds them in memory; a comparison works on a read-only connection too.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import apsw

from batchgen.job import Draft
from batchgen.journal import Comparison, Difference, Kind
from batchgen.journal.choosing import BOUGHT, EXAMPLES, TO_BUY, difference, differing
from batchgen.journal.codec import decode_request, encode_request
from batchgen.journal.rows import SEALED
from batchgen.journal.schema import read_identity, write_identity

KINDS: Final[tuple[Kind, ...]] = ("new", "changed", "unchanged", "renamed", "gone")

_TABLES = """
    DROP TABLE IF EXISTS temp.draft;
    DROP TABLE IF EXISTS temp.leaving;
    CREATE TEMP TABLE draft (
        place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL, recipe INTEGER NOT NULL,
        request TEXT NOT NULL, model TEXT NOT NULL, path TEXT NOT NULL,
        kind TEXT NOT NULL DEFAULT '', same INTEGER, held INTEGER, job INTEGER, was TEXT NOT NULL DEFAULT '') STRICT;
    """
_FILL = "INSERT INTO temp.draft (place, id, fingerprint, recipe, request, model, path) VALUES (?, ?, ?, ?, ?, ?, ?)"

# `same` has the draft's id and fingerprint, `held` is the current job of that id, `job` is what the draft becomes.
_CLASSIFY = f"""
    UPDATE temp.draft SET
        same = (SELECT number FROM jobs WHERE jobs.id = draft.id AND jobs.fingerprint = draft.fingerprint),
        held = (SELECT number FROM jobs WHERE jobs.id = draft.id AND standing = 'current');
    UPDATE temp.draft SET kind = 'unchanged', job = same WHERE same IS NOT NULL
        AND (held IS NULL OR held = same OR (SELECT jobs.kind IN {BOUGHT} FROM jobs WHERE number = same));
    UPDATE temp.draft SET kind = 'changed',
        job = iif((SELECT jobs.kind IN {BOUGHT} FROM jobs WHERE number = held), held, same)
        WHERE kind = '' AND held IS NOT NULL;
    CREATE TEMP TABLE leaving AS
        SELECT number, id, fingerprint, state, place,
            row_number() OVER (PARTITION BY fingerprint ORDER BY place, number) AS nth
        FROM jobs WHERE standing = 'current' AND NOT EXISTS (SELECT 1 FROM temp.draft WHERE draft.id = jobs.id);
    UPDATE temp.draft SET kind = 'renamed', job = leaving.number, was = leaving.id
        FROM temp.leaving JOIN (
            SELECT place, fingerprint, row_number() OVER (PARTITION BY fingerprint ORDER BY place) AS nth
            FROM temp.draft WHERE kind = '') AS coming USING (fingerprint, nth)
        WHERE draft.place = coming.place;
    DELETE FROM temp.leaving WHERE number IN (SELECT job FROM temp.draft WHERE kind = 'renamed');
    UPDATE temp.draft SET kind = 'new' WHERE kind = '';
    """  # noqa: S608  # kinds named in the program

_APPLY = f"""
    UPDATE jobs SET standing = 'replaced', changed = 0, seal = NULL
        WHERE number IN (SELECT held FROM temp.draft WHERE held IS NOT NULL AND held IS NOT job);
    UPDATE jobs SET standing = 'gone', changed = 0, seal = NULL WHERE number IN (SELECT number FROM temp.leaving);
    UPDATE jobs SET changed = 1, place = draft.place, seal = NULL FROM temp.draft
        WHERE number = draft.job AND draft.kind = 'changed' AND draft.job = draft.held
        AND (changed, jobs.place) IS NOT (1, draft.place);
    UPDATE jobs SET id = draft.id, path = draft.path, place = draft.place, request = draft.request,
            standing = 'current', changed = 0, seal = NULL
        FROM temp.draft WHERE number = draft.job AND NOT (draft.kind = 'changed' AND draft.job = draft.held)
        AND (jobs.id, jobs.path, jobs.place, jobs.request, standing, changed)
            IS NOT (draft.id, draft.path, draft.place, draft.request, 'current', 0);
    INSERT INTO jobs (id, fingerprint, recipe, request, model, path, place, standing, changed, head, kind, state, run)
        SELECT id, fingerprint, recipe, request, model, path, place, 'current', 0, 0, 'Planned', 'queued', :run
        FROM temp.draft WHERE job IS NULL ORDER BY place;
    INSERT INTO milestones
        SELECT number, 0, :run, :at, 'Planned', 0, '{{}}', seal(number, 0, :run, :at, 'Planned', 0, '{{}}')
        FROM jobs WHERE number > :last;
    UPDATE jobs SET seal = seal({SEALED}) WHERE seal IS NULL;
    """  # noqa: S608  # columns named in the program

RECOUNT: Final = """
    SELECT model, standing, 'jobs:' || state AS what, count(*) AS amount FROM jobs GROUP BY model, standing, state
    UNION ALL
    SELECT model, standing, 'kept', count(*) FROM jobs WHERE changed AND state = 'stored' GROUP BY model, standing"""
"""The totals of jobs as they follow from the jobs themselves."""

_TOTALS = f"""
    DELETE FROM totals WHERE standing <> '';
    INSERT INTO totals SELECT model, standing, what, amount, seal(model, standing, what, amount) FROM ({RECOUNT});
    """  # noqa: S608  # as above

_EXAMPLES = """
    SELECT draft.id, was, draft.request, jobs.request, state FROM temp.draft
    LEFT JOIN jobs ON number = iif(draft.kind = 'changed', held, job)
    WHERE draft.kind = ? ORDER BY draft.place LIMIT ?"""


def compare(connection: apsw.Connection, drafts: Iterable[Draft]) -> Comparison:
    """What owing these drafts would do; must be called inside a transaction, so that it sees one moment.

    Raises:
        ValueError: two drafts have one id.
    """
    connection.execute(_TABLES)
    try:
        connection.executemany(_FILL, (_row(place, draft) for place, draft in enumerate(drafts)))
    except apsw.ConstraintError as error:
        raise ValueError("two drafts have the same id") from error
    connection.execute(_CLASSIFY)
    counts: dict[Kind, int] = dict.fromkeys(KINDS, 0)
    counts.update(connection.execute("SELECT kind, count(*) FROM temp.draft GROUP BY kind"))
    counts["gone"] = connection.execute("SELECT count(*) FROM temp.leaving").get
    to_buy = connection.execute(
        f"SELECT count(*) FROM temp.draft LEFT JOIN jobs ON number = job WHERE job IS NULL OR jobs.kind IN {TO_BUY}"  # noqa: S608
    ).get
    return Comparison(counts, to_buy, {kind: _examples(connection, kind) for kind in KINDS})


def owe(
    connection: apsw.Connection, drafts: Iterable[Draft], inputs: str, stamp: tuple[int, float]
) -> tuple[Comparison, int]:
    """Make the journal owe exactly these drafts; says what that did, and how many milestones it wrote."""
    comparison = compare(connection, drafts)
    last = connection.execute("SELECT coalesce(max(number), 0) FROM jobs").get
    connection.execute(_APPLY, {"run": stamp[0], "at": stamp[1], "last": last})
    connection.execute(_TOTALS)
    write_identity(connection, replace(read_identity(connection, "The journal"), inputs=inputs))
    added = connection.execute("SELECT coalesce(max(number), 0) FROM jobs").get - last
    connection.execute("DROP TABLE temp.draft; DROP TABLE temp.leaving")
    return comparison, added


def _row(place: int, draft: Draft) -> tuple[int, str, str, int, str, str, str]:
    request = draft.request
    return place, draft.id, draft.fingerprint, draft.recipe, encode_request(request), request.model, draft.path


def _examples(connection: apsw.Connection, kind: Kind) -> tuple[Difference, ...]:
    if kind == "gone":
        rows = connection.execute("SELECT id, state FROM temp.leaving ORDER BY place, number LIMIT ?", (EXAMPLES,))
        return tuple(difference(kind, job_id, state=state) for job_id, state in rows)
    found = []
    for job_id, was, asked, kept, state in connection.execute(_EXAMPLES, (kind, EXAMPLES)):
        differs = differing(decode_request(kept), decode_request(asked)) if kind == "changed" else ""
        found.append(difference(kind, job_id, was=was, differs=differs, state=state or "queued"))
    return tuple(found)

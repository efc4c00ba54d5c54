"""A whole expansion against a SQLite journal: what each draft is, and making the journal owe exactly that.

The drafts go into a temporary table and are classified there, set by set, so that neither a comparison nor an
expansion holds them in memory; a comparison works on a read-only connection too.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from batchgen.job import Draft, fingerprint
from batchgen.journal import Choice, Comparison, Difference, Kind, Redo, redoing
from batchgen.journal.choosing import BOUGHT, EXAMPLES, TO_BUY, difference, differing
from batchgen.journal.codec import decode_request, encode_request, encode_texts
from batchgen.journal.database import DUPLICATE, Connection
from batchgen.journal.rows import SEALED
from batchgen.journal.schema import kept_identity, write_identity
from batchgen.journal.scratch import Line, Scratch, encode_row

KINDS: Final[tuple[Kind, ...]] = ("new", "changed", "unchanged", "renamed", "gone")

_TABLES = """
    DROP TABLE IF EXISTS temp.draft;
    DROP TABLE IF EXISTS temp.leaving;
    DROP TABLE IF EXISTS temp.input;
    CREATE TEMP TABLE input (key INTEGER PRIMARY KEY, line INTEGER, name TEXT, cells TEXT, proof BLOB) STRICT;
    CREATE TEMP TABLE draft (
        place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL, recipe INTEGER NOT NULL,
        request TEXT NOT NULL, model TEXT NOT NULL, path TEXT NOT NULL, input INTEGER, axes TEXT NOT NULL,
        shape INTEGER NOT NULL, chosen INTEGER NOT NULL DEFAULT 1, again INTEGER NOT NULL DEFAULT 0,
        kind TEXT NOT NULL DEFAULT '', same INTEGER, held INTEGER, job INTEGER, was TEXT NOT NULL DEFAULT '') STRICT;
    """
_FILL = """
    INSERT INTO temp.draft (place, id, fingerprint, recipe, request, model, path, input, axes, shape)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_KEEP_ROW = "INSERT INTO temp.input VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"

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
        WHERE number IN (SELECT held FROM temp.draft WHERE held IS NOT NULL AND held IS DISTINCT FROM job);
    UPDATE jobs SET standing = 'gone', changed = 0, seal = NULL WHERE number IN (SELECT number FROM temp.leaving);
    INSERT INTO rows SELECT * FROM temp.input WHERE true ON CONFLICT DO NOTHING;
    UPDATE jobs SET changed = 1, place = draft.place, input = draft.input, axes = draft.axes, seal = NULL
        FROM temp.draft WHERE number = draft.job AND draft.kind = 'changed' AND draft.job = draft.held
        AND (changed, jobs.place, jobs.input, jobs.axes) IS DISTINCT FROM (1, draft.place, draft.input, draft.axes);
    UPDATE jobs SET id = draft.id, path = draft.path, place = draft.place, request = draft.request,
            input = draft.input, axes = draft.axes, standing = 'current', changed = 0, seal = NULL
        FROM temp.draft WHERE number = draft.job AND NOT (draft.kind = 'changed' AND draft.job = draft.held)
        AND (jobs.id, jobs.path, jobs.place, jobs.request, jobs.input, jobs.axes, standing, changed)
            IS DISTINCT FROM (draft.id, draft.path, draft.place, draft.request, draft.input, draft.axes, 'current', 0);
    INSERT INTO jobs (number, id, fingerprint, recipe, request, model, path, place, input, axes,
            standing, changed, head, kind, state, run)
        SELECT :last + row_number() OVER (ORDER BY place), id, fingerprint, recipe, request, model, path, place,
            input, axes, 'current', 0, 0, 'Planned', 'queued', :run
        FROM temp.draft WHERE job IS NULL;
    DELETE FROM rows WHERE key NOT IN (SELECT input FROM jobs WHERE input IS NOT NULL);
    INSERT INTO milestones
        SELECT number, 0, :run, :at, 'Planned', 0, '{{}}', seal(number, 0, :run, :at, 'Planned', 0, '{{}}')
        FROM jobs WHERE number > :last;
    UPDATE jobs SET seal = seal({SEALED}) WHERE seal IS NULL;
    """  # noqa: S608  # columns named in the program

RECOUNT: Final = """
    SELECT model, standing, 'jobs:' || state AS what, count(*) AS amount FROM jobs GROUP BY model, standing, state
    UNION ALL
    SELECT model, standing, 'kept', count(*) FROM jobs WHERE changed = 1 AND state = 'stored'
    GROUP BY model, standing"""
"""The totals of jobs as they follow from the jobs themselves."""

_SHAPES = f"""
    SELECT shape, count(*) FROM temp.draft LEFT JOIN jobs ON number = job
    WHERE chosen = 1 AND (job IS NULL OR again = 1 OR jobs.kind IN {TO_BUY}) GROUP BY shape"""  # noqa: S608  # as above

_OTHER_RECIPES = """
    SELECT EXISTS (SELECT 1 FROM temp.draft JOIN jobs USING (id) WHERE jobs.recipe <> draft.recipe)"""

_BY_OTHER_RECIPES = """
    SELECT draft.place, draft.request, jobs.fingerprint, jobs.recipe FROM temp.draft JOIN jobs USING (id)
    WHERE jobs.recipe <> draft.recipe"""

_TOTALS = f"""
    DELETE FROM totals WHERE standing <> '';
    INSERT INTO totals SELECT model, standing, what, amount, seal(model, standing, what, amount)
        FROM ({RECOUNT}) AS counted;
    """  # noqa: S608  # as above

_EXAMPLES = """
    SELECT draft.id, was, draft.request, jobs.request, state FROM temp.draft
    LEFT JOIN jobs ON number = iif(draft.kind = 'changed', held, job)
    WHERE draft.kind = ? ORDER BY draft.place LIMIT ?"""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants of a run beyond what the manifest says."""

    redo: Redo | None = None
    choice: Choice | None = None


def compare(connection: Connection, drafts: Iterable[Draft], wish: Wish) -> Comparison:
    """What owing these drafts would do; must be called inside a transaction, so that it sees one moment.

    Raises:
        ValueError: two drafts have one id.
    """
    connection.execute(_TABLES)
    try:
        _fill(connection, drafts)
    except DUPLICATE as error:
        raise ValueError("two drafts have the same id") from error
    _read_by_their_own_recipe(connection)
    connection.execute(_CLASSIFY)
    if wish.choice is not None:
        redoing.choose(connection, wish.choice)
    if wish.redo is not None and not wish.redo.decided:
        redoing.mark(connection, wish.redo)
    return _comparison(connection)


def _comparison(connection: Connection) -> Comparison:
    counts: dict[Kind, int] = dict.fromkeys(KINDS, 0)
    counts.update(connection.execute("SELECT kind, count(*) FROM temp.draft GROUP BY kind"))
    counts["gone"] = connection.execute("SELECT count(*) FROM temp.leaving").get
    shapes = dict(connection.execute(_SHAPES))
    return Comparison(
        counts,
        sum(shapes.values()),
        {kind: _examples(connection, kind) for kind in KINDS},
        shapes,
        redone=connection.execute("SELECT count(*) FROM temp.draft WHERE again = 1").get,
        skipped=connection.execute("SELECT count(*) FROM temp.draft WHERE chosen = 0").get,
    )


def owe(
    connection: Connection, drafts: Iterable[Draft], inputs: str, wish: Wish, stamp: tuple[int, float]
) -> tuple[Comparison, int]:
    """Make the journal owe exactly these drafts; says what that did, and how many milestones it wrote."""
    before = connection.execute("SELECT count(*) FROM milestones").get if wish.redo else 0
    comparison = compare(connection, drafts, wish)
    last = connection.execute("SELECT coalesce(max(number), 0) FROM jobs").get
    connection.execute(_APPLY, {"run": stamp[0], "at": stamp[1], "last": last})
    connection.execute(_TOTALS)
    write_identity(connection, replace(kept_identity(connection, "The journal"), inputs=inputs))
    added = connection.execute("SELECT coalesce(max(number), 0) FROM jobs").get - last
    if wish.redo is not None:
        redoing.carry_out(connection, wish.redo.words, stamp)
        added = connection.execute("SELECT count(*) FROM milestones").get - before
    connection.execute("DROP TABLE temp.draft; DROP TABLE temp.leaving; DROP TABLE temp.input")
    return comparison, added


def _read_by_their_own_recipe(connection: Connection) -> None:
    """Jobs that were bought by another recipe are compared by that one: no release makes a picture changed."""
    if not connection.execute(_OTHER_RECIPES).get:
        return
    found = [
        (print_, recipe, place)
        for place, request, print_, recipe in connection.execute(_BY_OTHER_RECIPES)
        if fingerprint(decode_request(request), recipe) == print_
    ]
    connection.executemany("UPDATE temp.draft SET fingerprint = ?, recipe = ? WHERE place = ?", found)


def _fill(connection: Connection, drafts: Iterable[Draft]) -> None:
    if isinstance(drafts, Scratch):
        connection.executemany(_FILL, drafts.lines())
        connection.executemany(_KEEP_ROW, drafts.rows())
    else:
        connection.executemany(_FILL, _lines(connection, drafts))


def _lines(connection: Connection, drafts: Iterable[Draft]) -> Iterator[Line]:
    """The lines of the drafts; each input row is put beside them when it first comes."""
    row, key = None, None
    for place, draft in enumerate(drafts):
        if draft.row is not row:
            row, key = draft.row, None
            if row is not None:
                line = encode_row(row)
                key = line[0]
                connection.execute(_KEEP_ROW, line)
        request = encode_request(draft.request)
        named = (place, draft.id, draft.fingerprint, draft.recipe, request, draft.request.model, draft.path)
        yield (*named, key, encode_texts(draft.axes), 0)


def _examples(connection: Connection, kind: Kind) -> tuple[Difference, ...]:
    if kind == "gone":
        rows = connection.execute("SELECT id, state FROM temp.leaving ORDER BY place, number LIMIT ?", (EXAMPLES,))
        return tuple(difference("gone", job_id, state=state) for job_id, state in rows)
    found = []
    for job_id, was, asked, kept, state in connection.execute(_EXAMPLES, (kind, EXAMPLES)):
        changes = differing(decode_request(kept), decode_request(asked)) if kind == "changed" else ()
        found.append(difference(kind, job_id, was=was, changes=changes, state=state or "queued"))
    return tuple(found)

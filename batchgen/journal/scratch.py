"""A whole expansion on the disk instead of in memory, as a journal would keep it; nobody else can see it.

The database is a private temporary file of SQLite's that has no name any more once it is open, so that nothing is
left behind whatever ends the process. What must hold for all drafts together (ids once, paths apart) is asked in SQL.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from types import TracebackType
from typing import Final, Self, TypeAlias

import apsw

from batchgen.job import Draft, FileReference, InputRow, Reference, Request
from batchgen.journal import Choice
from batchgen.journal.codec import decode_request, decode_texts, encode_request, encode_texts, seal

MIB: Final = 1024 * 1024
_CHUNK: Final = 1000

_TABLES: Final = """
    CREATE TABLE draft (
        place INTEGER PRIMARY KEY, id TEXT NOT NULL, fingerprint TEXT NOT NULL, recipe INTEGER NOT NULL,
        request TEXT NOT NULL, model TEXT NOT NULL, path TEXT NOT NULL, input INTEGER, axes TEXT NOT NULL,
        shape INTEGER NOT NULL, origin INTEGER NOT NULL, key TEXT) STRICT;
    CREATE TABLE input (
        key INTEGER PRIMARY KEY, line INTEGER NOT NULL, name TEXT NOT NULL, cells TEXT NOT NULL,
        proof BLOB NOT NULL) STRICT;
    CREATE TABLE folder (place INTEGER NOT NULL, key TEXT NOT NULL) STRICT;
    CREATE TABLE signed (bare TEXT PRIMARY KEY, url TEXT NOT NULL) STRICT, WITHOUT ROWID;
    """
_FILL: Final = "INSERT INTO draft VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_KEEP_ROW: Final = "INSERT OR IGNORE INTO input VALUES (?, ?, ?, ?, ?)"
_FOR_CHOICE: Final = """
    SELECT shape, id, axes, draft.input, line, name, cells
    FROM draft LEFT JOIN input ON input.key = draft.input ORDER BY place"""
_DRAFT: Final = "place, id, fingerprint, recipe, request, model, path, input, axes, shape"

_TWICE: Final = """
    SELECT place, first FROM draft JOIN (
        SELECT {0} AS same, min(place) AS first FROM draft GROUP BY 1 HAVING count(*) > 1) ON same = {0}
    WHERE place <> first {1} ORDER BY place LIMIT ?"""
_NESTED: Final = """
    SELECT folder.place, draft.place FROM folder JOIN draft ON coalesce(draft.key, draft.path) = folder.key
    ORDER BY 1 LIMIT ?"""

Line: TypeAlias = tuple[str | int | bytes | None, ...]
Shape: TypeAlias = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A draft on its way into a scratch, with its input row and axes, which stand in place of its own.

    `origin` is a number of the caller's, `key` what its path has in common with others that are one file on some file
    system. `folders` are the keys of those of its folders that a picture could be named like, less the extension.
    """

    draft: Draft
    origin: int
    key: str
    folders: tuple[str, ...] = ()
    row: InputRow | None = None
    axes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """A draft of a scratch with the number of its origin."""

    draft: Draft
    origin: int


class Scratch:
    """All drafts of a manifest in order; close it, or use it as a context manager. For one thread at a time.

    `shapes` holds, by number, a request for every combination of all that decides what is allowed and what it costs:
    everything but the words of the prompt and the bytes of the references.
    """

    def __init__(self) -> None:
        self.shapes: list[Request] = []
        self._known: dict[Shape, int] = {}
        self._size = 0
        self._row: InputRow | None = None
        self._key: int | None = None
        self._database = apsw.Connection("")
        for name, value in (("journal_mode", "OFF"), ("synchronous", "OFF"), ("cache_size", -16_000)):
            self._database.pragma(name, value)
        self._database.execute(_TABLES)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of it; callable twice."""
        self._database.close(force=True)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Draft]:
        return (each.draft for each in self._found("ORDER BY place", ()))

    def fill(self, items: Iterable[Item]) -> None:
        """Put drafts in, in order; to be called once."""
        self._database.execute("BEGIN")
        waiting = iter(items)
        while chunk := list(islice(waiting, _CHUNK)):
            self._put(chunk)
        self._database.execute("COMMIT")

    def sign(self, urls: Iterable[tuple[str, str]]) -> None:
        """Keep what a URL was before its signature was taken off."""
        with self._database:
            self._database.executemany("INSERT OR IGNORE INTO signed VALUES (?, ?)", urls)

    def signed(self, bare: str) -> str | None:
        """A URL with its signature, None when it has none."""
        row = self._database.execute("SELECT url FROM signed WHERE bare = ?", (bare,)).fetchone()
        return None if row is None else str(row[0])

    def signs(self) -> bool:
        """Whether any URL has a signature."""
        return self._database.execute("SELECT 1 FROM signed LIMIT 1").fetchone() is not None

    def same_ids(self, most: int) -> list[tuple[int, int]]:
        """Places whose id stands at an earlier place too, with that place."""
        return list(self._database.execute(_TWICE.format("id", ""), (most,)))

    def same_paths(self, most: int) -> list[tuple[int, int]]:
        """Places whose picture would take the file of an earlier place, of another id, with that place."""
        other = "AND id <> (SELECT id FROM draft AS other WHERE other.place = first)"
        return list(self._database.execute(_TWICE.format("coalesce(key, path)", other), (most,)))

    def files_in_the_way(self, most: int) -> list[tuple[int, int]]:
        """Places whose picture needs a folder that is the picture of another place, with that place."""
        return list(self._database.execute(_NESTED, (most,)))

    def at(self, place: int) -> Found:
        """The draft at a place."""
        return next(self._found("WHERE place = ?", (place,)))

    def named(self, job_id: str) -> Found | None:
        """The draft of an id, None when there is none."""
        return next(self._found("WHERE id = ?", (job_id,)), None)

    def of_shape(self, shape: int, most: int) -> list[Found]:
        """The first few drafts of a shape."""
        return list(self._found("WHERE shape = ? ORDER BY place LIMIT ?", (shape, most)))

    def first(self, most: int) -> list[Draft]:
        """The first few drafts."""
        return [each.draft for each in self._found("ORDER BY place LIMIT ?", (most,))]

    def some(self, most: int) -> list[Draft]:
        """A few drafts, spread over all."""
        step = max(1, self._size // most)
        return [each.draft for each in self._found("WHERE place % ? = 0 ORDER BY place LIMIT ?", (step, most))]

    def chosen_by_shape(self, choice: Choice) -> dict[int, int]:
        """How many drafts there are of each shape, of those that are chosen before anything has happened."""
        found = Counter(shape for shape, _ in self.chosen(choice))
        return dict(found)

    def chosen(self, choice: Choice) -> Iterator[tuple[int, str]]:
        """Shape and id of all drafts that are chosen before anything has happened."""
        row: tuple[int, InputRow] | None = None
        for shape, job_id, axes, key, line, name, cells in self._database.execute(_FOR_CHOICE):
            if key is None:
                row = None
            elif row is None or row[0] != key:
                row = (key, InputRow(line, name, decode_texts(cells)))
            if choice(job_id, "queued", row and row[1], decode_texts(axes)):
                yield shape, job_id

    def ids(self) -> Iterator[str]:
        """All ids, in order."""
        return (job_id for (job_id,) in self._database.execute("SELECT id FROM draft ORDER BY place"))

    def by_shape(self) -> dict[int, int]:
        """How many drafts there are of each shape."""
        return dict(self._database.execute("SELECT shape, count(*) FROM draft GROUP BY shape"))

    def lines(self) -> Iterator[Line]:
        """The drafts as a journal takes them, in the order of its columns."""
        return iter(self._database.execute(f"SELECT {_DRAFT} FROM draft ORDER BY place"))  # noqa: S608

    def rows(self) -> Iterator[Line]:
        """The input rows as a journal takes them: key, line, name, cells, proof."""
        return iter(self._database.execute("SELECT * FROM input"))

    def _found(self, where: str, bindings: tuple[str | int, ...]) -> Iterator[Found]:
        query = f"""SELECT {_DRAFT}, origin, line, name, cells FROM (
            SELECT {_DRAFT}, origin FROM draft {where}) LEFT JOIN input ON input.key = input"""  # noqa: S608
        for row in self._database.execute(query, bindings):
            _, job_id, fingerprint, recipe, request, _, path, key, axes, _, origin, *cells = row
            made_from = None if key is None else InputRow(cells[0], cells[1], decode_texts(cells[2]))
            asked = decode_request(request)
            yield Found(Draft(job_id, asked, path, fingerprint, recipe, made_from, decode_texts(axes)), origin)

    def _put(self, items: list[Item]) -> None:
        lines, rows, folders = [], [], []
        for place, item in enumerate(items, self._size):
            draft = item.draft
            if item.row is not self._row:
                self._row, self._key = item.row, None
                if item.row is not None:
                    rows.append(line := encode_row(item.row))
                    self._key = line[0]
            folders += [(place, folder) for folder in item.folders]
            fixed = (draft.fingerprint, draft.recipe, encode_request(draft.request), draft.request.model, draft.path)
            more = (self._key, encode_texts(item.axes), self._shape(draft.request), item.origin)
            lines.append((place, draft.id, *fixed, *more, item.key if item.key != draft.path else None))
        self._database.executemany(_FILL, lines)
        self._database.executemany(_KEEP_ROW, rows)
        self._database.executemany("INSERT INTO folder VALUES (?, ?)", folders)
        self._size += len(items)

    def _shape(self, request: Request) -> int:
        references = tuple(map(_kind, request.references)) if request.references else ()
        sizes = (request.aspect_ratio, request.resolution, request.output_format)
        shape = (request.model, *sizes, request.channel_id, request.prompt.isspace() or not request.prompt, references)
        number = self._known.get(shape)
        if number is None:
            number = self._known[shape] = len(self.shapes)
            self.shapes.append(replace(request, prompt="" if shape[5] else "a prompt", take=1))
        return number


def encode_row(row: InputRow) -> tuple[int, int, str, str, bytes]:
    """An input row as a journal keeps it, known by its content: key, line, name, cells, proof."""
    values = (row.number, row.id, encode_texts(row.cells))
    key = int.from_bytes(seal(*values), "big", signed=True)
    return (key, *values, seal(key, *values))


def _kind(reference: Reference) -> tuple[str, int]:
    """What matters of a reference to whoever allows it: its type, and its size in whole MiB."""
    match reference:
        case FileReference(media_type=media_type, size=size):
            return media_type, -(-size // MIB)
        case _:
            return "url", 0

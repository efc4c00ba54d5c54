"""Rows as a table has them: a fixed list of columns, known before the first row.

Our own columns keep their names whatever the user's table has: a column of his of the same name is `row.NAME`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, Literal, TypeAlias

from batchgen.errors import SettingsError
from batchgen.job import InputRow
from batchgen.journal import Progress
from batchgen.journal.facets import View
from batchgen.report.export import Tabled, meant, row, rows, url

Kind: TypeAlias = Literal["text", "texts", "whole", "dollars", "truth"]

Row: TypeAlias = dict[str, Any]

OURS: Final[tuple[tuple[str, Kind], ...]] = (
    *(("id", "text"), ("state", "text"), ("path", "text"), ("sha256", "text"), ("bytes", "whole")),
    *(("width", "whole"), ("height", "whole"), ("model", "text"), ("prompt", "text"), ("attempts", "whole")),
    *(("task_id", "text"), ("cost_usd", "dollars"), ("class", "text"), ("reason", "text"), ("files", "texts")),
    *(("changed", "truth"), ("standing", "text")),
)
ADDRESSES: Final[tuple[tuple[str, Kind], ...]] = (("url", "text"), ("urls", "texts"))

OUTSIDE: Final = frozenset({"prompt", "task_id", "reason"})
"""Columns of ours whose words are neither ours nor cells of the user's table."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, what its cells are, how one is taken from a row, whether outside text stands in it."""

    name: str
    kind: Kind
    cell: Callable[[Row], Any]
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table whose rows are made while it is read, once."""

    columns: tuple[Column, ...]
    rows: Iterable[Row]


@dataclass(frozen=True, slots=True)
class Scope:
    """What is exported: of which run alone, with addresses below which base URL."""

    run: int | None = None
    base_url: str | None = None


def long(record: Tabled, scope: Scope) -> Sheet:
    """A row per job: ours, its axes as `axis.NAME`, the cells of its input row."""
    named = OURS if scope.base_url is None else OURS + ADDRESSES
    ours = [Column(name, kind, _own(name), name in OUTSIDE) for name, kind in named]
    axes = dict.fromkeys(name for view in record.views() for name in view.axes)
    ours += [Column(f"axis.{name}", "text", _within("axes", name)) for name in axes]
    found = _sheet(ours, record.columns(), rows(record, scope.run, scope.base_url))
    return _watched(found, {"row": frozenset(record.columns()), "axes": frozenset(axes)})


def wide(record: Tabled, scope: Scope) -> Sheet:
    """A row per input row: its id, how many pictures are missing, its cells, and a picture in each view's column.

    A picture is its name in the batch folder, or its URL; nothing where it is not there.
    """
    views = dict.fromkeys(view.name for view in record.views())
    ours = [Column("id", "text", _own("id")), Column("missing", "whole", _own("missing"))]
    pictures = [Column(name, "text", _within("pictures", name)) for name in views]
    found = _sheet(ours, record.columns(), wide_rows(record, scope), pictures)
    return _watched(found, {"row": frozenset(record.columns()), "pictures": frozenset(views)})


def wide_rows(record: Tabled, scope: Scope) -> Iterator[Row]:
    """The rows of `wide`, in the table's order; a job without an input row has one of its own.

    Of a run, those rows that it brought anything for, whole.
    """
    current = (each for each in meant(record) if each.standing == "current")
    for _, group in groupby(current, _owner):
        jobs = list(group)
        if scope.run is not None and all(each.run != scope.run for each in jobs):
            continue
        pictures = {_view(each): _picture(each, scope.base_url) for each in jobs}
        made_from = jobs[0].row
        yield {
            "id": jobs[0].job.id if made_from is None else made_from.id,
            "missing": sum(each is None for each in pictures.values()),
            "row": None if made_from is None else dict(made_from.cells),
            "pictures": pictures,
        }


def _sheet(ours: list[Column], headers: Iterable[str], found: Iterable[Row], behind: Iterable[Column] = ()) -> Sheet:
    """A table of ours, the user's columns and what stands behind them, each under a name of its own."""
    behind = tuple(behind)
    taken = {each.name for each in (*ours, *behind)}
    theirs = []
    for header in headers:
        name = header
        while name in taken:
            name = f"row.{name}"
        taken.add(name)
        theirs.append(Column(name, "text", _within("row", header)))
    return Sheet((*ours, *theirs, *behind), found)


def _watched(sheet: Sheet, known: Mapping[str, frozenset[str]]) -> Sheet:
    """The table, which would rather fail than pass over a cell that has no column."""

    def watched() -> Iterator[Row]:
        for each in sheet.rows:
            for key, names in known.items():
                if not names.issuperset(each[key] or ()):
                    raise SettingsError("the batch was planned anew while it was exported; export it again")
            yield each

    return Sheet(sheet.columns, watched())


def _owner(progress: Progress) -> tuple[int, str]:
    """What the jobs of one input row have in common."""
    made_from: InputRow | None = progress.row
    return (0, progress.job.id) if made_from is None else (made_from.number, made_from.id)


def _view(progress: Progress) -> str:
    return View(progress.axes, progress.job.request.take).name


def _picture(progress: Progress, base_url: str | None) -> str | None:
    name = row(progress)["path"]
    return name if name is None or base_url is None else url(base_url, name)


def _own(name: str) -> Callable[[Row], Any]:
    return lambda found: found[name]


def _within(key: str, name: str) -> Callable[[Row], Any]:
    return lambda found: (found[key] or {}).get(name)

"""Tables written for the tests, and what is read of them."""

from collections.abc import Sequence
from pathlib import Path

from batchgen.manifest.tables import BadRow, Table, open_table
from batchgen.manifest.tables.groups import Group, groups


def table(folder: Path, data: str | bytes, name: str = "t.csv", **how: str | None) -> Table:
    """A file with this content, opened as a table."""
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return open_table(path, **how)


def read(folder: Path, data: str | bytes, name: str = "t.csv", **how: str | None) -> list[tuple[int, object]]:
    """Each row's number with its cells, or with the reason why it is none."""
    return [
        (each.number, each.reason if isinstance(each, BadRow) else list(each.cells))
        for each in table(folder, data, name, **how).records()
    ]


def grouped(found: Table, group_by: str | None = None, fill_down: Sequence[str] = ()) -> list[Group]:
    """All groups of a table in which no row is bad."""
    every = list(groups(found, group_by=group_by, fill_down=fill_down))
    assert not [each for each in every if isinstance(each, BadRow)]
    return [each for each in every if isinstance(each, Group)]

"""The columns of a table, from the names in its first record."""

from collections.abc import Sequence

from batchgen.manifest.misread import excerpt
from batchgen.manifest.tables.records import WIDEST, TableError


def columns(cells: Sequence[str], name: str) -> tuple[str, ...]:
    """The headers, trimmed, their line breaks made blanks; empty ones at the end are no columns.

    Raises:
        TableError: there is none, one is empty or stands twice, or there are too many.
    """
    headers = [" ".join(cell.replace("\ufeff", "").split()) for cell in cells]
    while headers and not headers[-1]:
        headers.pop()
    if not headers:
        raise TableError(f"`{name}` has no header: its first row names the columns")
    if len(headers) > WIDEST:
        raise TableError(f"`{name}` has {len(headers):,} columns; {WIDEST:,} at most are read")
    first: dict[str, int] = {}
    for at, header in enumerate(headers):
        if not header:
            raise TableError(f"column {letters(at)} of `{name}` has no header", "name it in the first row")
        if header in first:
            both = f"columns {letters(first[header])} and {letters(at)}"
            raise TableError(f"{both} of `{name}` are both named `{excerpt(header)}`", "rename one of them")
        if "\0" in header:
            raise TableError(f"the header of column {letters(at)} of `{name}` holds a NUL character")
        first[header] = at
    return tuple(headers)


def letters(at: int) -> str:
    """A column as spreadsheets call it: 0 is A, 26 is AA."""
    text = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        text = chr(ord("A") + rest) + text
    return text

"""`rejects.csv`: every row of a table that cannot be used, with its reason: a table to mend and use again."""

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from batchgen.manifest.tables import BadRow

NAME: Final = "rejects.csv"

_OURS: Final = ("row", "id", "reason")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class Rejects:
    """Writes bad rows as they come, and the file appears at the end; without any there is none.

    Its columns are the row's number, its id, the reason, and then the row as it was under the table's own headers. It
    has a byte order mark, so that a spreadsheet reads it as it is. A file of an earlier run is replaced or taken away.
    """

    def __init__(self, path: Path, columns: Sequence[str], *, separator: str = ",") -> None:
        self.path = path
        self.count = 0
        self._columns = columns
        self._separator = separator
        self._part = path.with_name(f".{path.name}.part")

    def __enter__(self) -> Self:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._part, flags, 0o600)
        self._file = os.fdopen(descriptor, "w", encoding="utf-8-sig", errors="backslashreplace", newline="")
        self._writer = csv.writer(self._file, delimiter=self._separator)
        self._writer.writerow([*_OURS, *self._columns])
        return self

    def add(self, bad: BadRow) -> None:
        """Write one row."""
        self.count += 1
        self._writer.writerow([bad.number, _harmless(bad.id), _harmless(bad.reason), *bad.cells])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file:
            self._file.flush()
            os.fsync(self._file.fileno())
        if self.count:
            self._part.replace(self.path)
        else:
            self._part.unlink(missing_ok=True)
            self.path.unlink(missing_ok=True)


def _harmless(text: str) -> str:
    """A text of ours that no spreadsheet takes for a formula. The user's own cells stay as they are."""
    return f"'{text}" if text.startswith(_FORMULA) else text

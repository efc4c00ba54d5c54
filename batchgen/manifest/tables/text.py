"""The lines of a text table: decoded, their ends made line feeds, never more at once than a record may have."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from batchgen.manifest.tables.opening import opened
from batchgen.manifest.tables.records import MOST, TableError


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file of text: where it lies, how messages name it, how it is packed and encoded."""

    path: Path
    name: str
    packed: bool
    encoding: str

    def lines(self, errors: str = "strict") -> "Lines":
        """Its lines from the beginning."""
        stream = opened(self.path, self.name, packed=self.packed)
        return Lines(io.TextIOWrapper(stream, encoding=self.encoding, errors=errors), self.name)


class Lines(Iterator[str]):
    """Lines one by one. `count` are those read; set `size` to 0 where a record ends, and see whether `nul` was met."""

    def __init__(self, stream: io.TextIOWrapper, name: str) -> None:
        self.count = 0
        self.size = 0
        self.last = ""
        self.nul = False
        self._stream = stream
        self._read = stream.readline
        self._name = name

    def __next__(self) -> str:
        line = self._read(MOST + 1)
        if not line:
            raise StopIteration
        self.count += 1
        self.size += len(line)
        if self.size > MOST:
            raise TableError(
                f"`{self._name}` has a record of more than {MOST:,} characters that begins on line {self.count}"
                if self.size == len(line)
                else f"`{self._name}` has a record of more than {MOST:,} characters that ends on line {self.count}"
            )
        if "\0" in line:
            self.nul = True
        self.last = line
        return line

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

"""JSON lines: one object a line, its values taken as text."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from batchgen.manifest.misread import excerpt
from batchgen.manifest.tables import header
from batchgen.manifest.tables.opening import reading
from batchgen.manifest.tables.records import MOST, BadRow, Record, TableError
from batchgen.manifest.tables.text import TextFile

SAMPLE: Final = 1000
"""Objects whose keys are the columns; a key that first comes later is a mistake in its line."""

_WORDS: Final = {None: "", True: "true", False: "false"}


class _Repeated(ValueError):
    """A key stands twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Repeated
    return found


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=str, parse_int=str, parse_constant=str, strict=False
)


@dataclass(frozen=True, slots=True)
class Objects:
    """A file of JSON lines."""

    file: TextFile

    def header(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The columns: keys of the first objects in the order in which they come, but for those that hold no text.

        Those are named beside: keys whose first value is a list or an object. Their values are not read.
        """
        is_nested: dict[str, bool | None] = {}
        size = 0
        for index, (_, found) in enumerate(self._lines()):
            if index == SAMPLE or size > MOST:
                break
            if isinstance(found, str):
                continue
            size += sum(map(len, found))
            for key, value in found.items():
                if is_nested.get(key) is None:
                    is_nested[key] = None if value is None else isinstance(value, (list, dict))
        if not is_nested:
            raise TableError(f"`{self.file.name}` holds no object in its first lines", "write one {…} a line")
        return tuple(key for key, yes in is_nested.items() if not yes), tuple(
            key for key, yes in is_nested.items() if yes
        )

    def records(self) -> Iterator[Record | BadRow]:
        """Its objects as records; `number` is the line. TableError when it is not UTF-8."""
        columns, nested = self.header()
        known = frozenset((*columns, *nested))
        for number, found in self._lines():
            if isinstance(found, str):
                yield BadRow(number, found)
            elif extra := next((key for key in found if key not in known), None):
                yield BadRow(number, f"its key `{excerpt(extra)}` stands in none of the first {SAMPLE:,} lines")
            else:
                yield _record(number, found, columns)

    def columns(self) -> tuple[str, ...]:
        """The columns, held against the rules of headers. TableError when they break them."""
        keys, _ = self.header()
        found = header.columns(keys, self.file.name)
        if found != keys:
            raise TableError(f"a key of `{self.file.name}` has blanks around it, or is empty", "rename it")
        return found

    def _lines(self) -> Iterator[tuple[int, dict[str, Any] | str]]:
        """Each line's number from 1, with its object or what is wrong with it."""
        name = self.file.name
        with reading(name), closing(self.file.lines()) as lines:
            try:
                for line in lines:
                    lines.size = 0
                    if line.strip():
                        yield lines.count, _decoded(line)
            except UnicodeError:
                raise TableError(f"line {lines.count + 1} of `{name}`, or one soon after, is not UTF-8") from None


def _decoded(line: str) -> dict[str, Any] | str:
    try:
        found = _DECODER.decode(line)
    except _Repeated:
        return "a key stands twice in it"
    except (ValueError, RecursionError):
        return "it is no JSON object; a table of objects has one {…} a line"
    return found if isinstance(found, dict) else "it is JSON, and no object; a table of objects has one {…} a line"


def _record(number: int, found: dict[str, Any], columns: tuple[str, ...]) -> Record | BadRow:
    cells = []
    for column in columns:
        value = found.get(column)
        if isinstance(value, (list, dict)):
            return BadRow(number, f"`{excerpt(column)}` holds a list or an object, and a cell is text")
        text = value if isinstance(value, str) else _WORDS[value]
        if "\0" in text or not _is_unicode(text):
            return BadRow(number, f"`{excerpt(column)}` holds a NUL or half a character")
        cells.append(text)
    return Record(number, cells)


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)

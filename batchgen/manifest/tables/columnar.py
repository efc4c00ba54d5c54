"""Parquet, through pyarrow if it is there: columns of plain values, read in batches."""

import importlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, BinaryIO, Final

from batchgen.manifest.misread import excerpt
from batchgen.manifest.tables import header
from batchgen.manifest.tables.opening import opened, reading
from batchgen.manifest.tables.records import MOST, BadRow, Record, TableError

_BATCH: Final = 500
_LARGEST_GROUP: Final = 1024**3
"""Bytes of one row group, unpacked: parquet is read a row group at a time."""
_CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Columnar:
    """A parquet file."""

    path: Path
    name: str
    packed: bool

    def header(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The columns that hold plain values, and those that hold lists, structures or bytes, which are not read."""
        arrow, parquet = _arrow()
        with self._open(arrow, parquet) as file:
            schema = file.schema_arrow
            plain = tuple(field.name for field in schema if _is_plain(arrow, field.type))
            nested = tuple(field.name for field in schema if not _is_plain(arrow, field.type))
        if plain and header.columns(plain, self.name) != plain:
            raise TableError(f"a column of `{self.name}` has blanks around its name, or none", "rename it")
        if not plain:
            raise TableError(f"`{self.name}` has no column of plain values")
        return plain, nested

    def records(self) -> Iterator[Record | BadRow]:
        """Its rows, numbered from 1."""
        columns, _ = self.header()
        arrow, parquet = _arrow()
        number = 0
        with self._open(arrow, parquet) as file:
            batches = file.iter_batches(batch_size=_BATCH, columns=list(columns), use_threads=False)
            while True:
                try:
                    batch = next(batches, None)
                    rows = [] if batch is None else list(zip(*map(_cells, batch.columns), strict=True))
                except (arrow.ArrowException, OSError, ValueError, OverflowError):
                    raise TableError(f"`{self.name}` is damaged below its row {number}") from None
                if batch is None:
                    return
                for number, cells in enumerate(rows, start=number + 1):  # noqa: B020  # it goes on where it was
                    yield _checked(number, cells, columns)

    @contextmanager
    def _open(self, arrow: Any, parquet: Any) -> Iterator[Any]:
        with self._unpacked() as stream:
            try:
                file = parquet.ParquetFile(stream, memory_map=False, pre_buffer=False)
                found = file.metadata
                sizes = [found.row_group(at).total_byte_size for at in range(found.num_row_groups)]
            except (arrow.ArrowException, OSError, ValueError):
                raise TableError(f"`{self.name}` is no parquet file, or a damaged one") from None
            if max(sizes, default=0) > _LARGEST_GROUP:
                raise TableError(f"`{self.name}` has a row group of more than 1 GiB", "write it in smaller row groups")
            yield file

    @contextmanager
    def _unpacked(self) -> Iterator[BinaryIO]:
        """The file itself, or a nameless copy unpacked: parquet is read from its end."""
        with opened(self.path, self.name, packed=self.packed) as stream:
            if not self.packed:
                yield stream
                return
            with tempfile.TemporaryFile() as copy:
                with reading(self.name):
                    while chunk := stream.read(_CHUNK):
                        copy.write(chunk)
                copy.seek(0)
                yield copy


def _arrow() -> tuple[Any, Any]:
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise TableError("parquet needs pyarrow", "pip install 'batchgen[parquet]'") from None


def _is_plain(arrow: Any, kind: Any) -> bool:
    known = arrow.types
    if known.is_dictionary(kind):
        return _is_plain(arrow, kind.value_type)
    is_text = known.is_string(kind) or known.is_large_string(kind) or known.is_string_view(kind)
    is_number = known.is_integer(kind) or known.is_floating(kind) or known.is_decimal(kind)
    is_other = known.is_boolean(kind) or known.is_temporal(kind) or known.is_null(kind)
    return bool(is_text or is_number or (is_other and not known.is_duration(kind) and not known.is_interval(kind)))


def _cells(column: Any) -> list[str]:
    return [_text(value) for value in column.to_pylist()]


def _text(value: Any) -> str:
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return str(value)


def _checked(number: int, cells: tuple[str, ...], columns: tuple[str, ...]) -> Record | BadRow:
    if sum(map(len, cells)) > MOST:
        return BadRow(number, f"it has more than {MOST:,} characters")
    if bad := next((column for column, cell in zip(columns, cells, strict=True) if "\0" in cell), None):
        return BadRow(number, f"`{excerpt(bad)}` holds a NUL character", "", cells)
    return Record(number, cells)

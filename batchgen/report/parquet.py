"""A table as Parquet, with a type for each column, written group by group."""

import importlib
from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO, Final

from batchgen.errors import SettingsError
from batchgen.report.sheet import Kind, Row, Sheet

GROUP_ROWS: Final = 10_000
"""Rows held at once, and written as one group."""


def write(sheet: Sheet, file: BinaryIO) -> int:
    """Write a table; returns the number of its rows.

    Raises:
        SettingsError: pyarrow is not installed.
    """
    try:
        pa, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise SettingsError("Parquet needs pyarrow: pip install 'batchgen[parquet]'; or name a .csv file") from None
    kinds: dict[Kind, Any] = {
        "text": pa.string(),
        "texts": pa.list_(pa.string()),
        "whole": pa.int64(),
        "dollars": pa.float64(),
        "truth": pa.bool_(),
    }
    schema, count = pa.schema([(each.name, kinds[each.kind]) for each in sheet.columns]), 0
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for group in _groups(sheet):
            arrays = [
                pa.array([_plain(column.cell(row)) for row in group], kinds[column.kind]) for column in sheet.columns
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            count += len(group)
    return count


def _groups(sheet: Sheet) -> Iterator[list[Row]]:
    waiting = iter(sheet.rows)
    while group := list(islice(waiting, GROUP_ROWS)):
        yield group


def _plain(value: Any) -> Any:
    """The value; of text what UTF-8 can hold."""
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value

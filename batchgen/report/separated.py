"""A table as CSV (RFC 4180): UTF-8 without a mark, lines that end in CR LF, text from outside never a formula."""

import csv
import io
import json
from typing import Any, BinaryIO, Final

from batchgen.report.sheet import Column, Sheet

FORMULA: Final = frozenset("=+-@\t\r\uff1d\uff0b\uff0d\uff20")
"""First characters that make a spreadsheet reckon with a cell (OWASP, CSV injection), in their wide forms too."""


def write(sheet: Sheet, file: BinaryIO) -> int:
    """Write a table; returns the number of its rows."""
    text, count = io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline=""), 0
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([each.name for each in sheet.columns])
    for count, row in enumerate(sheet.rows, start=1):  # noqa: B007  # the count is what is wanted
        writer.writerow([_cell(each, each.cell(row)) for each in sheet.columns])
    text.detach()
    return count


def guarded(text: str) -> str:
    """The text as a spreadsheet shows it and does not obey it."""
    return f"'{text}" if text[:1] in FORMULA else text


def _cell(column: Column, value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.6f}".rstrip("0").rstrip(".")
        case list():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return guarded(str(value)) if column.outside else str(value)

"""What stands between the cells of a table: found from its first record, or named by the manifest."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

KNOWN: Final[Mapping[str, str]] = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}

_NAMED: Final = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "pipe": "|", "bar": "|"}


def separator(text: str) -> str:
    """The character that a manifest means: itself, or `tab`, `comma`, `semicolon`, `pipe`. ValueError if none."""
    char = _NAMED.get(text.strip().lower() or text, text)
    if len(char) != 1 or char.isalnum() or char in "\"'\r\n\0":
        raise ValueError("a separator is one character such as `;`, or tab, comma, semicolon or pipe")
    return char


def found(head: str) -> str | None:
    """The separator of a table, from the beginning of its text; None when its first record has only one cell.

    What stands in quotes does not count. Of two that the header holds equally often, the one that the second record
    holds as often wins.
    """
    header, second = _two_records(head)
    if not header:
        return None
    most = max(header.values())
    best = [char for char in KNOWN if header[char] == most]
    return min(best, key=lambda char: (abs(second[char] - most), "\t;|,".index(char)))


def _two_records(text: str) -> tuple[Counter[str], Counter[str]]:
    """How often each separator stands in the first two records that are not blank."""
    records: list[Counter[str]] = []
    counts: Counter[str] = Counter()
    is_quoted, is_blank = False, True
    for char in text:
        if char == '"':
            is_quoted = not is_quoted
        if char in "\r\n" and not is_quoted:
            if not is_blank:
                records.append(counts)
            if len(records) == 2:
                break
            counts, is_blank = Counter(), True
            continue
        is_blank = is_blank and char.isspace()
        if char in KNOWN and not is_quoted:
            counts[char] += 1
            is_blank = False
    else:
        records.append(counts)
    return (*records, Counter(), Counter())[0], (*records, Counter(), Counter())[1]

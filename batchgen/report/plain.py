"""Text from outside made harmless and measured: nothing in it can move a cursor, hide a word or show a secret."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final
from unicodedata import category, east_asian_width

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Control, format (bidi, zero width, tags), lone surrogates, line and paragraph separators."""

_SECRETS: Final = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[^\s\"',;]+"), r"\1 ***"),
    (
        re.compile(r"(?i)\b((?:x-)?api[-_ ]?key|authorization|token|secret|password)(\s*[=:]\s*)(?!\*)[^\s\"',;&]+"),
        r"\1\2***",
    ),
    (re.compile(r"\b(sk|pk|rk)([-_])[A-Za-z0-9_-]{12,}"), r"\1\2***"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{10,}(\.[A-Za-z0-9_-]+)*"), "***"),
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@?#]*@"), r"\1***@"),
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s?#\"'<>]*)[?#][^\s\"'<>]*"), r"\1?***"),
)
"""Credentials as they appear in headers, settings and addresses; and whatever follows the path of a URL."""


def visible(text: str) -> str:
    r"""The text with every character that a terminal might obey, or hide, spelled out: `\x1b`, `\u202e`."""
    if text.isprintable():
        return text
    return "".join(_spelled(each) if category(each) in _HIDDEN else each for each in text)


def redact(text: str) -> str:
    """The text without credentials and without the query or fragment of any URL."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def harmless(text: str) -> str:
    """One line from outside, fit to be shown to people."""
    return visible(redact(text))


def line(value: dict[str, Any]) -> str:
    """A JSON line of plain ASCII, which no terminal obeys."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n"


def columns(text: str) -> int:
    """How many columns a terminal needs for visible text; rather one too many than one too few."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def fit(text: str, most: int, most_bytes: int = 1 << 30) -> str:
    """The text, cut with an ellipsis if it needs more than `most` columns or `most_bytes` bytes of UTF-8."""
    if columns(text) <= most and len(_bytes(text)) <= most_bytes:
        return text
    return _head(text, most - 1, most_bytes - 3) + "…" if most > 0 else ""


def cell(text: str, wide: int) -> str:
    """The text in exactly `wide` columns: cut, or filled up with spaces."""
    shown = fit(text, wide)
    return shown + " " * (wide - columns(shown))


def fit_end(text: str, most: int) -> str:
    """Like `fit`, but it is the end of the text that stays: the end of a path says more than its beginning."""
    return text if columns(text) <= most else "…" + _head(text[::-1], most - 1, 1 << 30)[::-1]


def wrapped(text: str, most: int) -> Iterator[str]:
    """The text in lines of at most `most` columns, broken between words, and inside those that are wider."""
    line = ""
    for word in text.split():
        if line and columns(line) + 1 + columns(word) <= most:
            line += f" {word}"
            continue
        if line:
            yield line
        line = word
        while columns(line) > most:
            head = _head(line, most, 1 << 30) or line[0]
            yield head
            line = line[len(head) :]
    if line:
        yield line


def _head(text: str, most: int, most_bytes: int) -> str:
    for index, each in enumerate(text):
        most -= _columns(each)
        most_bytes -= len(_bytes(each))
        if most < 0 or most_bytes < 0:
            return text[:index]
    return text


def _columns(character: str) -> int:
    if character == "\N{VARIATION SELECTOR-16}":  # turns the character before it into a wide emoji
        return 1
    if category(character) in {"Mn", "Me"}:
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def _spelled(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")

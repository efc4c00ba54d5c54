"""Where in a template something stands, of which Jinja knows the line only."""

import re
from typing import Final

_TAG: Final = re.compile(r"\{\{.*?(?:\}\}|\Z)|\{%.*?(?:%\}|\Z)|\{#.*?(?:#\}|\Z)", re.DOTALL)
_BREAK: Final = re.compile(r"\r\n|\r|\n")


class Spots:
    """Offsets in one text, from 0."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = [0, *(found.end() for found in _BREAK.finditer(text))]

    def of(self, line: int, word: str) -> int:
        """Where a word stands inside a tag, in this line (from 1) or below; the line's first tag if it is not there."""
        start = self._lines[min(line, len(self._lines)) - 1]
        tags = [(max(tag.start(), start), tag.end()) for tag in _TAG.finditer(self._text) if tag.end() > start]
        if word:
            pattern = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")
            for begin, end in tags:
                if found := pattern.search(self._text, begin, end):
                    return found.start()
        return tags[0][0] if tags else start

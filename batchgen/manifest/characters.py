r"""Characters that the parser reads otherwise than YAML 1.2 and JSON do.

JSON writes a character beyond U+FFFF as two `\u` escapes, which the parser refuses; and the parser takes U+0085,
U+2028 and U+2029 for line ends, which are ordinary characters by now.
"""

import re
from bisect import bisect_left
from typing import Any, Final

_PAIR: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_ENDS: Final = "\x85\u2028\u2029"
_PRIVATE: Final = (*range(0xE000, 0xF900), *range(0xF0000, 0xFFFFE))


class StandIns:
    r"""A text that the parser reads rightly, in which every place is where it was.

    A pair has become one `\U` escape, made as long by a character that the text does not hold; other such characters
    stand for the three line ends. `restored` undoes that in what the parser found, and where backslashes mean nothing
    (outside double quotes) the pairs too.
    """

    def __init__(self, text: str) -> None:
        free = (char for char in map(chr, _PRIVATE) if char not in text)
        self._pad = next(free) * 2
        self._ends = {next(free): end for end in _ENDS}
        self._was: list[tuple[int, str]] = []
        there = str.maketrans({end: char for char, end in self._ends.items()})
        self._back = str.maketrans(self._ends)
        self.text = _PAIR.sub(self._join, text).translate(there)

    @classmethod
    def of(cls, text: str) -> "StandIns | None":
        """None when the text needs none."""
        return cls(text) if _PAIR.search(text) or any(end in text for end in _ENDS) else None

    def restored(self, event: Any) -> str:
        """What a scalar event says, as it was meant."""
        text = str(event.value).translate(self._back)
        if self._pad not in text or event.style == '"':
            return text.replace(self._pad, "")
        first = bisect_left(self._was, (event.start_mark.index, ""))
        inside = iter(self._was[first:])
        return re.sub(r"\\U[0-9A-F]{8}" + self._pad, lambda _: next(inside)[1], text)

    def _join(self, found: re.Match[str]) -> str:
        point = 0x10000 + ((int(found[2], 16) & 0x3FF) << 10) + (int(found[3], 16) & 0x3FF)
        self._was.append((found.end(1), found[0][len(found[1]) :]))
        return f"{found[1]}\\U{point:08X}{self._pad}"

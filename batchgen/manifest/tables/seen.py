"""Which keys have been met, and in which row: sixteen bytes a key, or so, whatever the keys are."""

from array import array
from typing import Final

_FULL: Final = 0.6
_MASK: Final = (1 << 64) - 1


class Seen:
    """Keys by a hash of 64 bits. Two keys of a million share one with a chance of 1 in 30 million."""

    def __init__(self) -> None:
        self._hashes = array("Q", bytes(8 * 1024))
        self._rows = array("I", bytes(4 * 1024))
        self._count = 0

    def row(self, key: str, row: int) -> int | None:
        """The row in which a key was met before, None when it is new; then it is met now."""
        if self._count > _FULL * len(self._hashes):
            self._grow()
        code = (hash(key) & _MASK) or 1
        at = self._slot(code)
        if self._hashes[at]:
            return self._rows[at]
        self._hashes[at], self._rows[at] = code, row
        self._count += 1
        return None

    def _slot(self, code: int) -> int:
        hashes, mask = self._hashes, len(self._hashes) - 1
        at = code & mask
        while hashes[at] not in (0, code):
            at = (at + 1) & mask
        return at

    def _grow(self) -> None:
        hashes, rows = self._hashes, self._rows
        self._hashes, self._rows = array("Q", bytes(16 * len(hashes))), array("I", bytes(8 * len(hashes)))
        for code, row in zip(hashes, rows, strict=True):
            if code:
                at = self._slot(code)
                self._hashes[at], self._rows[at] = code, row

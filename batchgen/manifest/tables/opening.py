"""A table's bytes: a regular file, unpacked within bounds, and told from what only looks like a table."""

import gzip
import io
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from batchgen.manifest.tables.records import TableError

HEAD: Final = 64 * 1024
"""Bytes that are looked at before a table is read."""

_LARGEST: Final = 16 * 1024**3
"""Bytes that a packed table may have when unpacked."""
_SUSPECT: Final = 64 * 1024**2
_RATIO: Final = 200

_CSV_UTF8: Final = "save it as CSV UTF-8 and name that file"
_MAGIC: Final = (
    (b"PK\x03\x04", "an Excel or LibreOffice workbook, or another archive", _CSV_UTF8),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", _CSV_UTF8),
    (b"\x1f\x8b", "packed with gzip", "let its name end in .gz"),
    (b"PAR1", "parquet", "let its name end in .parquet"),
    (b"%PDF", "a PDF document", _CSV_UTF8),
    (b"SQLite format 3", "a database", _CSV_UTF8),
)
_PAGES: Final = (b"<!doctype", b"<html", b"<?xml")


class _Unpacked(io.RawIOBase):
    """What gzip makes of a file, as long as it stays in proportion."""

    def __init__(self, packed: BinaryIO, name: str) -> None:
        self._packed = packed
        self._name = name
        self._stream = gzip.GzipFile(fileobj=packed, mode="rb")
        self._size = 0

    def readable(self) -> bool:
        """It can."""
        return True

    def readinto(self, buffer: object, /) -> int:
        """Some bytes.

        Raises:
            TableError: there are far more of them than a table would have.
        """
        count = self._stream.readinto(buffer)  # type: ignore[arg-type]
        self._size += count
        if self._size > _SUSPECT and self._size > min(_LARGEST, _RATIO * max(self._packed.tell(), 1)):
            raise TableError(f"`{self._name}` unpacks to far more than a table would", "unpack it and look at it")
        return count

    def close(self) -> None:
        """Close the file below."""
        self._stream.close()
        self._packed.close()
        super().close()


def opened(path: Path, name: str, *, packed: bool) -> BinaryIO:
    """The bytes of a table, unpacked.

    Raises:
        TableError: there is no such file, or it is none that can be read twice.
    """
    try:
        # Not blocking: a pipe in the place of a table must not make the plan wait for somebody to write into it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise TableError(f"`{name}` does not exist") from None
    except (OSError, ValueError) as error:
        raise TableError(f"`{name}` cannot be read: {getattr(error, 'strerror', None) or 'no such name'}") from None
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise TableError(f"`{name}` is {'a folder' if stat.S_ISDIR(mode) else 'no regular file'}")
    file = os.fdopen(descriptor, "rb")
    return io.BufferedReader(_Unpacked(file, name), HEAD) if packed else file


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Tell what breaks in the middle of a file by the name of the table."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise TableError(f"`{name}` is damaged or cut off: gzip cannot unpack it to its end") from None
    except OSError as error:
        raise TableError(f"`{name}` cannot be read: {error.strerror or 'the disk failed'}") from None


def check_head(head: bytes, name: str) -> None:
    """TableError when a file that should be text is something else that we know."""
    for magic, what, hint in _MAGIC:
        if head.startswith(magic):
            raise TableError(f"`{name}` is {what}, not text", hint)
    if head.lstrip()[:16].lower().startswith(_PAGES):
        raise TableError(f"`{name}` is a web page, not a table", "download it again; was it the page of a login?")

"""Files that a manifest names: they start at its folder and end inside it, links followed; nothing else is opened."""

import glob
import itertools
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from batchgen.manifest.problems import one_edit_away

_ELSEWHERE: Final = re.compile(r"[/~]|[A-Za-z]:[\\/]")
_LISTED: Final = 10_000
_PIECE: Final = 1024 * 1024


def real_path(root: Path, text: str) -> Path:
    """The file that a text names, links followed. ValueError with a sentence that begins with its name."""
    if _ELSEWHERE.match(text):
        raise ValueError(f"`{text}` does not start at the manifest's folder; write it without what stands in front")
    outside = f"`{text}` ends outside the manifest's folder"
    if os.path.normpath(text).split(os.sep, 1)[0] == "..":
        raise ValueError(outside)
    try:
        real = (root / text).resolve(strict=True)
        if not real.is_relative_to(root.resolve(strict=True)):
            raise ValueError(outside)
    except FileNotFoundError:
        raise ValueError(f"`{text}` does not exist{_suggestion(root / text)}") from None
    except (OSError, RuntimeError) as error:
        raise ValueError(f"`{text}` cannot be read: {_reason(error)}") from None
    return real


def contents(root: Path, text: str, *, most: int) -> bytes:
    """The bytes of a file, up to one more than `most`. ValueError with a sentence that begins with its name."""
    real = real_path(root, text)
    try:
        with _opened(real, text) as file:
            return file.read(most + 1)
    except OSError as error:
        raise ValueError(f"`{text}` cannot be read: {_reason(error)}") from None


def _reason(error: OSError | RuntimeError) -> str:
    return getattr(error, "strerror", None) or "its links go round"


def matching(root: Path, pattern: str, *, most: int) -> list[str]:
    """Up to one more than `most` files below the root that fit a pattern, in the order of their names.

    ValueError with a sentence that begins with the pattern. What the pattern's links lead to is checked on reading.
    """
    if _ELSEWHERE.match(pattern) or ".." in pattern.split("/"):
        raise ValueError(f"`{pattern}` does not stay inside the manifest's folder")
    found = glob.iglob(pattern, root_dir=root)
    return sorted(name for name in itertools.islice(found, most + 1) if not os.path.isdir(root / name))


def pieces(root: Path, text: str) -> Iterator[bytes]:
    """The bytes of a file in pieces of a MiB at most. ValueError with a sentence that begins with its name."""
    real = real_path(root, text)
    try:
        with _opened(real, text) as file:
            while piece := file.read(_PIECE):
                yield piece
    except OSError as error:
        raise ValueError(f"`{text}` cannot be read: {_reason(error)}") from None


@contextmanager
def _opened(real: Path, text: str) -> Iterator[BinaryIO]:
    # Not blocking: a pipe in the place of a picture must not make the run wait for somebody to write into it.
    descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise ValueError(f"`{text}` is {'a folder' if stat.S_ISDIR(mode) else 'no regular file'}")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(descriptor)


def _suggestion(path: Path) -> str:
    if "\\" in path.name:
        return "; folders are parted by `/`"
    try:
        with os.scandir(path.parent) as entries:
            names = [entry.name for entry, _ in zip(entries, range(_LISTED), strict=False)]
    except OSError:
        return ""
    near = one_edit_away(path.name, sorted(names))
    return f"; did you mean `{near}`?" if near else ""

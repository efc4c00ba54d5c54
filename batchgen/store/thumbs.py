"""Thumbnails as files, by the hash of their picture: a cache beside the journal that anybody may remove. Blocks.

Nothing here is synced, so a power cut may leave a torn one: it is recognised by its end, and counts as none.
"""

import contextlib
import os
import secrets
from typing import Final

from batchgen.store.names import HOME

KEPT: Final = f"{HOME}/thumbs"
"""Where thumbnails are kept within a batch folder."""

_PART: Final = ".part"
_BEGINS: Final = b"\xff\xd8"
_ENDS: Final = b"\xff\xd9"


def shard(sha256: str) -> str:
    """The name of a thumbnail within its folder, by its picture's hash; not more than some hundred share a folder."""
    return f"{sha256[:2]}/{sha256}.jpg"


def place(root: str, sha256: str) -> str:
    """Where the thumbnail of a picture is kept within a batch folder, or would be."""
    return f"{root}/{KEPT}/{shard(sha256)}"


def whole(path: str) -> bytes:
    """A thumbnail that was kept; empty when there is none, or a torn one."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return b""
    return data if data.startswith(_BEGINS) and data.endswith(_ENDS) else b""


def keep(path: str, data: bytes) -> None:
    """Keep a thumbnail, if that can be; a place that cannot be written only costs time later."""
    with contextlib.suppress(OSError):
        put(path, data)


def put(path: str, data: bytes) -> None:
    """Write a thumbnail whole under its name, or not at all.

    Raises:
        OSError: the place could not be written.
    """
    shelf = os.path.dirname(path)
    part = f"{os.path.dirname(shelf)}/{secrets.token_hex(4)}{_PART}"  # above the shelves, where `tidy` looks
    try:
        try:
            _write(part, path, data)
        except FileNotFoundError:  # the first of its shelf
            os.makedirs(shelf, mode=0o700, exist_ok=True)
            _write(part, path, data)
    except OSError:
        forget(part)
        raise


def forget(path: str) -> None:
    """Remove a thumbnail, if there is one."""
    with contextlib.suppress(OSError):
        os.unlink(path)


def _write(part: str, path: str, data: bytes) -> None:
    with open(part, "wb") as file:
        file.write(data)
    os.replace(part, path)


def tidy(root: str) -> None:
    """Remove what whoever was killed while writing left in a batch folder; who writes just now only loses one."""
    kept = f"{root}/{KEPT}"
    with contextlib.suppress(OSError):
        for name in os.listdir(kept):
            if name.endswith(_PART):
                forget(f"{kept}/{name}")

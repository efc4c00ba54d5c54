"""How much room is left where pictures and the journal land, and whether that is enough to buy more. Blocks."""

import os
from collections.abc import Iterable
from typing import Final

_MEGABYTE: Final = 1024 * 1024
_LEAST_BYTES: Final = 256 * _MEGABYTE
_PICTURE_BYTES: Final = 4 * _MEGABYTE
_SHARE: Final = 20
"""On a small volume a twentieth of it is enough."""


def floor_bytes(in_flight: int) -> int:
    """What is to stay free for pictures that are paid for and on their way."""
    return max(_LEAST_BYTES, in_flight * _PICTURE_BYTES)


def free_bytes(folder: str) -> int | None:
    """The room that is left for us in a folder, or in the nearest one above it that is there; None when not told."""
    while not os.path.isdir(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize


def shortage(folders: Iterable[str], floor: int) -> str:
    """Which of these folders has less than `floor` bytes left, in words; nothing when none has."""
    for folder in folders:
        found = os.statvfs(folder)
        free = found.f_bavail * found.f_frsize
        kept = min(floor, found.f_blocks * found.f_frsize // _SHARE)
        if free < kept:
            return (
                f"{folder} has {free // _MEGABYTE:,} MB left, of {kept // _MEGABYTE:,} MB that are kept free; make room"
            )
    return ""

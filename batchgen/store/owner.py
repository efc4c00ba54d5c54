"""Whose pictures a folder holds, and where they are if not in it. Blocks.

One journal per place, or two would buy and place the same pictures.
"""

import contextlib
import os
from typing import Final

from batchgen.errors import Foreign, SettingsError
from batchgen.store.address import address
from batchgen.store.names import HOME, new_part

NAME: Final = "owner"
KEPT: Final = "store"
"""The file of a batch folder that holds the address of its pictures, if they are kept elsewhere."""

_LONGEST: Final = 2048


def owner(folder: str) -> str | None:
    """The batch id of the journal that a folder of pictures belongs to, None before the first."""
    return _read(folder, NAME)


def claim(folder: str, batch_id: str) -> None:
    """Mark a folder of pictures as that of one journal, durably; callable again.

    Raises:
        Foreign: it is another journal's.
        OSError: it cannot be written.
    """
    if owner(folder) is None:
        _mark(folder, NAME, batch_id)
    if (known := owner(folder)) != batch_id:
        raise Foreign(
            f"The pictures in {folder} belong to another journal (batch {known}), not to this one (batch {batch_id});"
            " name that journal with --journal, or another folder with --outputs."
        )


def remember(folder: str, url: str) -> None:
    """Keep with a batch folder where its pictures are, durably, before the first one is bought; callable again.

    Raises:
        OSError: it cannot be written.
    """
    if _read(folder, KEPT) is None:
        _mark(folder, KEPT, url)


def kept_in(folder: str, wanted: str = "") -> str:
    """The address of a batch's pictures: what is remembered, or else its own place in the `wanted` one.

    Empty when they are kept in the folder itself.

    Raises:
        SettingsError: what is wanted is no address, or the pictures are in another place.
    """
    known = _read(folder, KEPT)
    place = str(address(wanted).below(os.path.basename(folder))) if wanted else ""
    if known is None and (not place or owner(folder) is None):
        return place
    if place and place != known:
        raise SettingsError(
            f"the pictures of this batch are kept in {known or folder}, not in {place}; leave --store out, or move them"
            f" and write their address into {os.path.join(folder, HOME, KEPT)}"
        )
    return str(address(known)) if known else ""


def _read(folder: str, name: str) -> str | None:
    try:
        with open(os.path.join(folder, HOME, name), encoding="utf-8", errors="replace") as file:
            return file.read(_LONGEST).strip()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _mark(folder: str, name: str, text: str) -> None:
    part = os.path.join(folder, new_part(0))  # of no job: if we are killed, a sweep removes it
    path = os.path.join(folder, HOME, name)
    os.makedirs(os.path.dirname(part), mode=0o700, exist_ok=True)
    descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, f"{text}\n".encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        with contextlib.suppress(FileExistsError):  # somebody else was faster, who may be us
            os.link(part, path)
    finally:
        os.unlink(part)
    above = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(above)
    finally:
        os.close(above)

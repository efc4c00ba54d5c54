"""Whose pictures a folder holds: one journal per folder, or two would buy and place the same pictures. Blocks."""

import contextlib
import os
from typing import Final

from batchgen.errors import Foreign
from batchgen.store.names import HOME, new_part

NAME: Final = "owner"


def owner(folder: str) -> str | None:
    """The batch id of the journal that a folder of pictures belongs to, None before the first."""
    try:
        with open(_path(folder), encoding="ascii", errors="replace") as file:
            return file.read(64).strip()
    except FileNotFoundError:
        return None


def claim(folder: str, batch_id: str) -> None:
    """Mark a folder of pictures as that of one journal, durably; callable again.

    Raises:
        Foreign: it is another journal's.
        OSError: it cannot be written.
    """
    if owner(folder) is None:
        _mark(folder, batch_id)
    if (known := owner(folder)) != batch_id:
        raise Foreign(
            f"The pictures in {folder} belong to another journal (batch {known}), not to this one (batch {batch_id});"
            " name that journal with --journal, or another folder with --outputs."
        )


def _mark(folder: str, batch_id: str) -> None:
    part = os.path.join(folder, new_part(0))  # of no job: if we are killed, a sweep removes it
    os.makedirs(os.path.dirname(part), mode=0o700, exist_ok=True)
    descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, f"{batch_id}\n".encode("ascii"))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        with contextlib.suppress(FileExistsError):  # somebody else was faster, who may be us
            os.link(part, _path(folder))
    finally:
        os.unlink(part)
    above = os.open(os.path.dirname(_path(folder)), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(above)
    finally:
        os.close(above)


def _path(folder: str) -> str:
    return os.path.join(folder, HOME, NAME)

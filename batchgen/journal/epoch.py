"""How far a journal had come, kept beside it, so that an old copy put back in its place is noticed."""

import json
import os
from typing import Final

from batchgen.errors import Damaged, Foreign
from batchgen.journal.schema import sync_folder

EVERY_SECONDS: Final = 1.0
"""It is rewritten at most this often, and at the end of a run."""

_NAME: Final = "epoch"


def write(folder: str, run: int, milestones: int) -> None:
    """Say that this run and this many milestones were reached; whole or not at all."""
    path = os.path.join(folder, _NAME)
    descriptor = os.open(f"{path}.new", os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, json.dumps({"milestones": milestones, "run": run}).encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(f"{path}.new", path)
    sync_folder(folder)


def check(folder: str, run: int, milestones: int) -> None:
    """Refuse a journal that is behind what had been reached; 0 and 0 stand for a journal that is not there.

    Raises:
        Foreign: an old copy, or none where there was one.
        Damaged: what had been reached cannot be read.
    """
    known = _read(os.path.join(folder, _NAME))
    if known is None or (run >= known[0] and milestones >= known[1]):
        return
    if run == 0:
        raise Foreign(
            f"The journal in {folder} is gone, though {known[0]} runs have written it; put it back, or remove the whole"
            " folder to buy everything anew."
        )
    raise Foreign(
        f"The journal in {folder} is an older copy: it ends at run {run} with {milestones} milestones, run {known[0]}"
        f" with {known[1]} was reached. Put the newest one back; or `batchgen verify --accept-old-copy` puts every job"
        " that may have been sent since in doubt, and goes on."
    )


def _read(path: str) -> tuple[int, int] | None:
    try:
        with open(path, encoding="utf-8") as file:
            known = json.load(file)
        return int(known["run"]), int(known["milestones"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Damaged(f"{path} cannot be read; remove it only if the journal beside it is the newest one.") from error

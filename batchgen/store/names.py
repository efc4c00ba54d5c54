"""What a name in a store may be, and how parts are named; nothing here touches a file."""

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from batchgen.errors import SettingsError
from batchgen.store import Slot

HOME: Final = ".batchgen"
"""The folder that belongs to us in every batch folder."""

PARTS: Final = f"{HOME}/parts"

_COMPONENT_BYTES: Final = 255
_STEM_BYTES: Final = 220
"""Leaves room for a picture's number, `~` with 16 digits and an extension."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_PART: Final = re.compile(
    r"\.(\d{1,19})\.(?:(\d{1,4})-(\d{1,4})\.)?(?:([0-9a-f]{64})\.)?([0-9a-f]{64})\.part", re.ASCII
)
_TORN: Final = re.compile(r"\.(\d{1,19})\.[0-9a-f]{16}\.part", re.ASCII)


@dataclass(frozen=True, slots=True)
class Proof:
    """What the name of a finished part says: whose picture it is, the hash of its bytes, and of those received."""

    job: int
    index: int
    of: int
    sha256: str
    received: str


def checked(name: str) -> str:
    """Return `name` if it stays below the store's root, whatever lies there.

    Raises:
        SettingsError: it is absolute, empty, climbs, is too long for a file system, or holds a control character.
    """
    if name.startswith("/") or any(component in {"", ".", ".."} for component in name.split("/")):
        raise SettingsError(f"{name!r} is no name inside the batch folder; mend the output path")
    if _CONTROL.search(name):
        raise SettingsError(f"{name!r} holds a control character; mend the output path")
    if len(name) <= _COMPONENT_BYTES and name.isascii():
        return name
    try:
        longest = max(len(component.encode("utf-8", "surrogateescape")) for component in name.split("/"))
    except UnicodeEncodeError:
        raise SettingsError(f"{name!r} cannot be written as a file name; mend the output path") from None
    if longest > _COMPONENT_BYTES:
        raise SettingsError(f"{name!r} has a part of more than {_COMPONENT_BYTES} bytes; shorten the output path")
    return name


def checked_stem(stem: str) -> str:
    """Return `stem` if a picture may be stored under it: a checked name outside our own folder.

    Raises:
        SettingsError: it may not, or its last component leaves no room for what is added to it.
    """
    checked(stem)
    if stem.split("/", 1)[0].casefold() == HOME:
        raise SettingsError(f"{stem!r} lies in {HOME}, which belongs to batchgen; choose another output path")
    if len(stem.rsplit("/", 1)[-1].encode("utf-8", "surrogateescape")) > _STEM_BYTES:
        raise SettingsError(f"{stem!r} ends in more than {_STEM_BYTES} bytes; shorten the output path")
    return stem


def stem_of(slot: Slot) -> str:
    """The stem of one picture: the slot's own, with its number from the second on."""
    return slot.stem if slot.index == 1 else f"{slot.stem}-{slot.index}"


def candidates(stem: str, sha256: str, extension: str) -> Iterator[str]:
    """The names that a picture may get, the best first; a later one is for when a foreign file holds it."""
    yield f"{stem}.{extension}"
    yield f"{stem}~{sha256[:8]}.{extension}"
    yield f"{stem}~{sha256[:16]}.{extension}"


def new_part(job: int) -> str:
    """A name for a part that is still being written."""
    return f"{PARTS}/.{job}.{secrets.token_hex(8)}.part"


def proof_name(proof: Proof) -> str:
    """The name of a part that is complete, checked and durable."""
    place = "" if proof.of == 1 else f"{proof.index}-{proof.of}."
    received = "" if proof.received == proof.sha256 else f"{proof.received}."
    return f"{PARTS}/.{proof.job}.{place}{received}{proof.sha256}.part"


def read_part(filename: str) -> Proof | int | None:
    """What a file in the folder of parts is: a proof, a torn part of that job, or nothing of ours."""
    if found := _PART.fullmatch(filename):
        job, index, of, received, sha256 = found.groups()
        return Proof(int(job), int(index or 1), int(of or 1), sha256, received or sha256)
    if found := _TORN.fullmatch(filename):
        return int(found[1])
    return None

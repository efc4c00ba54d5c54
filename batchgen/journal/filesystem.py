"""What kind of file system a journal lies on, and whether its locks hold: SQLite trusts them blindly."""

import contextlib
import fcntl
import os
from typing import Final

from batchgen.errors import SettingsError

_NETWORK: Final = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fuse", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs"}
    | {"nfs4", "smb2", "smb3", "smbfs", "vboxsf", "virtiofs"}
)
_MOUNTS: Final = "/proc/self/mountinfo"
_PROBE: Final = "lock.probe"


def network_kind(folder: str, mounts: str = _MOUNTS) -> str:
    """The kind of a file system that other machines may write too, empty for one of this machine alone.

    FUSE counts: what stands behind it is anybody's guess.
    """
    kind = _kind(os.path.realpath(folder), mounts)
    return kind if kind.partition(".")[0] in _NETWORK else ""


def require_locks(folder: str) -> None:
    """Make sure that a lock taken twice is refused.

    Raises:
        SettingsError: it is not, or there are no locks at all.
    """
    path = os.path.join(folder, f"{_PROBE}-{os.getpid()}")
    first, second = (os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600) for _ in range(2))
    try:
        holds = _locked(first) and not _locked(second)
    except OSError:
        holds = False
    finally:
        os.close(first)
        os.close(second)
        with contextlib.suppress(OSError):
            os.unlink(path)
    if not holds:
        raise SettingsError(
            f"locks do not hold on the file system of {folder}, so two runs could pay twice; name a journal on a disk"
            " of this machine with `journal:` or --journal"
        )


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _kind(path: str, mounts: str) -> str:
    """The kind of the mount that a path lies on; of several on one place the last one counts."""
    found, longest = "", -1
    try:
        with open(mounts, encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError:
        return ""
    for line in lines:
        fields = line.split(" ")
        place, kind = _plain(fields[4]), fields[fields.index("-", 6) + 1]
        if len(place) >= longest and f"{path}/".startswith(place.rstrip("/") + "/"):
            found, longest = kind, len(place)
    return found


def _plain(place: str) -> str:
    """A place as its file system spells it; the kernel writes four characters as octal numbers."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        place = place.replace(code, character)
    return place

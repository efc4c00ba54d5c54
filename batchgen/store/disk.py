"""The four things a local store asks of a disk that decide what survives a power cut.

Tests hand in a disk that loses what was not synced, and one that fails at its n-th call.
"""

import os
from typing import Protocol


class Disk(Protocol):
    """What must be done in order. All of it blocks and raises OSError; a failed `sync` is never tried again."""

    def write(self, fd: int, data: bytes) -> None:
        """Write all of `data`."""
        ...

    def sync(self, fd: int) -> None:
        """Make the bytes of an open file durable."""
        ...

    def link(self, source: str, target: str) -> None:
        """Give a file a second name; FileExistsError when the name is taken by anything at all."""
        ...

    def sync_dir(self, path: str) -> None:
        """Make the names in a folder durable."""
        ...


class RealDisk:
    """The disk of this machine."""

    def write(self, fd: int, data: bytes) -> None:
        """Write all of `data`, however many calls that takes."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(fd, rest) :]

    def sync(self, fd: int) -> None:
        """Call fsync."""
        os.fsync(fd)

    def link(self, source: str, target: str) -> None:
        """Make a hard link; a symbolic link is not followed."""
        os.link(source, target, follow_symlinks=False)

    def sync_dir(self, path: str) -> None:
        """Call fsync on the folder."""
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

"""Disks that lose and disks that fail."""

import errno
import itertools
import os
import stat
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import TypeAlias

from batchgen.store.disk import RealDisk

Listing: TypeAlias = dict[str, int]
"""Name to inode."""


class LosingDisk(RealDisk):
    """A disk whose power may be cut at any moment.

    What is on it after a cut: of a file all bytes that were synced, and of the others any prefix; of a folder the
    names as of its last sync, and of later changes any. `cut` builds that into a fresh folder, the worst of it, the
    best, or by lot; `at_every_moment` is called before each operation and can do so.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.at_every_moment: Callable[[], None] = lambda: None
        self._names: dict[str, Listing] = {}
        self._synced: dict[int, bytes] = {}
        self._written: set[int] = set()
        self._open: dict[int, int] = {}
        self._settle(str(root))

    def write(self, fd: int, data: bytes) -> None:
        self.at_every_moment()
        self._written.add(self._hold(f"/proc/self/fd/{fd}"))
        super().write(fd, data)

    def sync(self, fd: int) -> None:
        self.at_every_moment()
        super().sync(fd)
        self._synced[self._hold(f"/proc/self/fd/{fd}")] = Path(f"/proc/self/fd/{fd}").read_bytes()

    def link(self, source: str, target: str) -> None:
        self.at_every_moment()
        super().link(source, target)

    def sync_dir(self, path: str) -> None:
        self.at_every_moment()
        super().sync_dir(path)
        self._names[path] = self._listing(path)

    def cut(self, target: Path, survives: Callable[[], bool]) -> None:
        """Build what is left; `survives` decides for each thing that was not synced."""
        target.mkdir()
        self._rebuild(str(self.root), target, survives, {})

    def close(self) -> None:
        """Let go of the files."""
        for fd in self._open.values():
            os.close(fd)

    def _rebuild(self, path: str, target: Path, survives: Callable[[], bool], done: dict[int, Path]) -> None:
        now, durable = self._listing(path), self._names.get(path, {})
        for name in now.keys() | durable.keys():
            same = now.get(name) == durable.get(name)
            inode = (now if same or survives() else durable).get(name)
            if inode is None:
                continue
            if os.path.isdir(f"{path}/{name}"):
                (target / name).mkdir()
                self._rebuild(f"{path}/{name}", target / name, survives, done)
            elif inode in done:
                (target / name).hardlink_to(done[inode])
            else:
                (target / name).write_bytes(self._left_of(inode, survives))
                done[inode] = target / name

    def _left_of(self, inode: int, survives: Callable[[], bool]) -> bytes:
        data = Path(f"/proc/self/fd/{self._open[inode]}").read_bytes()
        if inode in self._synced:
            assert data == self._synced[inode], "a file was written after it was synced"
        elif inode in self._written and not survives():
            return data[: len(data) // 2]
        return data

    def _listing(self, path: str) -> Listing:
        return {entry.name: self._hold(entry.path) for entry in os.scandir(path)}

    def _hold(self, path: str) -> int:
        """Keep the file open, so that its number is not given to another."""
        found = os.stat(path)
        if found.st_ino not in self._open and stat.S_ISREG(found.st_mode):
            self._open[found.st_ino] = os.open(path, os.O_RDONLY)
        return found.st_ino

    def _settle(self, path: str) -> None:
        self._names[path] = self._listing(path)
        for entry in os.scandir(path):
            if entry.is_dir():
                self._settle(entry.path)


class Cuts:
    """Cuts the power of a disk before each of its operations, in several ways each; the disk itself goes on."""

    def __init__(self, disk: LosingDisk, folder: Path) -> None:
        self._disk = disk
        self._folder = folder
        self._count = itertools.count()
        self.left: list[Path] = []
        disk.at_every_moment = self.cut

    def cut(self) -> None:
        """Cut now: everything not synced is lost, nothing is, and twice by lot."""
        for survives in (lambda: False, lambda: True, self._lot(), self._lot()):
            target = self._folder / f"cut-{next(self._count)}"
            self._disk.cut(target, survives)
            self.left.append(target)

    def _lot(self) -> Callable[[], bool]:
        lot = Random(len(self.left))
        return lambda: lot.random() < 0.5


class FailingDisk(RealDisk):
    """A disk whose n-th operation fails, from 1, and only that one; it counts on to tell when there is none left."""

    def __init__(self, n: int, number: int = errno.EIO) -> None:
        self.n = n
        self.number = number
        self.failed: str | None = None
        self.synced_after_failure = False
        self._broken: tuple[int, int] | None = None

    def write(self, fd: int, data: bytes) -> None:
        self._may_fail("write")
        super().write(fd, data)

    def sync(self, fd: int) -> None:
        if self._broken and os.fstat(fd).st_ino == self._broken[1]:
            self.synced_after_failure = True
        try:
            self._may_fail("sync")
        except OSError:
            self._broken = os.dup(fd), os.fstat(fd).st_ino  # kept open, so that its number is not given to another
            raise
        super().sync(fd)

    def close(self) -> None:
        """Let go of the file whose sync failed."""
        if self._broken:
            os.close(self._broken[0])

    def link(self, source: str, target: str) -> None:
        self._may_fail("link")
        super().link(source, target)

    def sync_dir(self, path: str) -> None:
        self._may_fail("sync_dir")
        super().sync_dir(path)

    def _may_fail(self, operation: str) -> None:
        self.n -= 1
        if self.n == 0:
            self.failed = operation
            raise OSError(self.number, os.strerror(self.number))

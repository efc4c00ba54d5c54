"""A SQLite VFS that keeps account of what a power cut would leave, and fails when it is told to."""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

import apsw

_names = count()


@dataclass
class Image:
    """A file as the disk has it, and what was written to it since its last sync."""

    durable: bytearray
    pending: list[tuple[int, bytes]] = field(default_factory=list)  # a negative offset cuts the file to -1 - offset

    def sync(self) -> None:
        """All that was written is on the disk."""
        for change in self.pending:
            self.apply(self.durable, *change)
        self.pending.clear()

    def after_cut(self, chance: random.Random) -> bytes:
        """Any of the unsynced writes may be there, torn, or missing."""
        left = bytearray(self.durable)
        for offset, data in self.pending:
            fate = chance.choice(["kept", "lost", "torn"])
            if fate == "torn" and offset >= 0:
                self.apply(left, offset, data[: len(data) // 2])
            elif fate != "lost":
                self.apply(left, offset, data)
        return bytes(left)

    @staticmethod
    def apply(content: bytearray, offset: int, data: bytes) -> None:
        """Write into a content, or cut it."""
        if offset < 0:
            del content[-1 - offset :]
            return
        content.extend(bytes(max(0, offset - len(content))))
        content[offset : offset + len(data)] = data


class LosingDisk(apsw.VFS):
    """The usual files, watched: `syncs` counts them, and from operation `cut_at` on nothing is written."""

    def __init__(self, folder: str) -> None:
        self.name = f"losing-{next(_names)}"
        self.images: dict[str, Image] = {}
        self.operations = self.syncs = 0
        self.cut_at: int | None = None
        self.error: type[apsw.Error] = apsw.IOError
        for entry in os.scandir(folder):  # before SQLite has them open: a stray close would free its locks
            if entry.is_file():
                with open(entry.path, "rb") as file:
                    self.images[entry.path] = Image(bytearray(file.read()))
        super().__init__(self.name, "unix")

    def xOpen(self, name: "str | apsw.URIFilename | None", flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        """Watch a file, unless it is a temporary one."""
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        if path is None or flags[0] & (apsw.SQLITE_OPEN_TEMP_DB | apsw.SQLITE_OPEN_TRANSIENT_DB):
            return apsw.VFSFile("unix", name, flags)
        return LosingFile(self, self.images.setdefault(path, Image(bytearray())), name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        """Remove a name, for good at once."""
        self.step()
        self.images.pop(filename, None)
        super().xDelete(filename, syncdir)

    def step(self) -> None:
        """One more operation that changes something."""
        self.operations += 1
        if self.cut_at is not None and self.operations >= self.cut_at:
            raise self.error("the power is cut")

    def restore(self, folder: str, seed: int) -> None:
        """What is found in another folder once the power is back."""
        chance = random.Random(seed)
        for path, image in self.images.items():
            with open(os.path.join(folder, os.path.basename(path)), "wb") as file:
                file.write(image.after_cut(chance))


class LosingFile(apsw.VFSFile):
    """A file whose writes are kept account of."""

    def __init__(self, disk: LosingDisk, image: Image, name: "str | apsw.URIFilename | None", flags: list[int]) -> None:
        self.disk, self.image = disk, image
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        """Write, not yet durably."""
        self.disk.step()
        super().xWrite(data, offset)
        self.image.pending.append((offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        """Cut, not yet durably."""
        self.disk.step()
        super().xTruncate(newsize)
        self.image.pending.append((-1 - newsize, b""))

    def xSync(self, flags: int) -> None:  # noqa: N802
        """Make what was written durable."""
        self.disk.step()
        self.disk.syncs += 1
        super().xSync(flags)
        self.image.sync()


@contextmanager
def losing(folder: str) -> Iterator[LosingDisk]:
    """A losing disk over what is in a folder."""
    disk = LosingDisk(folder)
    try:
        yield disk
    finally:
        disk.unregister()

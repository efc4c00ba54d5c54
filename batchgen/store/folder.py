"""A folder of pictures and the blocking things done to it; nothing here leaves the folder or writes over a file."""

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BufferedReader
from typing import Final

from batchgen.errors import SettingsError
from batchgen.store.disk import Disk
from batchgen.store.names import PARTS, checked, new_part

_NO_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV})
_NOT_A_FILE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.EISDIR})


@dataclass(frozen=True, slots=True)
class Folder:
    """Names are relative to `root`, which is resolved once; every method takes them as they come and refuses bad ones.

    Raises:
        SettingsError: a name would leave the folder, or the file system cannot do what we need.
        OSError: the place failed.
    """

    root: str
    disk: Disk
    _durable: set[str] = field(default_factory=set, init=False)
    _inside: dict[str, tuple[int, int]] = field(default_factory=dict, init=False)

    def create(self) -> None:
        """Create the root, durably."""
        if self.root in self._durable:
            return
        missing = []
        path = self.root
        while not os.path.lexists(path):
            missing.append(path)
            path = os.path.dirname(path)
        for each in reversed(missing):
            with contextlib.suppress(FileExistsError):
                os.mkdir(each)
        # Two more, because what a killed run made may not be durable yet; what is above them need not be ours to read.
        for above in {os.path.dirname(each) for each in (self.root, os.path.dirname(self.root), *missing)}:
            with contextlib.suppress(PermissionError):
                self.disk.sync_dir(above)
        self._durable.add(self.root)

    def path(self, name: str) -> str:
        """Where a name is; every folder on the way lies in ours, even through symbolic links."""
        checked(name)
        path = f"{self.root}/{name}"
        self._require_inside(os.path.dirname(path))
        return path

    def make(self, name: str) -> None:
        """Create a folder with all above it, durably, down from the root."""
        above = self.root
        for component in checked(name).split("/"):
            below = f"{above}/{component}"
            missing = not os.path.lexists(below)
            if not missing:
                self._require_inside(below)
            if missing or below not in self._durable:  # one that a killed run made may not be durable yet
                with contextlib.suppress(FileExistsError):
                    os.mkdir(below)
                self.disk.sync_dir(above)
                self._durable.add(below)
            above = below

    def open(self, name: str) -> BufferedReader:
        """The bytes of a regular file; FileNotFoundError for anything else."""
        file = _regular(self.path(name))
        if file is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        return file

    def digest(self, name: str) -> str | None:
        """The sha256 of a regular file, None when there is none."""
        file = _regular(self.path(name))
        if file is None:
            return None
        with file:
            return _sha256(file)

    def publish(self, source: str, names: Iterable[str], sha256: str) -> str:
        """Link `source` to the first of `names` that is free or holds the same bytes, durably; return that name.

        Raises:
            FileExistsError: other files hold them all.
        """
        name, is_new = self.place(source, names, sha256)
        if is_new and (error := self.settle([name]).get(name)):
            raise error
        return name

    def place(self, source: str, names: Iterable[str], sha256: str) -> tuple[str, bool]:
        """The same, but a name that is new, as the second value says, is still to be made durable by `settle`."""
        tried = ""
        for tried in names:
            if "/" in tried:
                self.make(tried.rsplit("/", 1)[0])
            try:
                self._link(self.path(source), self.path(tried))
            except FileExistsError:
                if self.adopt(tried, sha256):
                    return tried, False
            else:
                return tried, True
        raise FileExistsError(errno.EEXIST, "other files hold this name; move them away", tried)

    def settle(self, names: Iterable[str]) -> dict[str, OSError]:
        """Make new names durable, those of one folder together; says which could not be, and they are taken back."""
        folders: dict[str, list[str]] = {}
        for name in names:
            folders.setdefault(os.path.dirname(f"{self.root}/{name}"), []).append(name)
        failed: dict[str, OSError] = {}
        for folder, within in folders.items():
            try:
                self.disk.sync_dir(folder)
            except OSError as error:
                for name in within:
                    failed[name] = error
                    with contextlib.suppress(OSError):
                        os.unlink(f"{self.root}/{name}")
        return failed

    def adopt(self, name: str, sha256: str) -> bool:
        """Whether `name` is a file with those bytes, which then is durable whoever wrote it."""
        path = self.path(name)
        file = _regular(path)
        if file is None:
            return False
        with file:
            if _sha256(file) != sha256:
                return False
            self.disk.sync(file.fileno())
        self.disk.sync_dir(os.path.dirname(path))
        return True

    def remove(self, name: str) -> None:
        """Remove a name; nothing happens if it is not there."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(self.path(name))

    def probe(self) -> None:
        """Create the folder and prove that files can be written and linked in it.

        Raises:
            SettingsError: they cannot; the message names the folder.
        """
        first, second = (f"{self.root}/{new_part(0)}" for _ in range(2))  # of no job: if we are killed, a sweep's
        try:
            self.create()
            self.make(PARTS)
            self._probe(first, second)
        except OSError as error:
            raise SettingsError(
                f"cannot write into {self.root} ({error.strerror}); free it or choose another output folder"
            ) from error
        finally:
            for leftover in (first, second):
                with contextlib.suppress(OSError):
                    os.unlink(leftover)

    def _probe(self, first: str, second: str) -> None:
        fd = os.open(first, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            self.disk.write(fd, b"batchgen")
        finally:
            os.close(fd)
        self._link(first, second)

    def _link(self, source: str, target: str) -> None:
        try:
            self.disk.link(source, target)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            raise SettingsError(
                f"cannot make a hard link in {self.root} ({error.strerror}); choose an output folder on a file system "
                "that has them"
            ) from error

    def _require_inside(self, path: str) -> None:
        """Refuse what lies elsewhere; the folder that was proven once is known again by its device and inode."""
        try:
            found = os.stat(path)
        except OSError:
            identity = None
        else:
            identity = found.st_dev, found.st_ino
            if self._inside.get(path) == identity:
                return
        real = os.path.realpath(path)
        if real != self.root and not real.startswith(self.root.rstrip("/") + "/"):
            raise SettingsError(f"{path} leads out of {self.root} through a symbolic link; remove the link")
        if identity is not None:
            self._inside[path] = identity


def _regular(path: str) -> BufferedReader | None:
    """The file, if it is one: never a link, a folder, a pipe or a device, and never waiting for any of them."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in _NOT_A_FILE:
            return None
        raise
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return open(fd, "rb")
    os.close(fd)
    return None


def _sha256(file: BufferedReader) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()

"""What of a folder a power cut would leave: told of every sync, it rebuilds the folder as the disk would have it.

Bytes are as of their file's last sync, names as of their folder's last sync; whatever came later is lost, or, by lot,
there, missing or half there. The account is kept beside the folder, so that it goes on over many processes.
"""

import json
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final, TypeAlias

Names: TypeAlias = dict[str, int]
"""Name to inode; 0 for a folder."""

SECTOR: Final = 512
FORGOTTEN: Final = "-shm"
"""How the names of files end that are memory and no files."""


class Platter:
    """The account of one folder. `settle` says that all of it is durable now; `cut` makes true what the disk has."""

    def __init__(self, root: Path, account: Path) -> None:
        self.root = root
        self._bytes, self._held, self._names = (account / each for each in ("bytes", "held", "names"))
        self._lock = threading.Lock()

    def settle(self) -> None:
        """Begin the account anew: everything that is there is durable."""
        for each in (self._bytes, self._held, self._names):
            shutil.rmtree(each, ignore_errors=True)
            each.mkdir(parents=True)
        for folder, _, files in os.walk(self.root):
            for name in files:
                path = os.path.join(folder, name)
                self.file_synced(path, Path(path).read_bytes())
            self.folder_synced(folder)

    def synced(self, descriptor: int) -> None:
        """An open file or folder was synced."""
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        if os.path.isdir(path):
            self.folder_synced(path)
        elif os.path.exists(path):
            self.file_synced(path, Path(path).read_bytes())

    def file_synced(self, path: str, content: bytes) -> None:
        """A file was synced when it had this content."""
        if self._ours(path):
            with self._lock:
                self._put(self._bytes / str(self._hold(path)), content)

    def folder_synced(self, path: str) -> None:
        """A folder was synced."""
        if self._ours(path):
            with self._lock:
                self._put(self._listed(path), json.dumps(self._listing(path)).encode())

    def cut(self, lot: Random | None) -> None:
        """Cut the power: what was not synced is gone, or its fate is drawn from `lot`; then it is all durable."""
        left = self.root.with_name(f"{self.root.name}.left")
        left.mkdir()
        self._rebuild(str(self.root), left, _Fate(lot), {})
        shutil.rmtree(self.root)
        left.rename(self.root)
        self.settle()

    def _rebuild(self, path: str, target: Path, fate: "_Fate", done: dict[int, Path]) -> None:
        now, durable = self._listing(path), self._durable_names(path)
        for name in sorted(now.keys() | durable.keys()):
            same = now.get(name) == durable.get(name)
            inode = (now if same or fate.survives() else durable).get(name)
            if inode is None or name.endswith(FORGOTTEN):
                continue
            if inode == 0:
                (target / name).mkdir()
                self._rebuild(os.path.join(path, name), target / name, fate, done)
            elif inode in done:
                (target / name).hardlink_to(done[inode])
            else:
                (target / name).write_bytes(self._left_of(inode, os.path.join(path, name), fate))
                done[inode] = target / name

    def _left_of(self, inode: int, path: str, fate: "_Fate") -> bytes:
        held, kept = self._held / str(inode), self._bytes / str(inode)
        now = (held if held.exists() else Path(path)).read_bytes()
        return fate.content(kept.read_bytes() if kept.exists() else b"", now)

    def _durable_names(self, path: str) -> Names:
        try:
            names: Names = json.loads(self._listed(path).read_bytes())
        except FileNotFoundError:
            return {}
        return names

    def _listing(self, path: str) -> Names:
        if not os.path.isdir(path):
            return {}
        entries = [each for each in os.scandir(path) if each.is_dir(follow_symlinks=False) or each.is_file()]
        return {each.name: 0 if each.is_dir() else self._hold(each.path) for each in entries}

    def _hold(self, path: str) -> int:
        """Give the file a name of ours, so that its number is not given to another."""
        inode = os.stat(path).st_ino
        held = self._held / str(inode)
        if not held.exists():
            os.link(path, held)
        return inode

    def _listed(self, path: str) -> Path:
        return self._names / ("=" + os.path.relpath(path, self.root).replace("/", "|"))

    def _ours(self, path: str) -> bool:
        return os.path.commonpath([path, self.root]) == str(self.root)

    @staticmethod
    def _put(path: Path, content: bytes) -> None:
        part = path.with_name(f"{path.name}.part")  # the process may die in the middle of this
        part.write_bytes(content)
        part.replace(path)


class _Fate:
    """What becomes of things that were not synced."""

    def __init__(self, lot: Random | None) -> None:
        self._lot = lot
        self.survives: Callable[[], bool] = (lambda: False) if lot is None else lambda: lot.random() < 0.5

    def content(self, synced: bytes, now: bytes) -> bytes:
        """The bytes of a file that had been synced with one content and has another now."""
        if self._lot is None or synced == now:
            return synced
        length = self._lot.choice((len(synced), len(now)))
        sectors = range(0, length, SECTOR)
        mixed = b"".join((now if self.survives() else synced)[at : at + SECTOR].ljust(SECTOR, b"\0") for at in sectors)
        return mixed[:length]

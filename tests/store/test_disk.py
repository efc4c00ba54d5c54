"""The real disk."""

import os
from pathlib import Path

import pytest

from batchgen.store.disk import RealDisk


def test_file(tmp_path: Path) -> None:
    """All bytes are written, however many, synced, and linked never over a file."""
    disk = RealDisk()
    data = os.urandom(300_000)
    first, second = tmp_path / "first", tmp_path / "second"
    with first.open("wb", buffering=0) as file:
        disk.write(file.fileno(), data)
        disk.sync(file.fileno())
    disk.link(str(first), str(second))
    disk.sync_dir(str(tmp_path))
    assert second.read_bytes() == data
    with pytest.raises(FileExistsError):
        disk.link(str(first), str(second))


def test_short_writes() -> None:
    """A write that the system takes in pieces is written to its end."""
    read, write = os.pipe()
    os.set_blocking(write, True)
    data = os.urandom(50_000)
    RealDisk().write(write, data)
    os.close(write)
    received = b""
    while piece := os.read(read, 65536):
        received += piece
    os.close(read)
    assert received == data


def test_errors(tmp_path: Path) -> None:
    """Errors of the system are raised as they are."""
    disk = RealDisk()
    with pytest.raises(FileNotFoundError):
        disk.sync_dir(str(tmp_path / "missing"))
    with pytest.raises(FileNotFoundError):
        disk.link(str(tmp_path / "missing"), str(tmp_path / "x"))
    read, write = os.pipe()
    with pytest.raises(OSError, match="Invalid argument"):
        disk.sync(write)
    os.close(read)
    os.close(write)


def test_link_to_a_link(tmp_path: Path) -> None:
    """A symbolic link is not followed when it is linked."""
    (tmp_path / "target").write_bytes(b"x")
    (tmp_path / "symbolic").symlink_to(tmp_path / "target")
    RealDisk().link(str(tmp_path / "symbolic"), str(tmp_path / "copy"))
    assert (tmp_path / "copy").is_symlink()


def test_syncs_reach_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Syncing a file or a folder asks the system to sync just that."""
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    path = tmp_path / "file"
    with path.open("wb") as file:
        RealDisk().sync(file.fileno())
    RealDisk().sync_dir(str(tmp_path))
    assert synced == [path.stat().st_ino, tmp_path.stat().st_ino]

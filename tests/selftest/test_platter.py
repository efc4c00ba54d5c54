"""The disk that loses: bytes as of the last sync of their file, names as of the last sync of their folder."""

import os
from pathlib import Path
from random import Random

import pytest

from batchgen.selftest.platter import Platter


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with one durable file."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root/old").write_bytes(b"old")
    return tmp_path / "root"


@pytest.fixture
def platter(root: Path, tmp_path: Path) -> Platter:
    """Its account, from now on."""
    found = Platter(root, tmp_path / "account")
    found.settle()
    return found


def sync(platter: Platter, path: Path) -> None:
    """What fsync would tell the platter."""
    descriptor = os.open(path, os.O_RDONLY)
    platter.synced(descriptor)
    os.close(descriptor)


def left(root: Path) -> dict[str, bytes]:
    """All files with their bytes."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_file_needs_both_syncs(platter: Platter, root: Path) -> None:
    """A new file survives with its bytes once it and its folder are synced; with one of the two it does not."""
    for name in ("both", "bytes", "name"):
        (root / name).write_bytes(b"new")
    sync(platter, root / "both")
    (root / "bytes").rename(root / "late")
    sync(platter, root)
    (root / "later").write_bytes(b"new")
    sync(platter, root / "later")
    platter.cut(None)
    assert left(root) == {"both": b"new", "late": b"", "name": b"", "old": b"old"}


def test_bytes_written_after_the_sync_are_lost(platter: Platter, root: Path) -> None:
    """A file goes back to what it held when it was synced last."""
    with (root / "old").open("ab") as file:
        file.write(b" and more")
    platter.cut(None)
    assert left(root) == {"old": b"old"}


def test_a_removed_name_comes_back(platter: Platter, root: Path) -> None:
    """Removing and renaming are undone unless the folder is synced, and then they are not."""
    (root / "old").rename(root / "renamed")
    platter.cut(None)
    assert left(root) == {"old": b"old"}
    (root / "old").unlink()
    sync(platter, root)
    platter.cut(None)
    assert left(root) == {}


def test_a_new_folder_needs_the_sync_of_the_one_above(platter: Platter, root: Path) -> None:
    """All that is in a folder goes with its name."""
    (root / "below").mkdir()
    (root / "below/file").write_bytes(b"new")
    sync(platter, root / "below/file")
    sync(platter, root / "below")
    platter.cut(None)
    assert left(root) == {"old": b"old"}


def test_two_names_of_one_file_stay_one_file(platter: Platter, root: Path) -> None:
    """A hard link that was synced is one after the cut too."""
    (root / "second").hardlink_to(root / "old")
    sync(platter, root)
    platter.cut(None)
    assert (root / "second").samefile(root / "old")


def test_the_account_outlives_the_process(platter: Platter, root: Path, tmp_path: Path) -> None:
    """Another platter over the same account knows what was synced."""
    (root / "new").write_bytes(b"new")
    sync(platter, root / "new")
    sync(platter, root)
    (root / "new").write_bytes(b"changed")
    Platter(root, tmp_path / "account").cut(None)
    assert left(root) == {"new": b"new", "old": b"old"}


def test_by_lot_sectors_are_kept_or_lost(platter: Platter, root: Path) -> None:
    """Of what was not synced any part may be there, and what was synced and not changed always is."""
    found = set()
    for seed in range(40):
        (root / "big").write_bytes(b"a" * 2048)
        sync(platter, root / "big")
        sync(platter, root)
        (root / "big").write_bytes(b"b" * 2048)
        platter.cut(Random(seed))
        assert left(root)["old"] == b"old"
        found.add(left(root)["big"])
        assert len(left(root)["big"]) == 2048
    assert len(found) > 5

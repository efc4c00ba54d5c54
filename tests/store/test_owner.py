"""One journal per folder of pictures; and how much room there is in it."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from batchgen.errors import Foreign
from batchgen.store.owner import claim, owner
from batchgen.store.space import floor_bytes, shortage


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """A folder of pictures that nobody owns yet."""
    (tmp_path / ".batchgen").mkdir()
    return str(tmp_path)


def test_the_first_journal_owns_the_folder(folder: str) -> None:
    """It may claim it again and again; another is refused and told both names; nothing else is left there."""
    assert owner(folder) is None
    for _ in range(2):
        claim(folder, "ab" * 16)
    with pytest.raises(Foreign, match=r"belong to another journal .*abab.*, not to this one .*cdcd.*--journal"):
        claim(folder, "cd" * 16)
    assert sorted(os.listdir(f"{folder}/.batchgen")) == ["owner", "parts"]
    assert os.listdir(f"{folder}/.batchgen/parts") == []
    assert owner(folder) == "ab" * 16


def test_one_of_many_claims_wins(folder: str) -> None:
    """Whoever begins at the same moment: one owns the folder, and all others are refused."""

    def tried(number: int) -> bool:
        try:
            claim(folder, f"{number:032}")
        except Foreign:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(tried, range(40))) == 1


def test_a_shortage_is_told_with_its_folder(folder: str) -> None:
    """The folder with too little room is named, with what is left; what is kept grows with what is on its way."""
    room = os.statvfs(folder)
    size = room.f_blocks * room.f_frsize
    assert shortage([folder], 0) == ""
    told = shortage([folder], 10**18)
    free = room.f_bavail * room.f_frsize
    assert (folder in told and "make room" in told) == (free < size // 20)
    assert floor_bytes(1) == 256 * 1024**2
    assert floor_bytes(1000) == 4000 * 1024**2


def test_a_full_volume_is_short(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than what is kept free is too little, exactly as much is enough; a small volume keeps a twentieth."""

    def volume(free: int, blocks: int) -> None:
        found = os.statvfs_result((4096, 4096, blocks, free, free, 0, 0, 0, 0, 255))
        monkeypatch.setattr(os, "statvfs", lambda _: found)

    volume(free=256 * 256, blocks=10**8)
    assert shortage([folder], floor_bytes(1)) == ""
    volume(free=256 * 256 - 1, blocks=10**8)
    assert "255 MB left, of 256 MB" in shortage([folder], floor_bytes(1))
    volume(free=5, blocks=100)
    assert shortage([folder], floor_bytes(1)) == ""
    volume(free=4, blocks=100)
    assert shortage([folder], floor_bytes(1))

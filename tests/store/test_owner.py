"""One journal per folder of pictures; and how much room there is in it."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from batchgen.errors import Foreign, SettingsError
from batchgen.store.owner import claim, kept_in, owner, remember
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


def test_a_place_is_remembered(tmp_path: Path) -> None:
    """Where pictures are kept is written down once; from then on nobody need say it, and nobody may say otherwise."""
    folder = str(tmp_path / "autumn")
    assert kept_in(folder) == ""
    assert kept_in(folder, "s3://pictures/nights/") == "s3://pictures/nights/autumn"
    for _ in range(2):
        remember(folder, "s3://pictures/nights/autumn")
    assert kept_in(folder) == kept_in(folder, "s3://pictures/nights") == "s3://pictures/nights/autumn"
    with pytest.raises(SettingsError, match="kept in s3://pictures/nights/autumn, not in s3://other/autumn"):
        kept_in(folder, "s3://other")


def test_pictures_in_the_folder_stay_there(tmp_path: Path) -> None:
    """A batch that has begun to keep its pictures in its folder is not torn apart by an option."""
    folder = str(tmp_path / "autumn")
    claim(folder, "ab" * 16)
    assert kept_in(folder) == ""
    with pytest.raises(SettingsError, match=f"kept in {folder}, not in s3://pictures/autumn"):
        kept_in(folder, "s3://pictures")


def test_what_is_remembered_is_held_against_the_rules(tmp_path: Path) -> None:
    """An address that somebody wrote there by hand is refused like one that was typed."""
    folder = str(tmp_path / "autumn")
    remember(folder, "s3://key:hidden@pictures/autumn")
    with pytest.raises(SettingsError, match="no credential"):
        kept_in(folder)

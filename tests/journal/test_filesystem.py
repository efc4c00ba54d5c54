"""File systems of other machines: known by their mounts, used without shared memory, refused without locks."""
# ruff: noqa: ASYNC240  # a test may look at a small file

import fcntl
import os
from pathlib import Path

import pytest

from batchgen.errors import SettingsError
from batchgen.journal.filesystem import network_kind, require_locks
from batchgen.journal.schema import Machine
from batchgen.journal.sqlite import open_journal
from batchgen.lifecycle import Accepted, Started
from tests.contracts.journal import ME, handed_out, owed, walk
from tests.journal.desks import SqliteDesk

pytestmark = pytest.mark.anyio

MOUNTS = r"""21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
22 21 0:5 / /proc rw - proc proc rw
40 21 0:40 / /mnt/share rw,relatime shared:9 master:3 - nfs4 server:/export rw,vers=4.2
41 40 0:41 / /mnt/share/local rw - xfs /dev/sdb1 rw
42 21 0:42 / /mnt/my\040disk rw - fuse.sshfs me@there: rw
43 21 0:43 / /mnt/twice rw - ext4 /dev/sdc1 rw
44 43 0:44 / /mnt/twice rw - cifs //server/share rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/home/me", ""),
        ("/mnt/share", "nfs4"),
        ("/mnt/share/batch/.batchgen", "nfs4"),
        ("/mnt/share/local/batch", ""),
        ("/mnt/shared", ""),
        ("/mnt/my disk/outputs", "fuse.sshfs"),
        ("/mnt/twice/outputs", "cifs"),
    ],
)
def test_the_nearest_mount_tells(tmp_path: Path, folder: str, kind: str) -> None:
    """The mount that lies nearest above a folder counts, and of two on one place the later one."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert network_kind(folder, str(mounts)) == kind


def test_a_machine_that_does_not_tell_is_trusted(tmp_path: Path) -> None:
    """Without a list of mounts a folder counts as this machine's own; and where there is one, it can be read."""
    assert network_kind("/home/me", str(tmp_path / "nothing")) == ""
    assert network_kind("/proc") == ""


@pytest.mark.parametrize("answer", ["both", "neither"])
def test_locks_that_do_not_hold_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """Whether a file system gives a lock twice or gives none at all; where they hold, nothing is left behind."""
    require_locks(str(tmp_path))

    def flock(_descriptor: int, _kind: int) -> None:
        if answer == "neither":
            raise OSError("no locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(SettingsError, match=r"locks do not hold .* --journal"):
        require_locks(str(tmp_path))
    assert not os.listdir(tmp_path)


async def test_a_journal_on_a_network_needs_no_shared_memory(tmp_path: Path) -> None:
    """It is kept by a rollback journal, synced with its folder, and may be taken home and away."""
    desk = SqliteDesk(str(tmp_path / "batch"))
    abroad = Machine(lambda: desk.now, network=lambda _: "nfs4")
    async with desk.open() as journal:
        [job] = await owed(journal, "a")
    async with open_journal(desk.path, ME, verb="run", machine=abroad) as journal:
        writer = journal._opened.writer
        assert (writer.pragma("journal_mode"), writer.pragma("synchronous")) == ("truncate", 3)
        await walk(journal, job, Started)
        assert not Path(f"{desk.path}-wal").exists()
        assert not Path(f"{desk.path}-shm").exists()
    async with desk.open() as journal:
        [job] = await handed_out(journal)
        await walk(journal, job, Accepted)
        assert journal._opened.writer.pragma("journal_mode") == "wal"

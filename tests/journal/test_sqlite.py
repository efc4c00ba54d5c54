"""The journal in a SQLite file keeps the contract."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.contracts.journal import JournalContract
from tests.contracts.journal_machine import ON_DISK, JournalMachine
from tests.journal.desks import SqliteDesk


class TestSqlite(JournalContract):
    """Every promise, on a disk."""

    @pytest.fixture
    def desk(self, tmp_path: Path) -> SqliteDesk:
        """A fresh folder."""
        return SqliteDesk(str(tmp_path / "batch" / ".batchgen"))


class SqliteMachine(JournalMachine):
    """The model against a file."""

    def make_desk(self) -> SqliteDesk:
        """A fresh folder."""
        # In memory where there is such a place: what is tried here is the order of things, not the disk.
        self.folder = tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        return SqliteDesk(self.folder.name)

    def teardown(self) -> None:
        """Leave, and take the folder away."""
        super().teardown()
        self.folder.cleanup()


def test_any_history_is_that_of_the_model() -> None:
    """Expansions, milestones, refusals and crashes in any order leave what the model says."""
    run_state_machine_as_test(SqliteMachine, settings=ON_DISK)

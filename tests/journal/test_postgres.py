"""The journal in PostgreSQL keeps the contract."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.contracts.journal import JournalContract
from tests.contracts.journal_machine import ON_DISK, JournalMachine
from tests.postgres import drop, missing, server

if missing() and not os.environ.get("CI"):
    pytest.skip(missing(), allow_module_level=True)

from tests.journal.postgres_desk import PostgresDesk


@pytest.fixture(scope="session")
def conninfo() -> Iterator[str]:
    """A server."""
    assert not missing(), missing()
    with server() as found:
        yield found


class TestPostgres(JournalContract):
    """Every promise, on a server."""

    @pytest.fixture
    def desk(self, conninfo: str, tmp_path: Path) -> Iterator[PostgresDesk]:
        """A schema of its own."""
        desk = PostgresDesk(conninfo, str(tmp_path / "batch" / ".batchgen"))
        yield desk
        drop(conninfo, desk.target.schema)


def test_any_history_is_that_of_the_model(conninfo: str) -> None:
    """Expansions, milestones, refusals and crashes in any order leave what the model says."""

    class PostgresMachine(JournalMachine):
        """The model against a server."""

        def make_desk(self) -> PostgresDesk:
            """A schema of its own."""
            self.folder = tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
            self.schema = PostgresDesk(conninfo, self.folder.name)
            return self.schema

        def teardown(self) -> None:
            """Leave, and take all away."""
            super().teardown()
            drop(conninfo, self.schema.target.schema)
            self.folder.cleanup()

    run_state_machine_as_test(PostgresMachine, settings=settings(ON_DISK, max_examples=4, stateful_step_count=20))

"""Readers of a journal that a run is writing."""

from collections.abc import Callable, Coroutine
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import anyio.from_thread
import apsw
import pytest

from batchgen.journal import proof, rows
from batchgen.journal.schema import connect_to_read
from tests.contracts.journal import owed
from tests.journal.desks import SqliteDesk

pytestmark = pytest.mark.anyio

READS: dict[str, Callable[[apsw.Connection, str], object]] = {
    "totals": lambda reader, _: rows.totals(reader),
    "proof": proof.prove,
    "lives": proof.prove_lives,
}


@pytest.mark.parametrize("read", READS)
async def test_nothing_is_damaged_that_changes_while_it_is_read(read: str, tmp_path: Path) -> None:
    """A run that begins to owe between any two statements of a reader leaves it one moment to look at."""
    for statement in count(1):
        desk = SqliteDesk(str(tmp_path / str(statement)))
        async with desk.open() as journal:
            reader = connect_to_read(desk.path, desk.machine)
            reader.exec_trace = interruption = Interruption(statement, lambda: owed(journal, "a", "b"))
            try:
                await anyio.to_thread.run_sync(READS[read], reader, desk.path)
            finally:
                reader.close()
        if interruption.left > 0:
            break
    assert statement > 3


class Interruption:
    """Lets something happen before the n-th statement of a connection."""

    def __init__(self, statement: int, happens: Callable[[], Coroutine[Any, Any, object]]) -> None:
        self.left, self.happens = statement, happens

    def __call__(self, *_: object) -> bool:
        """Let the statement go on."""
        self.left -= 1
        if self.left == 0:
            anyio.from_thread.run(self.happens)
        return True

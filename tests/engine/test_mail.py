"""What a head says reaches whoever listens, in few messages however often it is asked for."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from batchgen.engine.mail import Mail
from batchgen.engine.post import BEGIN

pytestmark = pytest.mark.anyio


@dataclass
class Pillar:
    """A client that keeps what is sent, in order; it fails as often as it is told to."""

    sent: list[tuple[list[str], list[Any]]] = field(default_factory=list)
    failures: int = 0

    async def log_event(self, topics: list[str], message: dict[str, Any]) -> None:
        """Take a message."""
        if self.failures:
            self.failures -= 1
            raise OSError("no connection")
        self.sent.append((topics, message["words"]))


async def delivered(mail: Mail, pillar: Pillar, messages: int) -> list[tuple[list[str], list[Any]]]:
    """Deliver until so many messages were sent."""
    async with anyio.create_task_group() as group:
        group.start_soon(mail.deliver)
        with anyio.fail_after(60):
            while len(pillar.sent) < messages:  # what is sent has no event
                await anyio.lowlevel.checkpoint()
        for _ in range(50):  # what else there is to send goes, too
            await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    return pillar.sent


@pytest.fixture
def written() -> Iterator[tuple[Mail, Pillar]]:
    """Mail of a run with two seats."""
    pillar = Pillar()
    mail = Mail(pillar, "run", {0, 1})  # type: ignore[arg-type]
    yield mail, pillar
    mail.close()


async def test_whoever_asks_often_is_welcomed_once(written: tuple[Mail, Pillar]) -> None:
    """Of all that an outpost says while it waits one welcome comes, with all that was said before and after."""
    mail, pillar = written
    mail.tell({"a": 1})
    for _ in range(50):
        mail.welcome(0)
    mail.tell({"b": 2})
    sent = await delivered(mail, pillar, 2)
    assert sent == [
        (["run-0", "run-1"], [{"a": 1}, {"b": 2}]),
        (["run-0"], [{"a": 1}, {"b": 2}, dict(BEGIN)]),
    ]


async def test_a_welcome_that_was_lost_comes_again(written: tuple[Mail, Pillar]) -> None:
    """Whoever says again that it is there after its welcome was sent is welcomed anew."""
    mail, pillar = written
    pillar.failures = 1
    for _ in range(2):
        mail.welcome(1)
        await delivered(mail, pillar, 0)
    assert pillar.sent == [(["run-1"], [dict(BEGIN)])]


async def test_a_word_for_one(written: tuple[Mail, Pillar]) -> None:
    """What is said to one seat goes to no other, and is not said again to whoever comes later."""
    mail, pillar = written
    mail.tell_once({"go": 7}, 1)
    mail.tell_once({"hold": 1.0})
    mail.welcome(2)
    assert await delivered(mail, pillar, 3) == [
        (["run-1"], [{"go": 7}]),
        (["run-0", "run-1"], [{"hold": 1.0}]),
        (["run-2"], [dict(BEGIN)]),
    ]


async def test_a_run_that_is_over_says_nothing(written: tuple[Mail, Pillar]) -> None:
    """Whoever speaks after the end is not heard, and is told of no error."""
    mail, pillar = written
    mail.close()
    mail.tell({"a": 1})
    mail.welcome(0)
    assert pillar.sent == []

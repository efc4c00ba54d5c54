"""Server-sent events: a page is told of each scene as it comes; who is slow misses some and never holds one up."""

from collections.abc import AsyncGenerator, Callable
from typing import Final

from batchgen.view.scene import Scene
from batchgen.view.watching import Watch

HEARTBEAT_SECONDS: Final = 15.0
"""A stream says something at least so often, so that one whose reader is gone comes to its end."""

_RETRY: Final = "retry: 1000\n\n"


def event(text: str, name: str = "") -> str:
    """One event; a text of several lines stays one event."""
    head = f"event: {name}\n" if name else ""
    return head + "".join(f"data: {line}\n" for line in text.splitlines() or [""]) + "\n"


async def events(watch: Watch, draw: Callable[[Scene], str] | None, seen: str = "") -> AsyncGenerator[str]:
    """Each scene as a message, if it is to be drawn, and `grown` when its newest milestone is not the one last `seen`.

    It ends with the server. A page has been drawn when it begins to listen, but may be old by then: the first scene is
    sent.
    """
    with watch.look():
        yield _RETRY
        number = 0
        while not watch.ended:
            scene = await watch.next(number, HEARTBEAT_SECONDS)
            if scene is None:
                yield ": nothing new\n\n"
                continue
            if draw is not None:
                yield event(draw(scene))
            if scene.seen != seen:
                yield event("", "grown")
            number, seen = scene.number, scene.seen

"""Whether a finished file is the picture it should be: decoded to its last pixel, in processes that may die of it."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Protocol, Self

import anyio
from anyio import CapacityLimiter, to_thread
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from batchgen.errors import BadAsset
from batchgen.picture import Picture
from batchgen.store import child

_PROGRAM: Final = (
    "import json, sys\n"
    "sys.path[:] = json.loads(sys.stdin.buffer.readline())\n"
    "from batchgen.store.child import main\n"
    "main()\n"
)
_LONGEST_ANSWER: Final = 4096
_LARGEST_SMALL: Final = 1024 * 1024
_GRACE_SECONDS: Final = 5
_KILLED: Final = frozenset({-2, -9, -15})
"""Signals that come from people and from a machine short of memory, not from a picture."""


class Check(Protocol):
    """Judges a finished file."""

    async def check(self, path: str) -> Picture:
        """What the file is.

        Raises:
            BadAsset: it is not one whole picture of a kind we take.
            OSError: it could not be judged.
        """
        ...


class Structure:
    """Judges by the structure alone: end marker, dimensions, frames. A picture damaged inside passes."""

    async def check(self, path: str) -> Picture:
        """What the file says it is."""
        return await to_thread.run_sync(child.structure, path)


class _Died(Exception):
    """A decoding process ended in the middle of its work."""


@dataclass(frozen=True, slots=True)
class _Decoding:
    """One process, which decodes one file at a time."""

    process: Process
    answers: BufferedByteReceiveStream

    async def ask(self, path: str) -> tuple[dict[str, Any], bytes]:
        """What it says, and the thumbnail behind that."""
        await self.send(path)
        answer: dict[str, Any] = json.loads(await self._line())
        return answer, await self._behind(answer.get("small", 0))

    async def ready(self) -> None:
        await self.send(sys.path)
        await self._line()

    async def send(self, message: str | list[str]) -> None:
        assert self.process.stdin is not None
        try:
            await self.process.stdin.send(json.dumps(message).encode("ascii") + b"\n")
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise _Died from error

    async def end(self) -> None:
        """Kill it, which loses nothing."""
        with anyio.CancelScope(shield=True):
            if self.process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    self.process.kill()
            await self.process.aclose()

    async def died(self) -> int:
        """What it ended with by itself. It is not killed for good measure: that can swallow the code."""
        with anyio.move_on_after(_GRACE_SECONDS, shield=True):
            await self.process.wait()
        await self.end()
        return self.process.returncode or 0

    async def _line(self) -> bytes:
        with _noticed():
            return await self.answers.receive_until(b"\n", _LONGEST_ANSWER)

    async def _behind(self, size: int) -> bytes:
        if size > _LARGEST_SMALL:
            raise _Died
        with _noticed():
            return await self.answers.receive_exactly(size) if size else b""


@contextlib.contextmanager
def _noticed() -> Iterator[None]:
    try:
        yield
    except (anyio.IncompleteRead, anyio.ClosedResourceError, anyio.BrokenResourceError) as error:
        raise _Died from error


class Decoder:
    """Judges by decoding everything, as many files at once as there are cores; to be entered with `async with`.

    A process that dies of a file is a bad picture, not a dead run; one that was killed from outside is neither: the
    file is tried once more, then OSError is raised.
    """

    def __init__(self, processes: int | None = None) -> None:
        self._limiter = CapacityLimiter(processes or len(os.sched_getaffinity(0)))
        self._idle: list[_Decoding] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every process. No check may be under way."""
        while self._idle:
            await self._idle.pop().end()

    async def check(self, path: str) -> Picture:
        """What the file is, all of it decoded.

        Raises:
            BadAsset: it is not one whole picture of a kind we take.
            OSError: it could not be read, or no decoder could be kept running.
        """
        async with self._limiter:
            answer, small = await self._ask(path) or await self._ask(path) or ({}, b"")
        match answer:
            case {"picture": [media_type, extension, width, height]}:
                return Picture(media_type, extension, width, height, small)
            case {"bad": reason}:
                raise BadAsset(reason)
            case {"errno": number, "text": text}:
                raise OSError(number, text, path)
        raise ChildProcessError("the picture decoder was killed twice from outside; free memory and run again")

    async def _ask(self, path: str) -> tuple[dict[str, Any], bytes] | None:
        """The answer of a process; None when it was killed from outside."""
        decoding = self._idle.pop() if self._idle else await _start()
        try:
            answer = await decoding.ask(path)
        except _Died:
            if await decoding.died() in _KILLED:
                return None
            return {"bad": str(child.refusal("decoding it ends the decoder"))}, b""
        except BaseException:
            await decoding.end()
            raise
        self._idle.append(decoding)
        return answer


async def _start() -> _Decoding:
    """Start a process and wait until it can decode."""
    command = [sys.executable, "-c", _PROGRAM]
    process = await anyio.open_process(command, stderr=subprocess.DEVNULL, env={}, start_new_session=True)
    assert process.stdout is not None
    decoding = _Decoding(process, BufferedByteReceiveStream(process.stdout))
    try:
        await decoding.ready()
    except _Died:
        code = await decoding.died()
        raise ChildProcessError(f"the picture decoder does not start (ended with {code}); try `{command[0]}`") from None
    except BaseException:
        await decoding.end()
        raise
    return decoding

"""The one reader of a batch's journal, whoever looks: it waits for the batch, follows it, and never writes.

All reading happens in one thread at a time. While nobody looks nothing is read.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol, TypeAlias, TypeVar

import anyio
import anyio.to_thread

from batchgen.errors import BatchgenError
from batchgen.journal import Record, lock
from batchgen.location import Location
from batchgen.view.agreed import Agreed
from batchgen.view.scene import Past, Scene, read_scene

TICK_SECONDS: Final = 0.5
"""How often a journal is looked at from outside; it is read only if it has changed."""

_REST: Final = 20
"""After reading, so many times as long as that took nothing is read: of a large batch fewer scenes are seen."""

MOST_REST_SECONDS: Final = 5.0
"""Nor is it left alone for longer: a reading that took long on a busy machine must not blind the page."""

_ASK_SECONDS: Final = 2.0
"""How often a journal in a database is asked whether anything is new."""

_RENEW_SECONDS: Final = 5.0
"""A forecast changes while nothing happens."""

_T = TypeVar("_T")
_Print: TypeAlias = tuple[object, ...]


class Open(Protocol):
    """Opens a batch's journal for reading."""

    def __call__(self, location: Location) -> AbstractContextManager[Record]:
        """The record, until the end of the block."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """Whose batch is watched: where it lives, how its journal is opened, and what its manifest says, if it can be read.

    `agreed` is given the path of the manifest as the journal knows it, empty when there is no journal.
    """

    location: Location
    open: Open
    agreed: Callable[[str], Agreed]


class Watch:
    """Follows one batch; `run` it in a task group, and ask it from anywhere in the same event loop."""

    def __init__(self, batch: Batch, clock: Callable[[], float] = time.time) -> None:
        self._batch, self._clock = batch, clock
        self._one_reader = anyio.CapacityLimiter(1)
        self._opened = ExitStack()
        self._record: Record | None = None
        self._opened_as: _Print = ()
        self._print: _Print = ()
        self._past = Past()
        self._looking = 0
        self._renewed = anyio.Event()
        self.scene = Scene()
        self.ended = False

    @property
    def looking(self) -> int:
        """How many look now."""
        return self._looking

    async def run(self) -> None:
        """Follow the batch until cancelled."""
        try:
            while True:
                began = anyio.current_time()
                if self._looking:
                    await self.refresh()
                await anyio.sleep(rest_seconds(anyio.current_time() - began))
        finally:
            self.end()
            with anyio.CancelScope(shield=True):
                await self._in_turn(self._close)

    def end(self) -> None:
        """Tell all who look that nothing more will come."""
        self.ended = True
        self._renewed.set()

    @contextmanager
    def look(self) -> Iterator[None]:
        """Look, until the end of the block."""
        self._looking += 1
        try:
            yield
        finally:
            self._looking -= 1

    async def next(self, number: int, patience_seconds: float) -> Scene | None:
        """The scene, as soon as it is another than that of this number; None when so long nothing has changed."""
        with anyio.move_on_after(patience_seconds):
            while self.scene.number == number and not self.ended:
                await self._renewed.wait()
        return self.scene if self.scene.number != number else None

    async def refresh(self) -> Scene:
        """The scene of now; the journal is read only if it has changed."""
        scene = await self._in_turn(self._look_again)
        if scene is not None:
            self.scene = replace(scene, number=self.scene.number + 1)
            renewed, self._renewed = self._renewed, anyio.Event()
            renewed.set()
        return self.scene

    async def ask(self, question: Callable[[Record], _T]) -> _T | None:
        """The answer of the journal; None when there is no journal.

        Raises:
            JournalError: it cannot be read.
        """
        return await self._in_turn(partial(self._answer, question))

    async def _in_turn(self, work: Callable[[], _T]) -> _T:
        return await anyio.to_thread.run_sync(work, limiter=self._one_reader)

    def _answer(self, question: Callable[[Record], _T]) -> _T | None:
        record = self._reopened()
        return None if record is None else question(record)

    def _look_again(self) -> Scene | None:
        """A new scene, None when nothing has changed; in the reader's thread."""
        found = self._fingerprint()
        if found == self._print and self.scene.number:
            return None
        try:
            record = self._reopened()
            scene = self._waiting() if record is None else self._read(record)
        except BatchgenError as error:
            self._close()
            scene = Scene(trouble=str(error))
        self._print = found
        return scene

    def _waiting(self) -> Scene:
        return Scene(agreed=self._batch.agreed(""))

    def _read(self, record: Record) -> Scene:
        scene, self._past = read_scene(record, str(self._batch.location.folder), self._clock(), self._past)
        same = self.scene.summary is not None and len(self.scene.runs) == len(scene.runs) and self.scene.axes
        axes = self.scene.axes if same else record.axes()
        if scene.summary is not None and scene.summary.live and scene.runs and scene.runs[0].ended is not None:
            self._opened_as = ()  # a run has begun that this record does not know: if it reads a copy, it never will
        return replace(scene, axes=axes, agreed=self._batch.agreed(record.identity.manifest))

    def _reopened(self) -> Record | None:
        """The record, opened anew when another file has its name."""
        path = self._batch.location.journal
        if self._batch.location.database:
            return self._in_a_database()
        try:
            found = path.stat()
        except OSError:
            self._close()
            return None
        if self._record is None or self._opened_as != (found.st_dev, found.st_ino):
            self._close()
            self._record = self._opened.enter_context(self._batch.open(self._batch.location))
            self._opened_as = (found.st_dev, found.st_ino)
        return self._record

    def _in_a_database(self) -> Record | None:
        """The record of a journal that lies elsewhere, which finds its server again by itself."""
        if self._record is None and self._batch.location.exists:
            self._record = self._opened.enter_context(self._batch.open(self._batch.location))
        return self._record

    def _close(self) -> None:
        self._record = None
        self._opened.close()

    def _fingerprint(self) -> _Print:
        """Differs when the journal was written, or began or ceased to be held, and now and then while a run goes."""
        if self._batch.location.database:
            return (int(self._clock() / _ASK_SECONDS),)
        path = str(self._batch.location.journal)
        live = lock.is_held(os.path.dirname(path))
        renewed = int(self._clock() / _RENEW_SECONDS) if live else 0
        return (_written(path), _written(f"{path}-wal"), live, renewed)


def rest_seconds(took_seconds: float) -> float:
    """How long a journal is left alone after a reading that took so long."""
    return min(max(TICK_SECONDS, _REST * took_seconds), MOST_REST_SECONDS)


def _written(path: str) -> _Print:
    try:
        found = os.stat(path)
    except OSError:
        return ()
    # an empty one beside the journal says no more than none: readers make it
    return (found.st_ino, found.st_size, found.st_mtime_ns) if found.st_size else ()

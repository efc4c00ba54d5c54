"""Tells of a run while it runs, from a thread of its own: a stalled terminal or a slow reader holds nothing up."""

import logging
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Protocol

from batchgen.cli.console import Console
from batchgen.journal import Progress
from batchgen.report.export import row
from batchgen.report.figures import Figures, as_json, one_line
from batchgen.report.plain import harmless
from batchgen.report.words import first_lines

logger = logging.getLogger(__name__)

EVERY_SECONDS = 60.0
LASTING_SECONDS = 3.0
"""A note is worth a line when it has stood for so long: under a rate limit pauses come and go all night."""

_COUNTED = re.compile(r"\d+")
"""A note that counts down says the same thing all the time."""

PATIENCE_SECONDS = 2.0
"""How long the end of a run waits for a reader that does not read."""


class Showing(Protocol):
    """One way to show snapshots."""

    def show(self, figures: Figures) -> None:
        """Show a snapshot, or not yet."""
        ...

    def close(self) -> None:
        """Show no more."""
        ...

    def leave(self) -> None:
        """Somebody else wrote on the terminal."""
        ...


class Lines:
    """A line every 60 s, as text and (with --json) as JSON, and a line when something holds the run back."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._due = EVERY_SECONDS
        self._told = self._newest = ""
        self._since = 0.0

    def show(self, figures: Figures) -> None:
        """Print what is due."""
        self._note(figures)
        if figures.elapsed_seconds < self._due:
            return
        self._due = (figures.elapsed_seconds // EVERY_SECONDS + 1) * EVERY_SECONDS
        self._console.say(one_line(figures))
        if self._console.voice.json:
            self._console.data({"event": "progress", **as_json(figures)})

    def _note(self, figures: Figures) -> None:
        words = _COUNTED.sub("", figures.note)
        if words != self._newest:
            self._newest, self._since = words, figures.elapsed_seconds
        if words != self._told and figures.elapsed_seconds - self._since >= LASTING_SECONDS:
            self._told = words
            self._console.say(harmless(figures.note) if figures.note else "going on")

    def close(self) -> None:
        """Nothing is left open."""

    def leave(self) -> None:
        """Lines are where they are."""


class Teller:
    """The observer of a run. Its three calls return at once."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._todo: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._latest: Figures | None = None
        self._showing: Showing = Lines(console)
        self._thread = threading.Thread(target=self._tell, name="teller", daemon=True)
        self._thread.start()

    def opened(self, folder: str, run: int, new: bool) -> None:  # noqa: FBT001  # the observer's contract
        """The batch is open: where, and which run this is."""
        self._todo.put(lambda: self._open(folder, run, new=new))

    def finished(self, progress: Progress) -> None:
        """A job is over."""
        if self._console.voice.json:
            self._todo.put(lambda: self._picture(progress))

    def figures(self, figures: Figures) -> None:
        """Where the run stands; of snapshots that nobody had time to show only the newest is."""
        due, self._latest = self._latest is None, figures
        if due:
            self._todo.put(self._show)

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Tell until the end of the block; a program that was suspended draws below what the shell wrote since."""
        here = threading.current_thread() is threading.main_thread()  # where alone signals are heard
        before = signal.signal(signal.SIGCONT, lambda *_: self._todo.put(self._leave)) if here else None
        try:
            yield
        finally:
            self.close()
            if here:
                signal.signal(signal.SIGCONT, before)

    def close(self) -> None:
        """Tell what is left, then be silent."""
        self._todo.put(None)
        self._thread.join(PATIENCE_SECONDS)

    def _tell(self) -> None:
        while (each := self._todo.get()) is not None:
            try:
                each()
            except Exception:  # telling of a run is never worth the run
                logger.warning("could not tell of the run", exc_info=True)
        self._showing.close()

    def _open(self, folder: str, run: int, *, new: bool) -> None:
        self._console.say(first_lines(folder, run, new=new))
        if paneled(self._console):
            from batchgen.cli.panel import Panel

            self._showing = Panel(self._console.people, os.path.basename(folder), run)

    def _leave(self) -> None:
        self._showing.leave()

    def _picture(self, progress: Progress) -> None:
        self._console.data({"event": "picture", **row(progress)})

    def _show(self) -> None:
        figures, self._latest = self._latest, None
        if figures is not None:
            self._showing.show(figures)


def paneled(console: Console) -> bool:
    """Whether there is a terminal to draw on, and nobody else writes on it."""
    voice = console.voice
    shared = voice.verbose or voice.quiet or (voice.json and console.out.isatty())
    return console.people.obeys and not shared

"""The moments of one life: every call is counted before and after it, and at one of them the process dies.

How it dies: `exception` comes out of the call (an I/O error, where the call is one of the disk), `full` is a disk
without room, `kill` is SIGKILL, `power` is a cut that leaves nothing but what was synced, `torn` one that leaves any
part of the rest.
"""

import errno
import json
import os
import signal
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, get_args

import apsw

Kind: TypeAlias = Literal["exception", "full", "kill", "power", "torn"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

OF_THE_DISK: Final = ("disk.", "fsync ", "sqlite.")
"""How the names of those calls begin that a full disk can fail."""


@dataclass(frozen=True, slots=True)
class Death:
    """How to die, and when: the `turn`-th time, counted from 1, that the moment of this name comes.

    What else happens before may differ from life to life, as when a commit of the journal has more or less company.
    """

    kind: Kind
    name: str
    turn: int


class Unforeseen(Exception):
    """Comes out of a call that nobody expected to fail."""


@dataclass(slots=True)
class Moments:
    """Counts the moments by name, and notes what happens in a file that no death touches.

    `log` is open for appending.
    """

    log: int
    death: Death | None = None
    _turns: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def pass_by(self, name: str) -> None:
        """One moment; `name` is the call's, with `before` or `after` in front."""
        with self._lock:
            self._turns[name] += 1
            turn = self._turns[name]
        self.note(moment=turn, name=name)
        if self.death is not None and (name, turn) == (self.death.name, self.death.turn):
            self.note(dies=turn)
            self._die(name.partition(" ")[2])

    def note(self, **fact: Any) -> None:
        """Write one line that outlives the process."""
        os.write(self.log, json.dumps(fact).encode() + b"\n")

    def _die(self, call: str) -> None:
        assert self.death is not None
        if self.death.kind in {"kill", "power", "torn"}:
            os.kill(os.getpid(), signal.SIGKILL)
            threading.Event().wait()  # the signal may take an instant to arrive, and nothing may follow it
        raise failure(call, full=self.death.kind == "full")


def failure(call: str, *, full: bool) -> Exception:
    """What comes out of a call that fails."""
    if call.startswith("sqlite."):
        return apsw.FullError("the disk is full") if full else apsw.IOError("the disk failed")
    if call.startswith(OF_THE_DISK):
        number = errno.ENOSPC if full else errno.EIO
        return OSError(number, os.strerror(number))
    return Unforeseen(call)

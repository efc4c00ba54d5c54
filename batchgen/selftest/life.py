"""One life of the program in a forked process: the whole run, with a death somewhere or none."""

import json
import logging
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn, cast

import anyio
import certifi

from batchgen.api import Waiting
from batchgen.api.cadence import Cadence, Look
from batchgen.batch import Means, RunOptions, Unwatched, run
from batchgen.errors import BatchgenError
from batchgen.journal.writing import SqlJournal
from batchgen.selftest.moments import Death, Moments
from batchgen.selftest.platter import Platter
from batchgen.selftest.shop import Shop, without
from batchgen.selftest.wrapped import MortalDisk, MortalJournal, MortalProvider, MortalSqlite, MortalStore, fsync

AUTHORITY = "authority.pem"
"""One certificate authority: reading all that there are would take longer than the rest of a life."""

LONGEST_SECONDS = 60
"""A life that takes longer hangs, and is ended."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where lives happen: `tree` is what a power cut may take from, `side` is beyond its reach.

    With `own_shop` the gateway is opened by every life and dies with it, else it is elsewhere.
    """

    root: Path
    shop: Shop
    own_shop: bool

    @property
    def tree(self) -> Path:
        """The manifest, the outputs folder, and the gateway's state if it is lost with the rest."""
        return self.root / "tree"

    @property
    def log(self) -> Path:
        """What happened, one JSON line each."""
        return self.root / "side" / "log"

    @property
    def out(self) -> Path:
        """What the lives printed and logged."""
        return self.root / "side" / "out"

    @property
    def platter(self) -> Platter:
        """The account of what would survive."""
        return Platter(self.tree, self.root / "side" / "account")

    @property
    def options(self) -> RunOptions:
        """The command."""
        return RunOptions(str(self.tree / "m.yaml"), outputs=str(self.tree / "outputs"))


class _Eager(Cadence):
    """Asks again at once: the gateway of a self test is quick."""

    def delay(self, look: Look, waiting: Waiting) -> float:  # noqa: ARG002
        """Next to nothing."""
        return 0.002


def live(place: Place, death: Death | None) -> int:
    """Run the command in a forked process; its exit code, or minus the signal that ended it."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        _born(place, death)
    try:
        _, status = os.waitpid(pid, 0)
    except BaseException:  # the self test is ended, and so are those it has started
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    return os.waitstatus_to_exitcode(status)


def _born(place: Place, death: Death | None) -> NoReturn:
    code = 70
    try:
        signal.alarm(LONGEST_SECONDS)
        out = os.open(place.out, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(out, 1)
        os.dup2(out, 2)
        logging.basicConfig(level=logging.DEBUG, stream=sys.stderr, force=True)
        os.environ |= {"XENODIA_API_KEY": place.shop.credential, "SSL_CERT_FILE": str(place.root.parent / AUTHORITY)}
        code = anyio.run(_run, place, death)
    except BatchgenError as error:
        code = error.exit_code
        traceback.print_exc()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


async def _run(place: Place, death: Death | None) -> int:
    log = os.open(place.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    moments = Moments(log, death)
    moments.note(life=os.getpid())
    disk = MortalSqlite(moments, place.platter)
    os.fsync = fsync(moments, place.platter)  # type: ignore[assignment]  # of this process, which has one purpose
    means = Means(
        disk=MortalDisk(moments),
        cadence=_Eager(),
        journal=lambda journal: cast(SqlJournal, MortalJournal(journal, moments)),
        store=lambda store: MortalStore(store, moments),
        provider=lambda provider: MortalProvider(provider, moments),
    )
    async with _own_shop(place):
        ending = await run(replace(place.options, means=means), Unwatched())
    disk.unregister()
    moments.note(modules=sorted(sys.modules))
    return ending.exit_code


def _own_shop(place: Place) -> AbstractAsyncContextManager[None]:
    return place.shop.open() if place.own_shop else without()


def facts(place: Place) -> Iterator[dict[str, Any]]:
    """What the lives have noted so far."""
    for line in place.log.read_bytes().splitlines() if place.log.exists() else ():
        yield json.loads(line)


def warm(place: Place) -> None:
    """Load what the life in this place has loaded, so that those forked from here need not."""
    for fact in facts(place):
        for name in fact.get("modules", ()):
            with suppress(ImportError):
                import_module(name)


def prepare(home: Path) -> None:
    """Put beside the places what all lives there use."""
    first, end, _ = Path(certifi.where()).read_text(encoding="utf-8").partition("-----END CERTIFICATE-----\n")
    (home / AUTHORITY).write_text(first + end, encoding="utf-8")

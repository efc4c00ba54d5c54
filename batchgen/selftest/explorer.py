"""Chooses the deaths to be tried, has them died by several processes at once, and counts what came of them."""

import json
import os
import selectors
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Final, NoReturn

from batchgen.selftest.life import prepare
from batchgen.selftest.moments import KINDS, OF_THE_DISK, Death, Kind
from batchgen.selftest.scene import CREDENTIAL, SETTINGS, Setting, calls, died, idempotency, keep, scene
from batchgen.selftest.shop import Shop, in_a_process, shop
from batchgen.terms import Idempotency

SAMPLE: Final = 300
"""So many deaths are tried unless all are asked for."""

TRIES: Final = 3
"""So often is a life begun whose death does not come."""


@dataclass(frozen=True, slots=True)
class Options:
    """What to explore. `deaths` None means every one; `first` ends at the first breach; `kept` keeps what it left.

    Two `workers` share a processor, since a life often waits for its gateway.
    """

    kinds: Sequence[Kind] = KINDS
    settings: Sequence[Setting] = SETTINGS
    deaths: int | None = SAMPLE
    seed: int = 1
    workers: int = field(default_factory=lambda: 2 * len(os.sched_getaffinity(0)))
    first: bool = False
    kept: Path | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """One death to be tried: the `turn`-th time that the moment comes which is named `name`."""

    setting: Setting
    kind: Kind
    name: str
    turn: int

    @property
    def call(self) -> str:
        """The call before or after which the process dies."""
        return self.name.partition(" ")[2]


@dataclass(frozen=True, slots=True)
class Breach:
    """A promise that a trial has broken."""

    trial: Trial
    what: str


@dataclass(frozen=True, slots=True)
class Row:
    """One call: how often it happens in the lives of all settings, and its deaths by kind."""

    call: str
    calls: int
    deaths: dict[str, int]
    breaches: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found; `moments` there are, `deaths` were died, `missed` never came."""

    rows: tuple[Row, ...]
    breaches: tuple[Breach, ...]
    moments: int
    deaths: int
    missed: int
    seconds: float


def explore(options: Options, told: Callable[[int, int], None] = lambda _done, _all: None) -> Outcome:
    """Die all the chosen deaths; blocks, and forks, so no other thread may be running.

    `told` hears now and then how many of how many are done.

    Raises:
        SettingsError: the batch does not even end well without a death.
    """
    began = time.monotonic()
    home = Path(tempfile.mkdtemp(prefix="batchgen-selftest-"))
    try:
        prepare(home)
        with _shops(home / "count") as shops:
            lives = {each: _moments(home, each, shops) for each in options.settings}
        trials = _chosen(lives, options)
        breaches, done, missed = [], [], 0
        for trial, found in _tried(home, trials, options):
            if found is None:
                missed += 1
            else:
                done.append(trial)
                breaches += [Breach(trial, each) for each in found]
            told(len(done) + missed, len(trials))
            if breaches and options.first:
                break
        if len(done) + missed < len(trials) and not breaches:
            raise RuntimeError("a process of the self test ended early; what it says stands above")
    finally:
        shutil.rmtree(home, ignore_errors=True)
    names = [name for life in lives.values() for name in life]
    rows = tuple(_counted(names, done, breaches))
    return Outcome(rows, tuple(breaches), len(names), len(done), missed, time.monotonic() - began)


def _moments(home: Path, setting: Setting, shops: dict[Idempotency, Shop]) -> list[str]:
    here = scene(home, setting, shops[idempotency(setting)])
    try:
        return calls(here)
    finally:
        here.end()


def _chosen(lives: dict[Setting, list[str]], options: Options) -> list[Trial]:
    """The trials in the order of trying: by lot, but every call once before any a second time."""
    lot = Random(options.seed)  # noqa: S311  # a sample, no secret
    trials = [
        Trial(setting, kind, name, turn)
        for setting, names in lives.items()
        for name, turn in _turns(names)
        for kind in options.kinds
        if kind != "full" or name.partition(" ")[2].startswith(OF_THE_DISK)
    ]
    lot.shuffle(trials)
    seen: Counter[str] = Counter()
    ranked: list[tuple[int, int, Trial]] = []
    for trial in trials:
        ranked.append((seen[trial.name], len(ranked), trial))
        seen[trial.name] += 1
    return [trial for _, _, trial in sorted(ranked, key=lambda each: each[:2])][: options.deaths]


def _turns(names: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Each with how often it has come by then."""
    came: Counter[str] = Counter()
    for name in names:
        came[name] += 1
        yield name, came[name]


def _tried(home: Path, trials: list[Trial], options: Options) -> Iterator[tuple[Trial, list[str] | None]]:
    """Every trial with its breaches, as they come from the workers; None where the death never came."""
    with ExitStack() as ends:
        pipes = [
            ends.enter_context(_worker(home, trials[n :: options.workers], options)) for n in range(options.workers)
        ]
        with selectors.DefaultSelector() as ready:
            rest = {}
            for pipe in pipes:
                ready.register(pipe, selectors.EVENT_READ)
                rest[pipe] = b""
            while rest:
                for key, _ in ready.select():
                    chunk = os.read(key.fd, 65536)
                    *lines, rest[key.fd] = (rest[key.fd] + chunk).split(b"\n")
                    for line in lines:
                        said = json.loads(line)
                        yield Trial(**said["trial"]), said["breaches"]
                    if not chunk:
                        ready.unregister(key.fd)
                        del rest[key.fd]


@contextmanager
def _worker(home: Path, trials: list[Trial], options: Options) -> Iterator[int]:
    """A process that tries these; yields the end of a pipe on which it tells one line of each."""
    ours, theirs = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        os.close(ours)
        _work(home, trials, options, theirs)
    os.close(theirs)
    try:
        yield ours
    finally:
        os.close(ours)
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)


def _work(home: Path, trials: list[Trial], options: Options, pipe: int) -> NoReturn:
    code = 0
    try:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with _shops(home / f"{os.getpid()}") as shops:
            for trial in trials:
                said = {"trial": asdict(trial), "breaches": _try(home, trial, shops, options)}
                os.write(pipe, json.dumps(said).encode() + b"\n")
    except SystemExit:
        pass
    except BaseException:
        traceback.print_exc()
        code = 1
    finally:
        sys.stderr.flush()
        os._exit(code)


def _try(home: Path, trial: Trial, shops: dict[Idempotency, Shop], options: Options) -> list[str] | None:
    """The breaches of a trial. A moment that did not come this time may come the next."""
    for _ in range(TRIES):
        breaches = _once(home, trial, shops, options)
        if breaches is not None:
            return breaches
    return None


def _once(home: Path, trial: Trial, shops: dict[Idempotency, Shop], options: Options) -> list[str] | None:
    here = scene(home, trial.setting, shops[idempotency(trial.setting)])
    try:
        lot = Random(f"{trial.name} {trial.turn}")  # noqa: S311  # the fate of bytes, no secret
        breaches = died(here, Death(trial.kind, trial.name, trial.turn), lot)
        if breaches and options.kept is not None:
            keep(here, options.kept)
        return breaches
    except Exception as broken:  # what cannot be judged has not held
        return [f"it could not be judged: {type(broken).__name__}: {broken}"]
    finally:
        here.end()


@contextmanager
def _shops(home: Path) -> Iterator[dict[Idempotency, Shop]]:
    """The gateways that are elsewhere, each in a process of its own."""
    kinds: tuple[Idempotency, ...] = ("replay", "none")
    shops = {each: shop(home / each, each, CREDENTIAL) for each in kinds}
    processes = [in_a_process(each) for each in shops.values()]
    try:
        yield shops
    finally:
        for (pid, pipe), each in zip(processes, shops.values(), strict=True):
            each.listener.close()
            os.close(pipe)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _counted(names: Sequence[str], done: Sequence[Trial], breaches: Sequence[Breach]) -> Iterator[Row]:
    calls: Counter[str] = Counter()
    for name in names:
        calls[name.partition(" ")[2]] += name.startswith("before")
    deaths: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for trial in done:
        deaths[trial.call][trial.kind] += 1
    broken = Counter(breach.trial.call for breach in breaches)
    for call in sorted(calls):
        yield Row(call, calls[call], dict(deaths[call]), broken[call])

"""Why a run ends before its work does, and what may still be finished then; reads no clock of its own."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf
from types import TracebackType
from typing import Any

import anyio

from batchgen.errors import WORST_FIRST, NotTaken, Parked, Stop


def _nobody(_: Mapping[str, Any]) -> None:
    """This process is the only one."""


@dataclass(slots=True)
class Halt:
    """What this run may still do: `buying` new work, `asking` the provider at all; and why not.

    `models` names the models that the credential may not use. Every reason is kept once, with its exit code. Where a
    run goes on in several processes, each has one: `tell` hears every order that is new here, to be obeyed there.
    """

    buying: bool = True
    asking: bool = True
    models: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    parked: int = 0
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    tell: Callable[[Mapping[str, Any]], None] = _nobody
    _waiting: set[anyio.CancelScope] = field(default_factory=set)
    _resting: set[anyio.CancelScope] = field(default_factory=set)

    def note(self, exit_code: int, reason: str) -> None:
        """Remember a reason for the end; the run goes on as it may."""
        if reason not in self.reasons:
            self.reasons[reason] = exit_code
            self.tell({"order": "note", "code": exit_code, "reason": reason})

    def park(self, reason: str) -> None:
        """One job waits for a later run; the others go on."""
        self.parked += 1
        self.note(75, reason)

    def stop_buying(self, exit_code: int, reason: str) -> None:
        """Start nothing new; what is paid for is carried to its end."""
        self.note(exit_code, reason)
        if self.buying:
            self.buying = False
            self.tell({"order": "stop_buying", "code": exit_code, "reason": reason})
        for scope in self._waiting:
            scope.cancel()

    def stop_model(self, model: str, reason: str) -> None:
        """Start nothing new with one model."""
        self.note(4, reason)
        if model not in self.models:
            self.models[model] = reason
            self.tell({"order": "stop_model", "model": model, "reason": reason})

    def stop_asking(self, exit_code: int, reason: str) -> None:
        """End the run: only what stands in a shelter is finished."""
        self.stop_buying(exit_code, reason)
        if self.asking:
            self.asking = False
            self.tell({"order": "stop_asking", "code": exit_code, "reason": reason})
        for scope in self._resting:
            scope.cancel()
        self.scope.cancel()

    def take(self, order: Mapping[str, Any]) -> None:
        """Obey what another process was told; what is none of ours is passed over."""
        match order:
            case {"order": "note", "code": int(code), "reason": str(reason)}:
                self.note(code, reason)
            case {"order": "stop_buying", "code": int(code), "reason": str(reason)}:
                self.stop_buying(code, reason)
            case {"order": "stop_model", "model": str(model), "reason": str(reason)}:
                self.stop_model(model, reason)
            case {"order": "stop_asking", "code": int(code), "reason": str(reason)}:
                self.stop_asking(code, reason)

    @contextmanager
    def while_buying(self) -> Iterator[None]:
        """Wait in here for leave to buy; left at once, quietly, when the run stops buying."""
        with _left_early(self._waiting, now=not self.buying):
            yield

    def obey(self, stop: Stop) -> None:
        """Do as the provider says that refuses this run: at once, before anybody else can buy."""
        (self.stop_asking if stop.credential else self.stop_buying)(stop.exit_code, str(stop))

    async def pause(self, sleep: Callable[[float], Awaitable[None]], seconds: float) -> None:
        """Sleep before a submit is tried again.

        Raises:
            NotTaken: the run stopped buying meanwhile; it is not tried again.
        """
        with self.while_buying():
            await sleep(seconds)
        if not self.buying:
            raise NotTaken("not taken, and not tried again: the run is ending")

    async def rest(self, sleep: Callable[[float], Awaitable[None]], seconds: float) -> None:
        """Sleep before a picture is tried for again, even in a shelter no longer than the run goes on.

        Raises:
            Parked: the run is ending; it is not tried again.
        """
        with _left_early(self._resting, now=not self.asking):
            await sleep(seconds)
        if not self.asking:
            raise Parked("pictures that are paid for are still to be fetched; the next run does")

    def worst(self) -> tuple[int, str]:
        """Exit code and reason of the end: of several, the one that matters most."""
        return worst_of(self.reasons) if self.reasons else (0, "")


@contextmanager
def _left_early(scopes: set[anyio.CancelScope], *, now: bool) -> Iterator[None]:
    """Wait in a scope that stands among these, and may be cancelled with them; at once if so told."""
    with anyio.CancelScope() as scope:
        if now:
            scope.cancel()
        scopes.add(scope)
        try:
            yield
        finally:
            scopes.discard(scope)


def worst_of(reasons: Mapping[str, int]) -> tuple[int, str]:
    """Of at least one reason with its exit code, the one that matters most."""
    reason = min(reasons, key=lambda each: WORST_FIRST.index(reasons[each]))
    return reasons[reason], reason


@dataclass(slots=True)
class Shelter:
    """Keeps open what costs money to break off: it outlives the cancelled run until the grace is over."""

    deadline: float = inf
    _scopes: set[anyio.CancelScope] = field(default_factory=set)

    def shield(self) -> "_Shielded":
        """A scope that only the end of the grace cancels, quietly: ask its `cancelled_caught`."""
        return _Shielded(self._scopes, anyio.CancelScope(shield=True, deadline=self.deadline))

    def expire(self, deadline: float) -> None:
        """End the grace at this moment of the event loop's clock; an earlier one stands."""
        self.deadline = min(self.deadline, deadline)
        for scope in self._scopes:
            scope.deadline = self.deadline


class _Shielded:
    """A scope that stands among these as long as somebody is in it."""

    __slots__ = ("_among", "_scope")

    def __init__(self, among: set[anyio.CancelScope], scope: anyio.CancelScope) -> None:
        self._among = among
        self._scope = scope

    def __enter__(self) -> anyio.CancelScope:
        self._among.add(self._scope)
        return self._scope.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._among.discard(self._scope)
        return bool(self._scope.__exit__(kind, error, trace))

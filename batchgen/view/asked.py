"""What the address of a page asks for, and the address of what could be asked for next; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias, cast, get_args
from urllib.parse import urlencode

from batchgen.journal import Mark, Selection, State

Chosen: TypeAlias = Literal["all"] | State

_AXIS: Final = "axis."
_LONGEST: Final = 500
"""Characters of a text that is searched for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A choice of jobs and a page of it; without a mark the newest. `newer` means the page after the mark in time."""

    state: Chosen = "stored"
    model: str = ""
    text: str = ""
    axes: Mapping[str, str] = field(default_factory=dict)
    mark: Mark | None = None
    newer: bool = False

    @property
    def narrowed(self) -> bool:
        """Whether anything but the state is asked for."""
        return bool(self.model or self.text or self.axes)

    @property
    def plain(self) -> "Asked":
        """The state alone."""
        return Asked(self.state)

    def selection(self) -> Selection:
        """The jobs that are meant; a payment in doubt counts when its job was replaced, too."""
        return Selection(
            states=frozenset() if self.state == "all" else frozenset({self.state}),
            standings=frozenset({"current", "replaced"} if self.state == "in_doubt" else {"current"}),
            models=frozenset({self.model}) if self.model else frozenset(),
            axes=self.axes,
            text=self.text,
        )

    def first(self) -> "Asked":
        """The same choice from its newest page."""
        return replace(self, mark=None, newer=False)

    def at(self, mark: Mark, *, newer: bool = False) -> "Asked":
        """The same choice on one side of a mark."""
        return replace(self, mark=mark, newer=newer)

    def of(self, state: Chosen) -> "Asked":
        """The newest page of another state."""
        return replace(self.first(), state=state)

    @property
    def query(self) -> str:
        """It as the query of an address, with its question mark; empty when nothing is asked for."""
        words: list[tuple[str, str]] = [("state", self.state)] if self.state != "stored" else []
        words += [("model", self.model)] if self.model else []
        words += [("q", self.text)] if self.text else []
        words += [(_AXIS + name, value) for name, value in self.axes.items()]
        if self.mark is not None:
            words.append(("after" if self.newer else "before", f"{self.mark.at!r}_{self.mark.job}"))
        return f"?{urlencode(words)}" if words else ""


def read(query: Mapping[str, str]) -> Asked:
    """Read a query; what cannot be understood was not asked for."""
    state = query.get("state", "stored")
    newer = "after" in query
    axes = {name.removeprefix(_AXIS): value for name, value in query.items() if name.startswith(_AXIS) and value}
    mark = _mark(query.get("after" if newer else "before", ""))
    return Asked(
        state=cast(Chosen, state) if state in {"all", *get_args(State)} else "stored",
        model=query.get("model", "")[:_LONGEST],
        text=query.get("q", "").strip()[:_LONGEST],
        axes=axes,
        mark=mark,
        newer=newer and mark is not None,
    )


def _mark(text: str) -> Mark | None:
    at, _, job = text.partition("_")
    try:
        return Mark(float(at), int(job)) if len(text) < 40 else None
    except ValueError:
        return None

"""The face of a room whose names are imported when they are first asked for, so that asking for one loads no other."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazily(room: str, places: Mapping[str, str]) -> Callable[[str], Any]:
    """A `__getattr__` for the package `room`: the names that it offers, each with the module that holds it."""

    def found(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        return getattr(import_module(places[name]), name)

    return found

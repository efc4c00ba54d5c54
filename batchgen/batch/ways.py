"""What processes elsewhere share with a run, and how they reach it; refused by name where they could not."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final
from urllib.parse import urlsplit

from batchgen.errors import SettingsError
from batchgen.guard import is_loopback
from batchgen.journal import Journal
from batchgen.store import Store
from batchgen.store.decode import Check

HERE: Final = "local"
"""A cluster that this machine makes for the run."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How a process elsewhere reaches what all share; can be pickled. `folders` are those that must not fill up."""

    journal: Callable[[], AbstractAsyncContextManager[Journal]]
    store: Callable[[Check], Store]
    folders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shared:
    """What a run would share: its journal's file and its folder, and whether references have URLs with signatures."""

    journal: str
    folder: str
    signed: bool


def require_shared(dask: str, shared: Shared) -> None:
    """Make sure that the workers of a cluster reach all that they need, before anything is sent.

    Raises:
        SettingsError: they do not; the message names what.
    """
    if find_spec("distributed") is None:
        raise SettingsError("--dask needs Dask: pip install 'batchgen[dask]'. Nothing was sent")
    if not on_this_machine(dask):
        raise SettingsError(
            f"--dask {dask}: its workers may be on other machines, and cannot write the journal {shared.journal} or "
            f"pictures to {shared.folder}, which are files of this one; use --dask local, or a scheduler that listens "
            "on 127.0.0.1. Nothing was sent"
        )
    if shared.signed:
        raise SettingsError(
            "--dask: some references have a signature in their URL, which is a secret and goes to no worker; give "
            "the pictures as files. Nothing was sent"
        )


def on_this_machine(dask: str) -> bool:
    """Whether all workers of a cluster are here: nobody else reaches a scheduler on loopback."""
    return dask == HERE or is_loopback(urlsplit(dask if "://" in dask else f"tcp://{dask}").hostname or "")

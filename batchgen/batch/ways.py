"""What processes elsewhere share with a run, and how they reach it; refused by name where they could not."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final

from batchgen.errors import SettingsError
from batchgen.journal import Journal
from batchgen.store import Store
from batchgen.store.decode import Check

HERE: Final = "local"
"""A cluster on this machine: whatever it reaches, its workers do."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How a process elsewhere reaches what all share; can be pickled. `folders` are those that must not fill up."""

    journal: Callable[[], AbstractAsyncContextManager[Journal]]
    store: Callable[[Check], Store]
    folders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shared:
    """What a run would share: its journal's file, empty where it is a database; its folder, empty where it is a bucket.

    `local_provider` is the gateway of a rehearsal, `signed` that references have URLs with signatures.
    """

    journal: str
    local_store: str
    local_provider: bool
    signed: bool


def require_shared(dask: str, shared: Shared) -> None:
    """Make sure that the workers of a cluster reach all that they need, before anything is sent.

    Raises:
        SettingsError: they do not; the message names what.
    """
    if shared.journal:
        raise SettingsError(
            f"--dask: several processes write the journal then, and {shared.journal} is a file that one may write; "
            "name a PostgreSQL database in its place. Nothing was sent"
        )
    if dask != HERE and shared.local_store:
        raise SettingsError(
            f"--dask {dask}: workers on other machines cannot write to {shared.local_store}; name an object store in "
            "its place, or use --dask local. Nothing was sent"
        )
    if dask != HERE and shared.local_provider:
        raise SettingsError(
            f"--dask {dask}: workers on other machines cannot reach the gateway that a rehearsal starts here; rehearse "
            "with --dask local. Nothing was sent"
        )
    if shared.signed:
        raise SettingsError(
            "--dask: some references have a signature in their URL, which is a secret and goes to no worker; give "
            "the pictures as files. Nothing was sent"
        )

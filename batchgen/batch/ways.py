"""What processes elsewhere share with a run, and how they reach it; refused by name where they could not."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final
from urllib.parse import urlsplit

from batchgen.batch.asked import Asked
from batchgen.batch.storing import Keeping, pictures_of
from batchgen.errors import SettingsError
from batchgen.guard import is_loopback
from batchgen.journal import Joining
from batchgen.manifest.provider import Local

HERE: Final = "local"
"""A cluster that this machine makes for the run."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How a process elsewhere reaches journal and pictures of a batch; can be pickled, and holds no secret.

    `hidden` is the folder of this machine for what belongs to the journal, `folders` are those that must not fill up.
    `apart`: the process has none of them, and takes a folder of its own.
    """

    journal: Joining
    kept: Keeping
    batch_id: str
    hidden: str
    folders: tuple[str, ...] = ()
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Shared:
    """What a run would share: where its journal and its pictures are, whether others reach them, and what is secret.

    `forgetful` says that the pictures are in the memory of one process, `signed` that references have URLs with
    signatures, `rehearsed` that the provider is a gateway of this machine.
    """

    journal: str
    pictures: str
    database: bool = False
    placed: bool = False
    forgetful: bool = False
    signed: bool = False
    rehearsed: bool = False

    @property
    def everywhere(self) -> bool:
        """Whether other machines can reach them at all."""
        return self.database and self.placed and not self.rehearsed


def shared_by(asked: Asked, *, signed: bool) -> Shared:
    """What a run would share."""
    location, kept = asked.location, pictures_of(asked.location)
    return Shared(
        location.database or str(location.journal),
        kept.url or str(location.folder),
        database=bool(location.database),
        placed=bool(kept.url) and not kept.forgetful,
        forgetful=kept.forgetful,
        signed=signed,
        rehearsed=isinstance(asked.manifest.provider, Local),
    )


def require_shared(dask: str, shared: Shared) -> None:
    """Make sure that the workers of a cluster reach all that they need, before anything is sent.

    Raises:
        SettingsError: they do not; the message names what.
    """
    if find_spec("distributed") is None:
        raise SettingsError("--dask needs Dask: pip install 'batchgen[dask]'. Nothing was sent")
    if shared.forgetful:
        raise SettingsError(f"--dask: pictures in {shared.pictures} are seen by one process alone. Nothing was sent")
    if shared.signed:
        raise SettingsError(
            "--dask: some references have a signature in their URL, which is a secret and goes to no worker; give "
            "the pictures as files. Nothing was sent"
        )
    if not on_this_machine(dask) and not shared.everywhere:
        raise SettingsError(
            f"--dask {dask}: its workers may be on other machines, and cannot {' or '.join(_beyond_reach(shared))}; "
            "use --dask local, or a scheduler that listens on 127.0.0.1. Nothing was sent"
        )


def _beyond_reach(shared: Shared) -> list[str]:
    """What workers on other machines cannot do."""
    beyond = []
    if shared.rehearsed:
        beyond.append("speak to the gateway of a rehearsal")
    if not shared.database:
        beyond.append(f"write the journal {shared.journal}, a file of this one (--journal postgresql://…)")
    if not shared.placed:
        beyond.append(f"bring pictures to {shared.pictures}, a folder of this one (--store s3://…)")
    return beyond


def on_this_machine(dask: str) -> bool:
    """Whether all workers of a cluster are here, for all that its address says."""
    return dask == HERE or is_loopback(urlsplit(dask if "://" in dask else f"tcp://{dask}").hostname or "")


def apart(dask: str, shared: Shared) -> bool:
    """Whether workers are to do without the files of this machine.

    What listens on loopback may be the near end of a tunnel: only the cluster that a run makes for itself is here for
    sure.
    """
    return dask != HERE and shared.everywhere

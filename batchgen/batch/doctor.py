"""What is wrong with key, network, proxy, disk, clock and versions; asks the provider only what is free."""

import os
import platform
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias
from urllib.parse import urlsplit

import anyio
import apsw

import batchgen
from batchgen.api.limits import Reach
from batchgen.batch.records import open_record
from batchgen.batch.seller import client_of, require_credential
from batchgen.batch.storing import pictures_of
from batchgen.errors import BatchgenError, Damaged, Parked, TaskFailed
from batchgen.journal.filesystem import network_kind, require_locks
from batchgen.location import Location
from batchgen.manifest.load import Manifest, load
from batchgen.manifest.provider import Remote
from batchgen.settings import Surroundings, environment, surroundings
from batchgen.store.decode import Structure
from batchgen.store.space import floor_bytes, shortage

SOUND_SQLITE: Final = (3, 51, 3)
"""Older ones may lose a journal when a log starts anew (the WAL-reset race)."""

SKEW_SECONDS: Final = 120

Part: TypeAlias = Literal["versions", "disk", "files", "journal", "lock", "network", "key", "provider", "clock"]


@dataclass(frozen=True, slots=True)
class Examined:
    """One thing that was looked at; `exit_code` is 0 when it is well."""

    part: Part
    text: str
    exit_code: int = 0


async def doctor(location: Location, source: str, provider: str | None) -> list[Examined]:
    """Everything that a run would need, looked at one after the other; the journal is only read."""
    found = list(await anyio.to_thread.run_sync(lambda: list(_machine(location))))
    if await anyio.to_thread.run_sync(os.path.isdir, source):
        return [*found, Examined("provider", "not asked: name the manifest to have it asked")]
    try:
        manifest = await anyio.to_thread.run_sync(load, source, provider)
        around = surroundings()
    except BatchgenError as error:
        return [*found, Examined("provider", str(error), error.exit_code)]
    if not isinstance(manifest.provider, Remote):
        return [*found, Examined("provider", "local: painted on this machine, for nothing")]
    return [*found, _network(manifest.provider, around), *await _provider(manifest, manifest.provider)]


def worst(found: list[Examined]) -> int:
    """The exit code of the whole examination: the first of these that was met."""
    met = {each.exit_code for each in found}
    return next((code for code in (5, 2, 4, 75) if code in met), 1 if met - {0} else 0)


def _machine(location: Location) -> Iterator[Examined]:
    yield _versions()
    yield _tried("disk", lambda: _disk(location))
    yield _tried("files", lambda: _files(location))
    yield _tried("journal", lambda: _journal(location))


def _tried(part: Part, look: Callable[[], Examined]) -> Examined:
    try:
        return look()
    except BatchgenError as error:
        return Examined(part, str(error), error.exit_code)
    except OSError as error:
        return Examined(part, f"{error.strerror}: {error.filename}", 2)


def _versions() -> Examined:
    version = apsw.sqlite_lib_version()
    text = f"batchgen {batchgen.__version__}, Python {platform.python_version()}, SQLite {version}"
    sound = tuple(int(each) for each in version.split(".")[:3]) >= SOUND_SQLITE
    needed = ".".join(map(str, SOUND_SQLITE))
    return Examined(
        "versions",
        text if sound else f"{text}; it may lose a journal, install apsw {needed} or newer",
        0 if sound else 2,
    )


def _disk(location: Location) -> Examined:
    folders = [str(_there(each)) for each in (location.folder, location.journal.parent)]
    if short := shortage(folders, floor_bytes(in_flight=0)):
        return Examined("disk", short, 4)
    free = os.statvfs(folders[0])
    return Examined("disk", f"{free.f_bavail * free.f_frsize / 1e9:,.1f} GB free for {location.folder}")


def _files(location: Location) -> Examined:
    """Whether pictures can be written, and what kind of place the journal lies in."""
    above, kept = _there(location.folder), pictures_of(location)
    anyio.run(kept.probe)
    if above == location.folder and not kept.url:
        anyio.run(kept.store(Structure()).ready)
    elif not os.access(above, os.W_OK | os.X_OK):
        return Examined("files", f"cannot write into {above}; free it or choose another output folder", 2)
    home = _there(location.journal.parent)
    if not (kind := network_kind(str(home))):
        where = f" into {kept.url}" if kept.url else ""
        return Examined("files", f"pictures can be written{where}; the journal lies on a disk of this machine")
    require_locks(str(home))
    return Examined("files", f"the journal lies on {kind}: its locks hold, and it does without a write-ahead log")


def _journal(location: Location) -> Examined:
    if not location.exists:
        return Examined("journal", "none yet: the first run makes it")
    with open_record(location) as record:
        runs = record.runs
        if not runs:
            raise Damaged
        if record.live:
            return Examined("lock", f"process {runs[0].pid} on {runs[0].host} runs this batch now", 75)
        ended = "ended" if runs[0].ended is not None else "was killed; the next run goes on"
        return Examined("journal", f"run {runs[0].number} {ended}; `batchgen verify` reads all of it")


def _network(remote: Remote, around: Surroundings) -> Examined:
    scheme, host = urlsplit(remote.base_url).scheme, urlsplit(remote.base_url).hostname or ""
    proxy = around.proxies.get(scheme) or around.proxies.get("all")
    through = f"through the proxy {urlsplit(proxy).hostname}" if proxy and host not in around.no_proxy else "no proxy"
    return Examined("network", f"{remote.base_url}, {through}{', own certificates' if around.ca_file else ''}")


async def _provider(manifest: Manifest, remote: Remote) -> list[Examined]:
    try:
        require_credential(manifest, environment())
    except BatchgenError as error:
        return [Examined("key", str(error), error.exit_code)]
    key = Examined("key", "there is one, and it is not shown")
    try:
        async with client_of(manifest, remote, Reach(), environment()) as client:
            with suppress(TaskFailed, Parked):  # no such task; but a key that is refused is heard of here
                await client.status("batchgen-doctor")
            skew = await client.clock_skew_seconds()
            known = await client.models()
    except BatchgenError as error:
        return [key, Examined("provider", str(error), error.exit_code)]
    told = "; ".join(("answers", *known.warnings))
    return [key, Examined("provider", told), _clock(skew)]


def _clock(skew: float | None) -> Examined:
    """Our clock against the provider's: tokens and URLs live by it."""
    if skew is None:
        return Examined("clock", "the provider does not tell its time")
    if abs(skew) > SKEW_SECONDS:
        way = "ahead" if skew > 0 else "behind"
        return Examined("clock", f"this machine is {abs(skew):,.0f} s {way} of the provider; set its clock", 2)
    return Examined("clock", "this machine and the provider agree")


def _there(folder: Path) -> Path:
    """The nearest folder that exists."""
    return next(each for each in (folder, *folder.parents) if each.is_dir())

"""An object store, by the few things that are asked of it; what it says is told as errors of the operating system.

Objects are only ever created or removed: whoever comes second to a name is told so by the store itself. The hash of an
object stands in its metadata, sent in the same request as its bytes.
"""

import errno
import io
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from batchgen.errors import Foreign, SettingsError
from batchgen.store.address import Address
from batchgen.store.answers import as_told, bucket_missing, credential
from batchgen.store.calls import ways
from batchgen.store.names import HOME, checked

if TYPE_CHECKING:
    from obstore.store import ObjectStore

PROBES: Final = f"{HOME}/probes"
OWNER: Final = f"{HOME}/owner"

_HASH: Final = "batchgensha256"
"""The metadata key: letters and digits alone, since every provider forbids some other character."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of an object without its bytes; `sha256` is empty when it does not say."""

    size: int
    sha256: str
    tag: str | None


class Bucket:
    """A place in an object store; names are relative to it.

    Raises:
        SettingsError: a name would leave the place, or cannot be an object's.
        PermissionError: the credential may not do this.
        ConnectionError: no usable answer, after several tries.
        OSError: anything else that the store says.
    """

    def __init__(self, url: str, store: "ObjectStore") -> None:
        self.url = url
        self._store = store

    async def create(self, name: str, data: bytes, *, media_type: str, sha256: str = "") -> bool:
        """Write an object whole, in one request; False when there is one of this name, which stays as it is."""
        import obstore  # noqa: PLC0415 - an extra, and only wanted here
        from obstore.exceptions import AlreadyExistsError, PreconditionError  # noqa: PLC0415

        attributes = {"Content-Type": media_type} | ({_HASH: sha256} if sha256 else {})
        with self._telling():
            try:
                await obstore.put_async(self._store, _named(name), data, mode="create", attributes=attributes)
            except (AlreadyExistsError, PreconditionError):
                return False
        return True

    async def replace(self, name: str, data: bytes, seen: Seen, media_type: str) -> bool:
        """Write over the very object that was seen; False when it is another one by now, or gone."""
        import obstore  # noqa: PLC0415
        from obstore.exceptions import PreconditionError  # noqa: PLC0415

        attributes = {"Content-Type": media_type}
        with self._telling():
            try:
                await obstore.put_async(
                    self._store, _named(name), data, mode={"e_tag": seen.tag}, attributes=attributes
                )
            except (PreconditionError, FileNotFoundError):
                return False
        return True

    async def look(self, name: str) -> Seen | None:
        """What an object says of itself, None when there is none."""
        import obstore  # noqa: PLC0415

        with self._telling():
            try:
                return _seen(await obstore.get_async(self._store, _named(name), options={"head": True}))
            except FileNotFoundError as gone:
                self._require_bucket(gone)
                return None

    async def read(self, name: str) -> bytes | None:
        """The bytes of an object, None when there is none."""
        import obstore  # noqa: PLC0415

        with self._telling():
            try:
                found = await obstore.get_async(self._store, _named(name))
                return bytes(await found.bytes_async())
            except FileNotFoundError as gone:
                self._require_bucket(gone)
                return None

    async def names(self, prefix: str) -> list[str]:
        """The names of all objects below a name."""
        import obstore  # noqa: PLC0415

        with self._telling():
            found = await obstore.list(self._store, _named(prefix), chunk_size=1000).collect_async()
            return [each["path"] for each in found]

    async def remove(self, name: str) -> None:
        """Remove an object; nothing happens if it is not there."""
        import obstore  # noqa: PLC0415

        with self._telling():
            try:
                await obstore.delete_async(self._store, _named(name))
            except FileNotFoundError as gone:
                self._require_bucket(gone)

    def size(self, name: str) -> int | None:
        """The size of an object, None when there is none. Blocks."""
        import obstore  # noqa: PLC0415

        with self._telling():
            try:
                return int(obstore.head(self._store, _named(name))["size"])
            except FileNotFoundError as gone:
                self._require_bucket(gone)
                return None

    def open(self, name: str) -> BinaryIO:
        """The bytes of an object, held in memory; FileNotFoundError when there is none. Blocks."""
        import obstore  # noqa: PLC0415

        with self._telling():
            try:
                return io.BytesIO(bytes(obstore.get(self._store, _named(name)).bytes()))
            except FileNotFoundError as gone:
                self._require_bucket(gone)
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name) from None

    def sizes(self) -> dict[str, int]:
        """All objects with their sizes, as they are at this moment, a thousand to a request. Blocks."""
        import obstore  # noqa: PLC0415

        found: dict[str, int] = {}
        with self._telling():
            for page in obstore.list(self._store, chunk_size=1000):
                found.update((each["path"], each["size"]) for each in page)
        return found

    async def probe(self) -> None:
        """Prove that objects can be written here, that none is ever written over, and that they keep their hash.

        Raises:
            SettingsError: they cannot; the message names the place.
        """
        name = f"{PROBES}/{secrets.token_hex(8)}"
        try:
            await self.create(name, b"batchgen", media_type="text/plain", sha256="probe")
            if await self.create(name, b"another", media_type="text/plain"):
                raise SettingsError(f"{self.url} lets one object replace another unasked; pictures could be lost there")
            seen = await self.look(name)
            await self.remove(name)
        except OSError as error:
            raise SettingsError(f"{error.strerror}; mend that, or name another place with --store") from None
        if seen is None or seen.sha256 != "probe":
            raise SettingsError(f"{self.url} does not keep the metadata of objects; name another place with --store")

    async def claim(self, batch_id: str) -> None:
        """Mark the place as that of one journal; callable again.

        Raises:
            Foreign: it is another journal's.
        """
        if await self.create(OWNER, f"{batch_id}\n".encode("ascii"), media_type="text/plain"):
            return
        known = await self.owner()
        if known != batch_id:
            raise Foreign(
                f"The pictures in {self.url} belong to another journal (batch {known}), not to this one"
                f" (batch {batch_id}); name that journal with --journal, or another place with --store."
            )

    async def owner(self) -> str | None:
        """The batch id of the journal that the place belongs to, None before the first."""
        mark = await self.read(OWNER)
        return None if mark is None else mark.decode("ascii", "replace").strip()

    def _require_bucket(self, gone: FileNotFoundError) -> None:
        if missing := bucket_missing(self.url, gone):
            raise missing from None

    @contextmanager
    def _telling(self) -> Iterator[None]:
        from obstore.exceptions import BaseError  # noqa: PLC0415

        try:
            yield
        except FileNotFoundError as gone:
            self._require_bucket(gone)
            raise OSError(errno.ENOENT, f"{self.url} has no such object") from None
        except BaseError as broken:
            raise as_told(self.url, broken) from None  # the library's own message shows requests and answers


def open_bucket(place: Address, environ: Mapping[str, str]) -> Bucket:
    """The object store at an address, as its environment has it; nothing is asked yet.

    Raises:
        SettingsError: the extra is not installed, or something that every call needs is not set.
    """
    try:
        from obstore.exceptions import BaseError  # noqa: PLC0415
        from obstore.store import MemoryStore, from_url  # noqa: PLC0415
    except ImportError:
        raise SettingsError("--store needs the extra `cloud`: pip install 'batchgen[cloud]'") from None
    if place.scheme == "memory":
        return Bucket(str(place), MemoryStore())
    try:
        return Bucket(str(place), from_url(str(place), **ways(place, environ)))
    except (BaseError, ValueError):
        raise SettingsError(f"{place}: set {credential(str(place))} in the environment") from None


def _named(name: str) -> str:
    checked(name)
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise SettingsError(f"{name!r} cannot be the name of an object; mend the output path") from None
    return name


def _seen(found: Any) -> Seen:
    return Seen(int(found.meta["size"]), str(found.attributes.get(_HASH, "")), found.meta["e_tag"])

"""Which store keeps the pictures of a batch, and how readers see them; picklable, so that other processes may ask."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import anyio

from batchgen.errors import SettingsError, Unfinished
from batchgen.location import Location
from batchgen.store import Shelf
from batchgen.store.address import Address, address
from batchgen.store.decode import Check
from batchgen.store.disk import Disk
from batchgen.store.local import MAX_BYTES, LocalShelf, LocalStore
from batchgen.store.owner import claim, owner, remember
from batchgen.store.references import BucketReferences, FolderReferences, References


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where pictures are kept: `url` as `Location.kept_in` gives it, `folder` where parts and thumbnails are.

    A credential is not in it: whoever opens the store looks for one in its own environment.
    """

    folder: str
    url: str = ""
    disk: Disk | None = field(default=None, compare=False)
    max_bytes: int = MAX_BYTES

    @property
    def here_only(self) -> bool:
        """Whether no other machine can see the pictures, for all that is known of the place."""
        return not self.url or address(self.url).scheme in {"file", "memory"}

    @property
    def forgetful(self) -> bool:
        """Whether the pictures are gone when the process is."""
        return self.url.startswith("memory:")

    def store(self, check: Check) -> LocalStore:
        """The store of one run.

        Raises:
            SettingsError: it cannot be opened at all; nothing was asked yet.
        """
        place = self._place()
        if place is None or place.folder:
            return LocalStore(place.folder if place else self.folder, check, disk=self.disk, max_bytes=self.max_bytes)
        from batchgen.store.bucket import open_bucket  # noqa: PLC0415 - only who keeps pictures elsewhere pays for it
        from batchgen.store.objects import BucketStore  # noqa: PLC0415

        bucket = open_bucket(place, _environ())
        return BucketStore(bucket, self.folder, check, disk=self.disk, max_bytes=self.max_bytes)

    def shelf(self) -> Shelf:
        """The pictures for readers who look at all of them: an object store is listed now, once. Blocks.

        Raises:
            Unfinished: the store does not answer.
            SettingsError: it cannot be used as it is set.
        """
        place = self._place()
        if place is None or place.folder:
            return LocalShelf(place.folder if place else self.folder)
        from batchgen.store.bucket import open_bucket  # noqa: PLC0415
        from batchgen.store.objects import ListedShelf  # noqa: PLC0415

        listed = ListedShelf(open_bucket(place, _environ()))
        try:
            listed.look()
        except ConnectionError as away:
            raise Unfinished(f"{away.strerror}; run again later") from None
        except OSError as refused:
            raise SettingsError(f"{refused.strerror}; mend that") from None
        return listed

    def asked(self) -> Shelf:
        """The pictures for readers who look at some of them, as they are whenever they are asked for."""
        place = self._place()
        if place is None or place.folder:
            return LocalShelf(place.folder if place else self.folder)
        from batchgen.store.bucket import open_bucket  # noqa: PLC0415
        from batchgen.store.objects import BucketShelf  # noqa: PLC0415

        return BucketShelf(open_bucket(place, _environ()))

    def references(self) -> References:
        """Where references are shared with other machines."""
        place = self._place()
        if place is None or place.folder:
            return FolderReferences(place.folder if place else self.folder)
        from batchgen.store.bucket import open_bucket  # noqa: PLC0415

        return BucketReferences(open_bucket(place, _environ()))

    @property
    def files(self) -> str:
        """The folder of this machine that holds the pictures as files; empty when none does."""
        place = self._place()
        return self.folder if place is None else place.folder

    async def probe(self) -> None:
        """Prove that a place beside the batch folder can be written; nothing is left there.

        Raises:
            SettingsError: it cannot.
        """
        place = self._place()
        if place is not None and not place.folder:
            from batchgen.store.bucket import open_bucket  # noqa: PLC0415

            await open_bucket(place, _environ()).probe()

    async def take(self, batch_id: str) -> None:
        """Mark folder and place as those of one journal, and remember the place; callable again.

        Raises:
            Foreign: one of them is another journal's.
            OSError: it cannot be written.
        """
        await anyio.to_thread.run_sync(claim, self.folder, batch_id)
        place = self._place()
        if place is None:
            return
        await anyio.to_thread.run_sync(remember, self.folder, self.url)
        if place.folder:
            await anyio.to_thread.run_sync(claim, place.folder, batch_id)
            return
        from batchgen.store.bucket import open_bucket  # noqa: PLC0415

        await open_bucket(place, _environ()).claim(batch_id)

    async def require_ours(self, batch_id: str) -> None:
        """Make sure that this process sees the place that was taken, wherever it runs.

        Raises:
            SettingsError: it sees another one, or none.
        """
        if (known := await self._owner()) != batch_id:
            seen = "not marked as its own" if known is None else "another batch's"
            raise SettingsError(
                f"{self.url or self.folder} is {seen} as it is seen here; give this machine the same place, a folder "
                "under the same name, an object store by the same settings"
            )

    async def _owner(self) -> str | None:
        place = self._place()
        if place is None or place.folder:
            return await anyio.to_thread.run_sync(owner, place.folder if place else self.folder)
        from batchgen.store.bucket import open_bucket  # noqa: PLC0415

        return await open_bucket(place, _environ()).owner()

    def _place(self) -> Address | None:
        return address(self.url) if self.url else None


def pictures_of(location: Location, *, disk: Disk | None = None, max_bytes: int = MAX_BYTES) -> Keeping:
    """Where the pictures of a batch are kept.

    Raises:
        SettingsError: `--store` names no place, or another than the one that holds them.
    """
    return Keeping(str(location.folder), location.kept_in(), disk, max_bytes)


def require_lasting(kept: Keeping, *, free: bool) -> None:
    """Refuse to buy pictures for a place that forgets them.

    Raises:
        SettingsError: it does, and they cost money.
    """
    if kept.forgetful and not free:
        raise SettingsError(f"{kept.url} forgets its pictures when the run ends; it is for rehearsals that are free")


def _environ() -> Mapping[str, str]:
    return os.environ

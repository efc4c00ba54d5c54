"""Where pictures land: four verbs, judged by tests/contracts/store.py, which reads behind the store's back.

A picture is durable under its final name before `save` returns, and a proof of it stays until `remove`, so that a
crash between the two is recognised by `find` and nobody is asked again. No file is ever written over.
"""

from collections.abc import AsyncIterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol

from batchgen.job import Asset

if TYPE_CHECKING:
    from batchgen.label import Label


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a picture of a job goes: `stem` is the final name without extension, relative, with slashes.

    A task may give several pictures: this is number `index` of `of`, both from 1. `label` is what is said of it.
    """

    job: int
    stem: str
    index: int = 1
    of: int = 1
    label: "Label | None" = None


@dataclass(frozen=True, slots=True)
class Saved:
    """A picture that is durable; `proof` is the name to `remove` once that is journaled, empty when there is none."""

    asset: Asset
    proof: str = ""


class Store(Protocol):
    """A place for pictures. Names are relative to it, with slashes; its errors are OSError and BadAsset."""

    async def save(self, slot: Slot, chunks: AsyncIterable[bytes]) -> Saved:
        """Write, check and publish one picture; the extension follows from its bytes.

        A label that is to be embedded is in the file before it is hashed; one that goes beside it is durable as
        `<picture>.json` before this returns, but never over a file that is none of ours.

        Durable and atomic: under the final name there is nothing or the whole picture. A file that is not ours under
        that name is left alone and the picture gets a name of its own beside it; the same bytes there are adopted.

        Raises:
            BadAsset: the bytes are not a whole picture of a kind we take; nothing is left behind.
            OSError: the place failed; nothing is left under the final name, or the picture without its sidecar, and a
                proof by which `find` mends that.
        """
        ...

    async def find(self, job: int, stem: str, label: "Label | None" = None) -> tuple[Saved, ...]:
        """The pictures that an interrupted run had saved for this job, published now if they were not; else empty.

        All of a task's pictures or none, with the sidecars that `label` asks for.
        What was torn is removed. Callable twice.
        """
        ...

    async def move(self, asset: Asset, stem: str) -> Saved:
        """Give a picture another name, durably; `proof` is the old name, to `remove` once the new one is journaled.

        A sidecar of ours goes with it.
        It is empty when something else stands under the old name by now.

        Callable twice, and after a crash in between. Never over a file that is not this picture.

        Raises:
            FileExistsError: another file holds the new name.
            FileNotFoundError: the picture is not there under either name.
        """
        ...

    async def remove(self, name: str) -> None:
        """Remove one name, and the sidecar of ours beside it; nothing happens if it is not there."""
        ...


class Shelf(Protocol):
    """A store as readers see it."""

    def stat(self, name: str) -> int | None:
        """Size in bytes, None when there is no such file."""
        ...

    def open(self, name: str) -> BinaryIO:
        """The bytes of a picture; FileNotFoundError when there is no such file."""
        ...

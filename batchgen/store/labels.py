"""What is said of a picture: written into its part before that is proven, and beside it under its own name. Blocks.

A file beside a picture is only ours if it reads like one of ours; any other is never touched.
"""

import hashlib
import logging
import os

from batchgen.errors import BadAsset
from batchgen.job import Asset
from batchgen.label import LONGEST_SIDECAR, SUFFIX, Label, embedded, read_sidecar, sidecar
from batchgen.picture import Picture
from batchgen.store.child import structure
from batchgen.store.folder import Folder
from batchgen.store.names import PARTS
from batchgen.store.parts import Part

logger = logging.getLogger(__name__)


class Labels:
    """The labels of the pictures in a folder; what a picture cannot say is told once."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._told: set[str] = set()

    def inscribe(self, part: Part, job: int, label: Label, picture: Picture) -> Part:
        """A finished part with the label in it, in the place of one without; the same part if it cannot hold any."""
        with open(part.path, "rb") as file:
            data, short = embedded(file.read(), picture.media_type, label.facts)
        self._tell(short)
        other = Part(self._folder, job)
        try:
            other.hold(data)
            other.finish()
            whole = _is(other.path, picture)
        except BaseException:
            other.discard()
            raise
        if not whole:
            self._tell("a picture would not have been whole any more")
        kept, left = (other, part) if whole else (part, other)
        left.discard()
        return kept

    def put(self, asset: Asset, label: Label) -> None:
        """Put a sidecar beside a picture, durably, unless a file that is none of ours has its name."""
        self._put(asset.name, sidecar(label, asset))

    def move(self, asset: Asset, name: str) -> None:
        """Put the sidecar that a picture has beside its new name too, durably."""
        text = _read(self._folder, asset.name)
        found = read_sidecar(text)
        if found is not None and found.get("sha256") == asset.sha256:
            self._put(name, text)

    def remove(self, name: str) -> None:
        """Remove the sidecar beside a name, if it is one of ours."""
        if read_sidecar(_read(self._folder, name)) is not None:
            self._folder.remove(name + SUFFIX)

    def _put(self, name: str, text: bytes) -> None:
        target, digest = name + SUFFIX, hashlib.sha256(text).hexdigest()
        if self._folder.adopt(target, digest):
            return
        part = Part(self._folder, 0)  # of no job: if we are killed, a sweep removes it
        try:
            part.hold(text)
            part.finish()
            self._publish(f"{PARTS}/{os.path.basename(part.path)}", target, digest)
        finally:
            part.discard()

    def _publish(self, source: str, target: str, digest: str) -> None:
        try:
            self._folder.publish(source, [target], digest)
        except FileExistsError:
            name = target.removesuffix(SUFFIX)
            if read_sidecar(_read(self._folder, name)) is None:
                self._tell(f"{target} is no file of batchgen's, and was left alone")
                return
            self._folder.remove(target)  # ours, of a picture that is not there any more
            self._folder.publish(source, [target], digest)

    def _tell(self, what: str) -> None:
        if what and what not in self._told:
            self._told.add(what)
            logger.warning("%s; the journal has all that would have been said", what)


def _read(folder: Folder, name: str) -> bytes:
    """The bytes of what lies beside a picture; empty when there is nothing, or too much."""
    try:
        with folder.open(name + SUFFIX) as file:
            return file.read(LONGEST_SIDECAR)
    except FileNotFoundError:
        return b""


def _is(path: str, picture: Picture) -> bool:
    """Whether a file is, by its structure, the picture that it was."""
    try:
        return structure(path) == picture
    except BadAsset:
        return False

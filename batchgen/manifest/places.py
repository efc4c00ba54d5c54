"""Where a job's fields stand in the manifest, so that any later check can point at them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from batchgen.manifest.load import Document
from batchgen.manifest.nodes import Scalar, Table, find
from batchgen.manifest.problems import Problem
from batchgen.manifest.sentences import shown

Path: TypeAlias = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a manifest: `index` counts characters from 0, `path` are the keys that lead there."""

    document: Document
    index: int
    path: Path

    def problem(self, message: str, *, hint: str = "") -> Problem:
        """What is wrong here."""
        return self.document.source.problem(self.index, message, path=shown(self.path), hint=hint)

    def __str__(self) -> str:
        return self.document.source.named(self.index)


@dataclass(frozen=True, slots=True)
class Origin:
    """What in the manifest makes a job: the paths where its fields may stand, by precedence, highest first."""

    layers: tuple[Path, ...]
    prompt: Path | None = None

    def paths(self, field: str) -> Sequence[Path]:
        """Where a field may stand, and at last the job itself."""
        above = [("references",)] if field == "references" else [("takes",)] if field == "takes" else []
        if field == "prompt" and self.prompt is not None:
            return [self.prompt, *self.layers]
        return [*((*layer, field) for layer in self.layers), *above, self.layers[0]]


def place(document: Document, origin: Origin, field: str, item: int | str | None = None) -> Place:
    """Where a field of a job stands, or the job itself if nobody set it; `item` goes one step further in."""
    path = next((path for path in origin.paths(field) if find(document.tree, path)), ())
    if item is not None and (inner := find(document.tree, (*path, item))):
        return Place(document, inner.start, (*path, item))
    node = find(document.tree, path) or document.tree
    is_empty = isinstance(node, Scalar) and node.start == node.end
    return Place(document, key_start(document, path) if is_empty else node.start, path)


def key_start(document: Document, path: Path) -> int:
    """Where the key stands that a path ends in; the start of its owner when there is none."""
    owner = find(document.tree, path[:-1])
    if isinstance(owner, Table) and path[-1] in owner.entries:
        return owner.entries[str(path[-1])][0].start
    return owner.start if owner else 0

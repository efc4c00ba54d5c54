"""Where a job's fields stand in the manifest, so that any later check can point at them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
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

    def problem(self, message: str, *, hint: str = "", row: int = 0) -> Problem:
        """What is wrong here, or with a row of the table that is used here."""
        return replace(self.document.source.problem(self.index, message, path=shown(self.path), hint=hint), row=row)

    def inside(self, offset: int) -> "Place":
        """The place of a character of the text that stands here; the text itself where that cannot be told."""
        node = find(self.document.tree, self.path)
        if not isinstance(node, Scalar) or not 0 <= offset <= len(node.text):
            return self
        return replace(self, index=node.start + _way(self.document.source.text, node, offset))

    def __str__(self) -> str:
        return self.document.source.named(self.index)


@dataclass(frozen=True, slots=True)
class Origin:
    """What in the manifest makes a job: the paths where its fields may stand, by precedence, highest first.

    `prompt` is the prompt of the catalogue that it is made with. `named` is where its id comes from: its own `id`, a
    template of one, or a name of the catalogue.
    """

    layers: tuple[Path, ...]
    prompt: Path | None = None
    named: Path = ()

    def paths(self, field: str) -> Sequence[Path]:
        """Where a field may stand, by precedence."""
        found = [(*layer, field) for layer in self.layers]
        match field:
            case "references" | "takes":
                found.append((field,))
            case "prompt" if self.prompt is not None:
                overrides = [path for path in found if path[0] == "overrides"]
                found = [*overrides, self.prompt, *found[len(overrides) :]]
            case "id":
                found.append(self.named)
        return found

    @property
    def owner(self) -> Path:
        """The job itself, or the part of the catalogue that it is made from."""
        return next((layer for layer in self.layers if layer[0] not in {"overrides", "defaults"}), self.named)


def place(document: Document, origin: Origin, field: str, item: int | str | None = None) -> Place:
    """Where a field of a job stands, or the job itself if nobody set it; `item` goes one step further in."""
    return stated(document, origin, field, item) or at(document, origin.owner)


def stated(document: Document, origin: Origin, field: str, item: int | str | None = None) -> Place | None:
    """Where a field of a job stands, None if nobody set it."""
    path = next((path for path in origin.paths(field) if find(document.tree, path)), None)
    if path is None:
        return None
    inner = (*path, item) if item is not None else path
    return at(document, inner if find(document.tree, inner) else path)


def at(document: Document, path: Path) -> Place:
    """Where a value stands, or its key if the value is empty or a name of the catalogue has it."""
    node = find(document.tree, path) or document.tree
    is_empty = isinstance(node, Scalar) and node.start == node.end
    return Place(document, key_start(document, path) if is_empty else node.start, path)


def name_place(document: Document, origin: Origin) -> Place:
    """Where a job gets its id."""
    if origin.named[:1] in {("prompts",), ("models",)}:
        return Place(document, key_start(document, origin.named), origin.named)
    return at(document, origin.named)


def key_start(document: Document, path: Path) -> int:
    """Where the key stands that a path ends in; the start of its owner when there is none."""
    owner = find(document.tree, path[:-1])
    if isinstance(owner, Table) and path[-1] in owner.entries:
        return owner.entries[str(path[-1])][0].start
    return owner.start if owner else 0


def _way(source: str, node: Scalar, offset: int) -> int:
    """How far a character of a scalar stands from the scalar's start, as it is written."""
    number = node.text.count("\n", 0, offset)
    begin = node.text.rfind("\n", 0, offset) + 1
    line = node.text[begin:].split("\n", 1)[0]
    raw, skipped = source[node.start : node.end], 0
    if raw[:1] in {"|", ">"}:
        skipped = raw.find("\n") + 1
    for _ in range(number):
        skipped = raw.find("\n", skipped) + 1
    at = raw.find(line, skipped) if line else -1
    return at + offset - begin if at >= 0 else 0

"""The few words of a manifest that say where its batch lives, even when the rest of it is wrong."""

from dataclasses import dataclass
from pathlib import Path

from batchgen.errors import ManifestError
from batchgen.manifest.names import batch_name
from batchgen.manifest.nodes import Node, Scalar, find
from batchgen.manifest.source import Source
from batchgen.manifest.tree import parse


@dataclass(frozen=True, slots=True)
class Glance:
    """The batch's name, whether it is a rehearsal, and where its journal is if not in the batch folder."""

    name: str
    local: bool
    journal: str | None


def peek(path: Path) -> Glance:
    """Read the name of a manifest's batch.

    Raises:
        ManifestError: it cannot be read, or has no usable name.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig", "replace")
    except OSError as error:
        raise ManifestError(f"{path}: this manifest cannot be read: {error.strerror}") from None
    tree, _ = parse(Source(str(path), text))
    name = _text(find(tree, ("name",)))
    try:
        known = batch_name(name)
    except ValueError as error:
        raise ManifestError(f"{path}: where its batch lives cannot be told: {error}; mend `name:`") from None
    return Glance(known, _text(find(tree, ("provider",))) == "local", _text(find(tree, ("journal",))) or None)


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""

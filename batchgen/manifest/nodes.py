"""A parsed YAML document: leaves, lists and mappings that know their places (character indices from 0)."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from batchgen.manifest.scalars import Value


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A leaf: its value, its text as parsed, and where it stands."""

    value: Value
    text: str
    start: int
    end: int
    plain: bool


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """A list."""

    items: list["Node"]
    start: int


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A mapping, merges folded in; `flow` says that it is written with braces."""

    entries: dict[str, tuple[Scalar, "Node"]]
    start: int
    flow: bool


Node: TypeAlias = Scalar | Items | Table


def plain(node: Node) -> Any:
    """The tree as dicts, lists and values."""
    match node:
        case Scalar(value=value):
            return value
        case Items(items=items):
            return [plain(item) for item in items]
        case Table(entries=entries):
            return {key: plain(value) for key, (_, value) in entries.items()}


def find(node: Node, path: tuple[int | str, ...]) -> Node | None:
    """The node at a path of keys and indices, None when there is none."""
    for step in path:
        match node, step:
            case Table(entries=entries), str() if step in entries:
                node = entries[step][1]
            case Items(items=items), int() if 0 <= step < len(items):
                node = items[step]
            case _:
                return None
    return node

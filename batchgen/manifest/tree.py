"""YAML events → a tree whose every node knows its place; never a tag, a second document, a cycle or a bomb.

The tree is built from the parser's events, so nesting is counted before anything recurses, and the size of an alias
is known before it is followed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from batchgen.manifest.characters import StandIns
from batchgen.manifest.nodes import Items, Node, Scalar, Table
from batchgen.manifest.problems import ManifestProblems, Problem
from batchgen.manifest.scalars import resolve
from batchgen.manifest.source import Source
from batchgen.manifest.traps import explain

DEPTH: Final = 64
COPIES: Final = 1_000_000
"""Nodes that aliases may add to a document, all together."""

_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")


@dataclass(slots=True)
class _Frame:
    """A container that is still open; `key` waits for its value."""

    event: Any
    items: list[Node] = field(default_factory=list)
    pairs: list[tuple[Node, Node]] = field(default_factory=list)
    key: Node | None = None
    size: int = 1
    height: int = 0


@dataclass(frozen=True, slots=True)
class _Anchored:
    node: Node
    size: int
    height: int


def parse(source: Source) -> tuple[Node, list[Problem]]:
    """The tree of a text, and the problems that did not keep it from being read.

    Raises:
        ManifestProblems: it cannot be read further: syntax, depth, aliases.
    """
    if found := _FORBIDDEN.search(source.text):
        code = ord(found[0])
        hint = f'in double quotes it can be written: "\\u{code:04x}"' if code else ""
        message = f"a manifest holds no control characters; this is U+{code:04X}"
        raise ManifestProblems([source.problem(found.start(), message, hint=hint)])
    return _Builder(source).build()


class _Builder:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._problems: list[Problem] = []
        self._stand_ins = StandIns.of(source.text)
        self._frames: list[_Frame] = []
        self._anchors: dict[str, _Anchored | None] = {}
        self._copied = 0
        self._root: Node | None = None
        self._documents = 0

    def build(self) -> tuple[Node, list[Problem]]:
        for event in self._events():
            self._take(event)
        if self._root is None:
            raise self._fatal(0, "the manifest is empty", hint="batchgen: 1")
        return self._root, self._problems

    def _events(self) -> Iterator[Any]:
        text = self._stand_ins.text if self._stand_ins else self._source.text
        try:
            yield from yaml.parse(text, Loader=yaml.CSafeLoader)
        except yaml.MarkedYAMLError as error:
            raise ManifestProblems([explain(error, self._source)]) from None

    def _take(self, event: Any) -> None:
        self._check_tag(event)
        match event:
            case yaml.ScalarEvent():
                self._put(self._scalar(event), event, size=1, height=0)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._open(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._close()
            case yaml.AliasEvent():
                self._follow(event)
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise self._fatal(_index(event), "a manifest is one document; this begins a second one")

    def _scalar(self, event: Any) -> Scalar:
        text = self._stand_ins.restored(event) if self._stand_ins else event.value
        bare = event.implicit[0]
        if "\0" in text:
            self._say(_index(event), "text holds no NUL character")
        return Scalar(resolve(text) if bare else text, text, _index(event), event.end_mark.index, bare)

    def _open(self, event: Any) -> None:
        if len(self._frames) >= DEPTH:
            raise self._fatal(_index(event), f"nested deeper than {DEPTH} levels")
        if event.anchor:
            self._anchors[event.anchor] = None
        self._frames.append(_Frame(event))

    def _close(self) -> None:
        frame = self._frames.pop()
        start = _index(frame.event)
        if isinstance(frame.event, yaml.SequenceStartEvent):
            node: Node = Items(frame.items, start)
        else:
            node = Table(self._entries(frame), start, bool(frame.event.flow_style))
        self._put(node, frame.event, size=frame.size, height=frame.height + 1)

    def _follow(self, event: Any) -> None:
        at, known = _index(event), self._anchors.get(event.anchor)
        if known is None:
            inside = event.anchor in self._anchors
            message = f"`*{event.anchor}` is inside itself" if inside else f"no `&{event.anchor}` stands before this"
            raise self._fatal(at, message, hint="a text that begins with * or & needs quotes")
        self._copied += known.size
        if self._copied > COPIES:
            raise self._fatal(at, f"aliases blow this file up beyond {COPIES:,} more nodes")
        if len(self._frames) + known.height > DEPTH:
            raise self._fatal(at, f"nested deeper than {DEPTH} levels")
        self._hang(known.node, known.size, known.height)

    def _put(self, node: Node, event: Any, *, size: int, height: int) -> None:
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(node, size, height)
        self._hang(node, size, height)

    def _hang(self, node: Node, size: int, height: int) -> None:
        if not self._frames:
            self._root = node
            return
        frame = self._frames[-1]
        frame.size += size
        frame.height = max(frame.height, height)
        if isinstance(frame.event, yaml.SequenceStartEvent):
            frame.items.append(node)
        elif frame.key is None:
            frame.key = node
        else:
            frame.pairs.append((frame.key, node))
            frame.key = None

    def _entries(self, frame: _Frame) -> dict[str, tuple[Scalar, Node]]:
        own: dict[str, tuple[Scalar, Node]] = {}
        merged: dict[str, tuple[Scalar, Node]] = {}
        for key, value in frame.pairs:
            if isinstance(key, Scalar) and key.plain and key.text == "<<":
                merged = {**self._merged(value), **merged}
            elif self._is_name(key) and isinstance(key, Scalar):
                self._check_new(key, own)
                own.setdefault(key.text, (key, value))
        return {**merged, **own}

    def _merged(self, value: Node) -> dict[str, tuple[Scalar, Node]]:
        merged: dict[str, tuple[Scalar, Node]] = {}
        for table in value.items if isinstance(value, Items) else [value]:
            if not isinstance(table, Table):
                self._say(table.start, "`<<` merges a mapping, or a list of mappings")
                continue
            merged = {**table.entries, **merged}
        return merged

    def _check_new(self, key: Scalar, own: dict[str, tuple[Scalar, Node]]) -> None:
        if key.text in own:
            first = self._source.named(own[key.text][0].start)
            self._say(key.start, f"the key `{key.text}` stands here twice, first on {first}")

    def _is_name(self, key: Node) -> bool:
        if isinstance(key, Scalar) and isinstance(key.value, str):
            return "\0" not in key.text
        braces = self._source.text.startswith("{", key.start) and self._source.text.startswith("{", key.start - 1)
        if braces:
            self._say(
                key.start - 1, "a value that begins with `{{` needs quotes", hint='quote it: "{{ id }}.{{ ext }}"'
            )
        elif isinstance(key, Scalar):
            self._say(key.start, "a key is text; put this one in quotes", hint=f'"{key.text}":')
        else:
            self._say(key.start, "a key is text, never a list or a mapping")
        return False

    def _check_tag(self, event: Any) -> None:
        if getattr(event, "tag", None) is not None:
            self._say(_index(event), "a manifest holds no tags", hint="a text that begins with ! needs quotes")

    def _say(self, index: int, message: str, *, hint: str = "") -> None:
        self._problems.append(self._source.problem(index, message, hint=hint))

    def _fatal(self, index: int, message: str, *, hint: str = "") -> ManifestProblems:
        return ManifestProblems([*self._problems, self._source.problem(index, message, hint=hint)])


def _index(event: Any) -> int:
    return int(event.start_mark.index)

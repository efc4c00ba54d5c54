"""A manifest file becomes a Manifest, or every problem in it is named. Sends nothing and reads no other file."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from batchgen.errors import ManifestError, SettingsError
from batchgen.manifest import agreed, sentences
from batchgen.manifest.checks import cross_checks
from batchgen.manifest.nodes import Items, Node, Scalar, Table, plain
from batchgen.manifest.paths import PathTemplate
from batchgen.manifest.problems import ManifestProblems, Problem
from batchgen.manifest.provider import LOOKS_SECRET, Provider, named
from batchgen.manifest.schema import ManifestFile
from batchgen.manifest.source import Source
from batchgen.manifest.tree import parse
from batchgen.terms import Terms

LARGEST: Final = 32 * 1024 * 1024
"""Bytes of a manifest."""


@dataclass(frozen=True, slots=True)
class Document:
    """The manifest as written: its bytes, its text with places, its tree, and its keys checked one by one."""

    raw: bytes
    source: Source
    tree: Node
    keys: ManifestFile


@dataclass(frozen=True, slots=True)
class Output:
    """Where pictures go, how they are looked at (`decode` or `structure`), and what is said of them: beside, inside."""

    path: PathTemplate
    check: str
    sidecar: bool = False
    embed: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest, checked and frozen. Prompt files and references start at `root` and end inside it.

    `path` is the file as it was named, `folder` its absolute folder; `journal` None means in the batch folder, or in
    the `database` of this URL; `table` is read in place of the one that `rows` names.
    """

    name: str
    path: Path
    folder: Path
    root: Path
    provider: Provider
    output: Output
    terms: Terms
    journal: Path | None
    document: Document
    table: Path | None = None
    database: str = ""

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        provider: str | None = None,
        root: str | os.PathLike[str] | None = None,
    ) -> "Manifest":
        """Read and check one manifest; takes and raises what `load` of this module does. Blocks."""
        return load(path, provider, root)


def load(
    path: str | os.PathLike[str],
    provider: str | None = None,
    root: str | os.PathLike[str] | None = None,
    table: str | os.PathLike[str] | None = None,
) -> Manifest:
    """Read and check one manifest.

    `provider`, `local` or a URL, replaces the manifest's own; `root` the folder where references, prompt files and the
    table start; `table` is read in place of the one that `rows` names.

    Raises:
        ManifestProblems: with every problem found, each with its line and column.
        ManifestError: there is no such file, or it cannot be read.
        SettingsError: `provider` is neither `local` nor a URL.
    """
    document = _document(Path(path))
    keys, folder = document.keys, Path(path).absolute().parent
    seller = agreed.provider(keys.provider) if provider is None else _named(provider)
    return Manifest(
        name=keys.name,
        path=Path(path),
        folder=folder,
        root=folder if root is None else Path(root).absolute(),
        provider=seller,
        output=Output(keys.output.path, keys.output.check, keys.output.sidecar == "json", keys.output.embed),
        terms=agreed.terms(keys, seller),
        journal=folder / keys.journal if keys.journal and "://" not in keys.journal else None,
        database=keys.journal if keys.journal and "://" in keys.journal else "",
        document=document,
        table=None if table is None else Path(table),
    )


def _named(provider: str) -> Provider:
    try:
        return named(provider)
    except ValueError as error:
        raise SettingsError(f"--provider: {error}") from None


def _document(path: Path) -> Document:
    raw = _read(path)
    source = Source(str(path), _decoded(raw, str(path)))
    tree, problems = parse(source)
    problems += sentences.cut_prompts(tree, source)
    keys = None
    try:
        keys = ManifestFile.model_validate(plain(_without_notes(tree)))
    except ValidationError as error:
        problems += sentences.problems(error, tree, source)
    else:
        problems += cross_checks(keys, tree, source)
    problems += _credentials(tree, source, problems)
    if problems or keys is None:
        raise ManifestProblems(problems)
    return Document(raw, source, tree, keys)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise ManifestError(
            f"{path}: there is no such manifest; name one, or write a first one with `batchgen init`"
        ) from None
    except OSError as error:
        raise ManifestError(f"{path}: this manifest cannot be read: {error.strerror}") from None
    if len(raw) > LARGEST:
        raise ManifestError(f"{path}: a manifest has at most 32 MiB; split it into several batches")
    return raw


def _decoded(raw: bytes, file: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig")
        source = Source(file, before)
        message = f"a manifest is UTF-8; the byte 0x{raw[error.start]:02x} is not"
        wide = raw[:2] in {b"\xff\xfe", b"\xfe\xff"}
        hint = "it is saved as UTF-16; save it as UTF-8" if wide else ""
        raise ManifestProblems([source.problem(len(before), message, hint=hint)]) from None


def _without_notes(tree: Node) -> Node:
    """The tree less its `x-` keys, which are a place for anchors."""
    if not isinstance(tree, Table):
        return tree
    kept = {name: entry for name, entry in tree.entries.items() if not name.startswith("x-")}
    return Table(kept, tree.start, tree.flow)


def _credentials(tree: Node, source: Source, known: list[Problem]) -> Iterator[Problem]:
    """Values that look like a credential, where one might be put."""
    if not isinstance(tree, Table):
        return
    places = {(problem.line, problem.column) for problem in known if not problem.source}
    for name, (_, value) in tree.entries.items():
        if name == "provider" or name.startswith("x-"):
            for leaf in _leaves(value):
                if LOOKS_SECRET.fullmatch(leaf.text.strip()) and source.place(leaf.start) not in places:
                    message = "this looks like a credential; put it in the environment: api_key: env:XENODIA_API_KEY"
                    yield source.problem(leaf.start, message, path=name, secret=True)


def _leaves(node: Node) -> Iterator[Scalar]:
    match node:
        case Scalar():
            yield node
        case Items(items=items):
            for item in items:
                yield from _leaves(item)
        case Table(entries=entries):
            for _, value in entries.values():
                yield from _leaves(value)

"""What a manifest's jobs were made from, in a few words that a later run can hold against the files without expanding.

Text files and tables are known by their hash, reference pictures by size and time of change. Where a reference is a
pattern or a template, only expanding can tell whether a file has come or gone, and then there are no such words.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from batchgen.job import RECIPE, FileReference
from batchgen.manifest.load import Manifest
from batchgen.manifest.schema import PromptFile

MOST: Final = 10_000
"""Reference files whose state is kept; with more of them, expanding is the quicker way."""

_CHUNK: Final = 1024 * 1024
_PATTERN: Final = re.compile(r"[*?\[]|\{[{%#]")


def inputs(manifest: Manifest, references: Iterable[FileReference]) -> str:
    """The words for a manifest and the reference files of its jobs; empty when only expanding can tell."""
    pictures = sorted({each.path for each in references})
    if len(pictures) > MOST or any(map(_is_open_ended, _references(manifest))):
        return ""
    try:
        files = {name: _digest(manifest.root / name) for name in sorted(_named(manifest))}
        states = {name: _state(manifest.root / name) for name in pictures}
    except OSError:
        return ""
    return json.dumps({"manifest": _manifest(manifest), "files": files, "pictures": states}, sort_keys=True)


def moved(was: str, manifest: Manifest) -> list[str]:
    """Which of the inputs are not as they were, by name; `the manifest` also when there are no words to compare."""
    try:
        known: dict[str, Any] = json.loads(was)
        found = [] if known["manifest"] == _manifest(manifest) else ["the manifest"]
        found += [name for name, digest in known["files"].items() if _or_none(_digest, manifest.root / name) != digest]
        found += [name for name, state in known["pictures"].items() if _or_none(_state, manifest.root / name) != state]
    except (ValueError, KeyError, TypeError, AttributeError):
        return ["the manifest"]
    return found


def _manifest(manifest: Manifest) -> str:
    """The digest of the manifest itself, and of what stands beside it in the command: its root, another table."""
    parts = (f"recipe {RECIPE}", os.path.realpath(manifest.root), *sorted(_named(manifest)))
    told = "\0".join(parts).encode(errors="surrogatepass")
    return hashlib.sha256(told + b"\0" + manifest.document.raw).hexdigest()


def _named(manifest: Manifest) -> set[str]:
    """The text files that a manifest names: prompts and tables."""
    return set(_files(manifest.document.keys))


def _files(value: object) -> Iterator[str]:
    match value:
        case PromptFile(file=name):
            yield name
        case BaseModel():
            for name in value.model_fields_set:
                yield from [str(getattr(value, name))] if name == "from_" else _files(getattr(value, name))
        case dict():
            for each in value.values():
                yield from _files(each)
        case list():
            for each in value:
                yield from _files(each)


def _references(manifest: Manifest) -> Iterator[object]:
    keys = manifest.document.keys
    yield from keys.references
    for job in keys.jobs:
        yield from job.references or ()


def _is_open_ended(reference: object) -> bool:
    """Whether other files may be meant another time, though the manifest and its tables stay as they are."""
    text = reference if isinstance(reference, str) else getattr(reference, "path", None) or ""
    if "://" in text:
        return "{{" in text
    return bool(_PATTERN.search(text)) or getattr(reference, "missing", "stop") == "skip"


def _digest(path: Path) -> str:
    whole = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            whole.update(chunk)
    return whole.hexdigest()


def _state(path: Path) -> list[int]:
    found = os.stat(path)
    return [found.st_size, found.st_mtime_ns]


def _or_none(read: Any, path: Path) -> object:
    try:
        return read(path)
    except OSError:
        return None

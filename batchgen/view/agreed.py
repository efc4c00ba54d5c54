"""What a batch's manifest says that its journal does not: how much it may cost, and where its references lie."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from batchgen.errors import BatchgenError
from batchgen.manifest.load import load


@dataclass(frozen=True, slots=True)
class Agreed:
    """`manifest` is the file, None when it is not there; the rest is None when it cannot be read or does not say."""

    manifest: Path | None = None
    root: Path | None = None
    budget_micro_usd: int | None = None


def reader(source: str, root: str | None = None) -> Callable[[str], Agreed]:
    """Reads a manifest, or where `source` is a batch folder the one that the journal names; again when it changes.

    A manifest that is wrong is no reason not to watch the batch.
    """
    known: dict[tuple[str, float], Agreed] = {}

    def read(recorded: str) -> Agreed:
        path = source if os.path.isfile(source) else recorded
        try:
            key = (path, os.stat(path).st_mtime)
        except OSError:
            return Agreed()
        if key not in known:
            known.clear()
            known[key] = _read(path, root)
        return known[key]

    return read


def _read(path: str, root: str | None) -> Agreed:
    try:
        found = load(path, root=root)
    except BatchgenError:
        return Agreed(Path(path))
    return Agreed(Path(path), found.root, found.terms.budget.max_micro_usd)

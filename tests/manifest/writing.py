"""Manifests on disk for tests."""

from pathlib import Path

from batchgen.manifest import Expansion, ManifestProblems, Problem, expand, load

HEAD = "batchgen: 1\nname: x\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)


def write(folder: Path, text: str | bytes, name: str = "batchgen.yaml") -> Path:
    """A file in a folder, as it is given."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def expanded(folder: Path, text: str | bytes, *, head: str = HEAD) -> Expansion:
    """What a manifest makes, below the two lines that every one begins with."""
    return expand(load(write(folder, head.encode() + (text if isinstance(text, bytes) else text.encode()))))


def problems_of(folder: Path, text: str | bytes, *, head: str = HEAD) -> tuple[Problem, ...]:
    """The problems of a manifest, in loading or in expanding; none when it is good."""
    try:
        expanded(folder, text, head=head)
    except ManifestProblems as error:
        return error.problems
    return ()


def fingerprints(folder: Path, text: str | bytes) -> dict[str, str]:
    """Fingerprint by id."""
    return {draft.id: draft.fingerprint for draft in expanded(folder, text).drafts}

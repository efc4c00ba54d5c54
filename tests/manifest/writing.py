"""Manifests on disk for tests, and what becomes of them."""

from dataclasses import dataclass
from pathlib import Path

from batchgen import expansion
from batchgen.job import Draft, UrlReference
from batchgen.manifest.load import Manifest, load
from batchgen.manifest.places import Origin, Place, place
from batchgen.manifest.problems import ManifestProblems, Problem

HEAD = "batchgen: 1\nname: x\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)


@dataclass(frozen=True)
class Expanded:
    """An expansion as it was when it was made: its jobs in order, and the full URL of every signed reference."""

    drafts: tuple[Draft, ...]
    inputs: str
    signed_urls: dict[str, str]
    manifest: Manifest
    origins: dict[str, Origin]

    def where(self, job_id: str, field: str, item: int | None = None) -> Place:
        """Where a field of a job stands."""
        return place(self.manifest.document, self.origins[job_id], field, item)


def write(folder: Path, text: str | bytes, name: str = "batchgen.yaml") -> Path:
    """A file in a folder, as it is given."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def expand(manifest: Manifest) -> Expanded:
    """All jobs of a manifest, in memory."""
    with expansion.expanded(manifest) as made:
        jobs = [made.scratch.at(place) for place in range(len(made.scratch))]
        signed = {
            each.url: made.scratch.signed(each.url) or ""
            for job in jobs
            for each in job.draft.request.references
            if isinstance(each, UrlReference) and each.signed
        }
        origins = {each.draft.id: made.origin(each) for each in jobs}
        return Expanded(tuple(each.draft for each in jobs), made.inputs, signed, manifest, origins)


def expanded(folder: Path, text: str | bytes, *, head: str = HEAD) -> Expanded:
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

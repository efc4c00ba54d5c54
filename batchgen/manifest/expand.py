"""All jobs of a manifest at once, held against each other: ids, paths and folders, each of them there once."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from batchgen.job import RECIPE, Draft, FileReference
from batchgen.manifest import paths
from batchgen.manifest.candidate import Candidate
from batchgen.manifest.candidates import candidates
from batchgen.manifest.findings import Findings
from batchgen.manifest.load import Document, Manifest
from batchgen.manifest.places import Origin, Place, name_place, place


@dataclass(frozen=True, slots=True)
class Expansion:
    """All jobs of a manifest, in order. `inputs` is a digest of everything that they were made from.

    `signed_urls` gives the full URL of a reference whose signature is kept out of the journal.
    """

    drafts: tuple[Draft, ...]
    inputs: str
    signed_urls: Mapping[str, str]
    _document: Document = field(repr=False)
    _origins: Mapping[str, Origin] = field(repr=False)

    def where(self, job_id: str, field: str, item: int | None = None) -> Place:
        """Where a field of a job stands in the manifest; `item` is the place of one reference, from 0."""
        return place(self._document, self._origins[job_id], field, item)


def expand(manifest: Manifest) -> Expansion:
    """The jobs of a manifest.

    Raises:
        ManifestProblems: with every problem found: files, references, ids, paths.
    """
    return _Expander(manifest).expansion()


class _Expander:
    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._document = manifest.document
        self._findings = Findings()
        self._by_id: dict[str, Candidate] = {}
        self._stored: dict[str, str] = {}
        self._signed: dict[str, str] = {}

    def expansion(self) -> Expansion:
        for candidate in candidates(self._manifest, self._findings):
            if self._is_new(candidate):
                self._check_path(candidate)
                self._signed.update(candidate.signed_urls)
        self._check_folders()
        self._findings.check()
        drafts = tuple(each.draft for each in self._by_id.values())
        origins = {each: candidate.origin for each, candidate in self._by_id.items()}
        return Expansion(drafts, self._digest(drafts), self._signed, self._document, origins)

    def _is_new(self, candidate: Candidate) -> bool:
        job_id = candidate.draft.id
        if first := self._by_id.get(job_id):
            self._say(candidate, f"the id `{job_id}` stands here twice, first {self._where(first)}")
            return False
        self._by_id[job_id] = candidate
        return True

    def _check_path(self, candidate: Candidate) -> None:
        job_id = candidate.draft.id
        other = self._stored.setdefault(paths.key(candidate.draft.path), job_id)
        if other != job_id:
            message = f"`{job_id}` would be stored in the place of `{other}` ({self._where(self._by_id[other])})"
            self._say(candidate, message, "give one another id, or let output.path hold {{ id }}")

    def _check_folders(self) -> None:
        """A picture's file and another picture's folder cannot have one name."""
        files = {stem + extension: job_id for stem, job_id in self._stored.items() for extension in paths.EXTENSIONS}
        for stem, job_id in self._stored.items():
            above = (str(folder) for folder in Path(stem).parents)
            if other := next((files[folder] for folder in above if folder in files), None):
                self._say(self._by_id[job_id], f"the folder of `{job_id}` has the name of the picture of `{other}`")

    def _where(self, candidate: Candidate) -> str:
        row = f"in row {candidate.row.number}" if candidate.row else "on"
        return row if candidate.row else f"{row} {name_place(self._document, candidate.origin)}"

    def _say(self, candidate: Candidate, message: str, hint: str = "") -> None:
        at = name_place(self._document, candidate.origin)
        row = candidate.row.number if candidate.row else 0
        said = f"row {row}: {message}" if row else message
        self._findings.problem(at.problem(said, hint=hint, row=row))

    def _digest(self, drafts: tuple[Draft, ...]) -> str:
        found = {each for draft in drafts for each in draft.request.references if isinstance(each, FileReference)}
        parts = [f"recipe {RECIPE}".encode(), self._document.raw]
        parts += [f"prompt {draft.request.prompt}".encode(errors="surrogatepass") for draft in drafts]
        parts += sorted(f"reference {each.path}\0{each.sha256}".encode() for each in found)
        whole = hashlib.sha256()
        for part in parts:
            whole.update(len(part).to_bytes(8, "big") + part)
        return whole.hexdigest()

"""A manifest becomes its jobs: precedence, prompts, references, takes, ids and paths. Reads files, sends nothing."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from batchgen.job import FIELDS, RECIPE, Draft, Reference, Request, draft
from batchgen.manifest import names, paths
from batchgen.manifest.load import Document, Manifest
from batchgen.manifest.places import Origin, Place, key_start, place
from batchgen.manifest.problems import ManifestProblems, Problem
from batchgen.manifest.prompts import Prompts
from batchgen.manifest.references import References
from batchgen.manifest.schema import Defaults, PromptFile, ReferenceTable, RequestFields

_PARAMETERS: Final = tuple(name for name in FIELDS if name != "prompt")


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


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of the work: what the manifest says of a job, before its takes."""

    id: str
    origin: Origin
    parameters: Mapping[str, Any]
    prompt: str | PromptFile | None
    references: list[str | ReferenceTable]
    takes: int
    path_values: Mapping[str, str]

    @property
    def is_catalogue(self) -> bool:
        return self.origin.prompt is not None


def expand(manifest: Manifest) -> Expansion:
    """The jobs of a manifest.

    Written jobs come first, then prompts x models, prompts outermost. A job's own `references` stand in place of the
    top level's, which go to every other job. Take 1 of several is bought as the job without takes would be.

    Raises:
        ManifestProblems: with every problem found: files, references, ids, paths.
    """
    return _Expander(manifest).expansion()


class _Expander:
    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._document = manifest.document
        self._prompts = Prompts(manifest.root)
        self._references = References(manifest.root, manifest.provider)
        self._problems: list[Problem] = []
        self._origins: dict[str, Origin] = {}
        self._drafts: list[Draft] = []
        self._stored: dict[str, str] = {}

    def expansion(self) -> Expansion:
        self._check_form()
        self._check_template()
        for entry in self._entries():
            self._take(entry)
        self._check_folders()
        if self._problems:
            raise ManifestProblems(self._problems)
        signed = self._references.signed_urls
        return Expansion(tuple(self._drafts), self._digest(), signed, self._document, self._origins)

    def _entries(self) -> Iterator[_Entry]:
        keys = self._document.keys
        for index, job in enumerate(keys.jobs):
            own = job.references or [] if "references" in job.model_fields_set else keys.references
            prompt = job.prompt if "prompt" in job.model_fields_set else keys.defaults.prompt
            parameters = _merged(keys.defaults, job)
            values = {"id": job.id, "prompt": "", "model": parameters.get("model", "")}
            origin = Origin((("jobs", index), ("defaults",)))
            yield _Entry(job.id, origin, parameters, prompt, own, job.takes or keys.takes, values)
        for prompt_name, prompt in keys.prompts.items():
            for model_name, bundle in keys.models.items():
                origin = Origin((("models", model_name), ("defaults",)), ("prompts", prompt_name))
                values = {"id": f"{prompt_name}/{model_name}", "prompt": prompt_name, "model": model_name}
                merged = _merged(keys.defaults, bundle)
                yield _Entry(values["id"], origin, merged, prompt, keys.references, keys.takes, values)

    def _take(self, entry: _Entry) -> None:
        prompt = self._prompt(entry)
        references = tuple(self._found(entry))
        parameters = self._parameters(entry)
        for take in range(1, entry.takes + 1):
            job_id = entry.id if entry.takes == 1 else f"{entry.id}.t{take}"
            if not self._is_new(job_id, entry.origin):
                continue
            path = self._path(job_id, entry)
            if prompt is not None and parameters is not None and path is not None:
                request = Request(prompt=prompt, references=references, take=take, **parameters)
                self._drafts.append(draft(job_id, request, path))

    def _prompt(self, entry: _Entry) -> str | None:
        if entry.prompt is None:
            self._say(entry.origin, "prompt", "this job has no `prompt`, and `defaults` has none either")
            return None
        try:
            return self._prompts.literal(entry.prompt) if entry.is_catalogue else self._prompts.text(entry.prompt)
        except ValueError as error:
            self._say(entry.origin, "prompt", str(error), None if isinstance(entry.prompt, str) else "file")
            return None

    def _parameters(self, entry: _Entry) -> Mapping[str, Any] | None:
        for name, value in entry.parameters.items():
            if entry.is_catalogue and isinstance(value, str) and "{{" in value:
                self._say(entry.origin, name, f"templates in `{name}` are not yet supported")
        if "model" not in entry.parameters:
            self._say(entry.origin, "model", "this job has no `model`, and `defaults` has none either")
            return None
        return entry.parameters

    def _found(self, entry: _Entry) -> Iterator[Reference]:
        for index, text in enumerate(entry.references):
            try:
                yield self._references.reference(text if isinstance(text, str) else text.path or "{{")
            except ValueError as error:
                self._say(entry.origin, "references", str(error), index)

    def _is_new(self, job_id: str, origin: Origin) -> bool:
        at = self._name_place(origin)
        try:
            names.job_id(job_id)
        except ValueError as error:
            self._problems.append(at.problem(f"`{job_id}`: {error}"))
            return False
        if job_id in self._origins:
            first = self._name_place(self._origins[job_id])
            self._problems.append(at.problem(f"the id `{job_id}` stands here twice, first on {first}"))
            return False
        self._origins[job_id] = origin
        return True

    def _path(self, job_id: str, entry: _Entry) -> str | None:
        at = self._name_place(entry.origin)
        try:
            path = self._manifest.output.path.filled({**entry.path_values, "id": job_id})
        except ValueError as error:
            self._problems.append(at.problem(f"`{job_id}`: {error}"))
            return None
        other = self._stored.setdefault(paths.key(path), job_id)
        if other == job_id:
            return path
        first = self._name_place(self._origins[other])
        hint = "give one another id, or let output.path hold {{ id }}"
        self._problems.append(at.problem(f"`{job_id}` would be stored in the place of `{other}` ({first})", hint=hint))
        return None

    def _check_folders(self) -> None:
        """A picture's file and another picture's folder cannot have one name."""
        files = {stem + extension: job_id for stem, job_id in self._stored.items() for extension in paths.EXTENSIONS}
        for stem, job_id in self._stored.items():
            above = (str(folder) for folder in Path(stem).parents)
            if other := next((files[folder] for folder in above if folder in files), None):
                at = self._name_place(self._origins[job_id])
                self._problems.append(at.problem(f"the folder of `{job_id}` has the name of the picture of `{other}`"))

    def _check_form(self) -> None:
        for name in ("rows", "matrix", "overrides"):
            if getattr(self._document.keys, name):
                at = place(self._document, Origin(((),)), name)
                self._problems.append(at.problem(f"`{name}` is not yet supported by this version of batchgen"))

    def _check_template(self) -> None:
        document = self._document
        if document.keys.jobs and "prompt" in self._manifest.output.path.names:
            at = place(document, Origin((("output",),)), "path")
            self._problems.append(at.problem("{{ prompt }} is a name under `prompts`; entries of `jobs` have none"))

    def _name_place(self, origin: Origin) -> Place:
        """Where a job gets its id: its own, or the name of its prompt."""
        if origin.prompt is None:
            return place(self._document, origin, "id")
        return Place(self._document, key_start(self._document, origin.prompt), origin.prompt)

    def _say(self, origin: Origin, name: str, message: str, item: int | str | None = None) -> None:
        self._problems.append(place(self._document, origin, name, item).problem(message))

    def _digest(self) -> str:
        files = {f"prompt {path}": digest for path, digest in self._prompts.files.items()}
        files |= {f"reference {path}": found.sha256 for path, found in self._references.files.items()}
        parts = [f"recipe {RECIPE}".encode(), self._document.raw]
        parts += [f"{name}\0{digest}".encode() for name, digest in sorted(files.items())]
        whole = hashlib.sha256()
        for part in parts:
            whole.update(len(part).to_bytes(8, "big") + part)
        return whole.hexdigest()


def _merged(defaults: Defaults, own: RequestFields) -> dict[str, Any]:
    """Request fields by precedence; null drops a default."""
    merged: dict[str, Any] = {}
    for layer in (defaults, own):
        merged |= {name: getattr(layer, name) for name in _PARAMETERS if name in layer.model_fields_set}
    return {name: value for name, value in merged.items() if value is not None}

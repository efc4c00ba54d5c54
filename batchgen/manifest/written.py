"""The jobs that are written out, one entry after the other; their prompts are sent as they stand."""

from collections.abc import Iterator
from typing import Any, Final

from batchgen.job import RECIPE, Draft, Reference, Request
from batchgen.manifest import axes, names
from batchgen.manifest.candidate import Candidate
from batchgen.manifest.desk import Desk, Filing
from batchgen.manifest.expression import Expression, compile_expression
from batchgen.manifest.faults import Faulty
from batchgen.manifest.misread import BadCell, Misread
from batchgen.manifest.moulds import merged
from batchgen.manifest.places import Origin, Path, at
from batchgen.manifest.schema import JobEntry
from batchgen.manifest.seeking import Seekers, ahead, plain
from batchgen.manifest.texts import Texts
from batchgen.manifest.vocabulary import Names

_FIELDS: Final = frozenset({"id", "model"})


class Written:
    """The entries of `jobs`. They have an id and no columns, so overrides and references of columns pass them by."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._keys = desk.document.keys
        self._is_alone = not axes.is_catalogue(self._keys)
        self._texts = Texts(desk.document, Names((), ()), desk.prompts, desk.problems)
        self._overrides = list(self._conditions())
        self._shared: Seekers | None = None

    def candidates(self) -> Iterator[Candidate]:
        """Their jobs, as they stand."""
        filing = self._desk.filing
        if self._keys.jobs and filing is not None and not self._is_fit(filing):
            return
        for index, job in ahead(enumerate(self._keys.jobs), self._begin):
            yield from self._jobs(index, job, filing)

    def _begin(self, numbered: tuple[int, JobEntry]) -> None:
        self._desk.references.begin(plain(numbered[1].references or ()))

    def _jobs(self, index: int, job: JobEntry, filing: Filing | None) -> Iterator[Candidate]:
        origin = self._origin(index, job)
        asked = merged((path, self._layer(path)) for path in reversed(origin.layers))
        prompt = self._prompt(origin, asked)
        references = self._references(index, job)
        if "model" not in asked:
            self._desk.texts.say(origin, "model", "this job has no `model`, and `defaults` has none either")
        fields = {name: value for name, (path, value) in asked.items() if name != "prompt"}
        self._check_inherited(origin, asked)
        if prompt is None or "model" not in fields or filing is None:
            return
        takes = job.takes or self._keys.takes
        for take in range(1, takes + 1):
            job_id = job.id if takes == 1 else f"{job.id}.t{take}"
            path = self._path(origin, job_id, str(fields["model"]), filing)
            if path is not None:
                request = Request(prompt=prompt, references=references, take=take, **fields)
                fingerprint = self._desk.fingerprint(fields, prompt, references, take)
                draft = Draft(job_id, request, path, fingerprint, RECIPE)
                yield Candidate(draft, origin, signed_urls=self._desk.references.signed(references))

    def _origin(self, index: int, job: JobEntry) -> Origin:
        hold = [number for number, when in self._overrides if when.matches({"id": job.id})]
        overrides: list[Path] = [("overrides", number) for number in reversed(hold)]
        return Origin((("jobs", index), *overrides, ("defaults",)), named=("jobs", index, "id"))

    def _layer(self, path: Path) -> Any:
        match path:
            case (str(name),):
                return getattr(self._keys, name)
            case (str(name), int(index)):
                return getattr(self._keys, name)[index]

    def _prompt(self, origin: Origin, asked: dict[str, tuple[Path, Any]]) -> str | None:
        if "prompt" not in asked:
            self._desk.texts.say(origin, "prompt", "this job has no `prompt`, and `defaults` has none either")
            return None
        return self._texts.words(*asked["prompt"])

    def _check_inherited(self, origin: Origin, asked: dict[str, tuple[Path, Any]]) -> None:
        """A template is for the catalogue; a written job that would inherit one must say what it wants instead."""
        for name, (path, value) in asked.items():
            if not self._is_alone and path[0] != "jobs" and isinstance(value, str) and "{{" in value:
                message = f"`{name}` comes from a template, and a job that is written out has no columns"
                self._desk.texts.say(Origin((origin.owner,), named=origin.named), "id", f"{message}; give it its own")

    def _references(self, index: int, job: JobEntry) -> tuple[Reference, ...]:
        """Its own, or else those of the top level that need no row."""
        if "references" in job.model_fields_set:
            path: Path = ("jobs", index, "references")
            own = Seekers(path, job.references or [], self._texts, self._desk.references)
            self._tell(own)
            return own.fixed()
        if self._shared is None:
            self._shared = Seekers(("references",), self._keys.references, self._desk.texts, self._desk.references)
            if self._is_alone:
                self._tell(self._shared)
        return self._shared.fixed()

    def _path(self, origin: Origin, job_id: str, model: str, filing: Filing) -> str | None:
        try:
            return filing.path(names.job_id(job_id), {"model": model}, {})
        except BadCell as error:
            self._fault(Faulty(("output", "path"), str(error)))
        except ValueError as error:
            self._fault(Faulty(origin.named, f"`{job_id}`: {error}"))
        return None

    def _is_fit(self, filing: Filing) -> bool:
        """Whether the output path speaks of nothing that written jobs lack."""
        foreign = sorted((filing.names - _FIELDS) | filing.columns)
        if foreign:
            message = f"{{{{ {foreign[0]} }}}} is a name of the catalogue; entries of `jobs` have none"
            self._fault(Faulty(("output", "path"), message))
        return not foreign

    def _conditions(self) -> Iterator[tuple[int, Expression]]:
        """The overrides that speak of ids alone; the others are of the catalogue."""
        for index, override in enumerate(self._keys.overrides):
            try:
                yield index, compile_expression(override.when, Names((), {"id"}))
            except Misread as error:
                if self._is_alone:
                    place = at(self._desk.document, ("overrides", index, "when")).inside(error.offset)
                    self._desk.problems.problem(place.problem(str(error), hint=error.hint))

    def _tell(self, seekers: Seekers) -> None:
        for fault in seekers.wrong:
            self._fault(fault)

    def _fault(self, fault: Faulty) -> None:
        self._desk.problems.problem(at(self._desk.document, fault.path).problem(str(fault)))

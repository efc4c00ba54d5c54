"""What every job of one expansion is made with: texts, files, the output path; and how its request gets its names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from batchgen.job import Fingerprints, Reference, Request
from batchgen.manifest import paths
from batchgen.manifest.findings import ProblemSink
from batchgen.manifest.load import Document, Manifest
from batchgen.manifest.prompts import Prompts
from batchgen.manifest.references import References
from batchgen.manifest.template import Template
from batchgen.manifest.texts import Texts

_KINDS: Final = 4096


class Filing:
    """Where pictures go: `output.path`, filled for one job after the other."""

    def __init__(self, template: str | Template) -> None:
        self._template = template
        self.names = template.names if isinstance(template, Template) else frozenset()
        self.columns = template.columns if isinstance(template, Template) else frozenset()
        self._is_id = isinstance(template, Template) and template.text == "{{ id }}"

    def path(self, job_id: str, values: Mapping[str, str], row: Mapping[str, str]) -> str:
        """The path of a job. Slashes in its id make folders; in other values they are replaced.

        Raises:
            ValueError: with a sentence: the path is empty somewhere, or batchgen's own.
            BadCell: a cell that it needs is empty.
        """
        if self._is_id:
            return paths.filed(job_id)
        if isinstance(self._template, str):
            return paths.filed(self._template)
        mine = {name: values[name].replace("/", "_") for name in self.names if name in values}
        mine["id"] = job_id
        theirs = {name: row[name].replace("/", "_") for name in self.columns if name in row}
        return paths.filed(self._template.render(mine, theirs))


@dataclass(slots=True)
class Desk:
    """One expansion at work. `filing` is None when the output path is wrong, which has been told."""

    manifest: Manifest
    problems: ProblemSink
    prompts: Prompts
    references: References
    texts: Texts
    filing: Filing | None
    _kinds: dict[tuple[tuple[str, Any], ...], Fingerprints] = field(default_factory=dict)

    @property
    def document(self) -> Document:
        """The manifest as written."""
        return self.manifest.document

    def fingerprint(self, fields: Mapping[str, Any], prompt: str, references: tuple[Reference, ...], take: int) -> str:
        """The fingerprint of a request; those that differ in prompt, references and take share most of the work."""
        kind = tuple(fields.items())
        if kind not in self._kinds:
            if len(self._kinds) >= _KINDS:
                self._kinds.clear()
            self._kinds[kind] = Fingerprints(Request(prompt="", **fields))
        return self._kinds[kind].of(prompt, references, take)

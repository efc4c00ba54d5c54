"""One row and one combination become jobs: the request filled, its references found, its ids and paths made."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from batchgen.job import RECIPE, Draft, Request
from batchgen.manifest import names
from batchgen.manifest.candidate import Candidate
from batchgen.manifest.desk import Desk, Filing
from batchgen.manifest.faults import Faulty
from batchgen.manifest.misread import BadCell
from batchgen.manifest.moulds import Mould, Moulds, name_of
from batchgen.manifest.overrides import Overrides
from batchgen.manifest.places import Path
from batchgen.manifest.rows import Row
from batchgen.manifest.seeking import Seekers
from batchgen.manifest.template import Template

_OUTPUT: Final[Path] = ("output", "path")
_LARGEST_CHANNEL: Final = 2**53


class Maker:
    """Makes the jobs of a catalogue. `moulds`, `overrides` and `seekers` are compiled when it is made."""

    def __init__(self, desk: Desk) -> None:
        keys = desk.document.keys
        self._desk = desk
        self._keys = keys
        self.moulds = Moulds(keys, desk.texts)
        self.overrides = Overrides(keys, desk.texts)
        self.seekers = Seekers(("references",), keys.references, desk.texts, desk.references)

    def begin(self, row: Row, combinations: Sequence[Mapping[str, str]]) -> None:
        """Announce the reference files of a row's jobs."""
        for each in combinations[:1] if self.seekers.are_by_row else combinations:
            self.seekers.begin({**row.values, **each}, row.cells)

    def jobs(self, row: Row, combination: Mapping[str, str], filing: Filing) -> list[Candidate]:
        """The takes of one combination for one row.

        Raises:
            Faulty: the row makes no job.
        """
        values = {**row.values, **combination} if combination else row.values
        whole = "/".join((row.input.id, *combination.values()) if row.input else combination.values())
        mould = self._mould(combination, whole, values, row)
        return [] if mould is None else list(self._takes(mould, whole, values, row, filing))

    def _mould(self, combination: Mapping[str, str], whole: str, values: Mapping[str, str], row: Row) -> Mould | None:
        hold = self.overrides.that_hold(combination, whole, values, row.values)
        return self.moulds.mould(combination, hold)

    def _takes(
        self, mould: Mould, whole: str, values: Mapping[str, str], row: Row, filing: Filing
    ) -> Iterator[Candidate]:
        fields = {**mould.fixed, **dict(_rendered(mould, values, row))} if mould.rendered else mould.fixed
        if "model" not in fields:
            raise Faulty(mould.origin.owner, "this job has no `model`: its template came out empty")
        prompt = _prompt(mould, values, row)
        references = self.seekers.found(values, row.values, row.cells)
        signed = self._desk.references.signed(references)
        named = self._named(mould, fields, values)
        for take in range(1, self._keys.takes + 1):
            job_id = whole if self._keys.takes == 1 else f"{whole}.t{take}"
            path = _path(job_id, filing, named, row, mould)
            request = Request(prompt=prompt, references=references, take=take, **fields)
            fingerprint = (
                mould.fingerprints.of(prompt, references, take)
                if mould.fingerprints
                else self._desk.fingerprint(fields, prompt, references, take)
            )
            draft = Draft(job_id, request, path, fingerprint, RECIPE, row.input, mould.axes)
            yield Candidate(draft, mould.origin, row.input, mould.axes, signed)

    def _named(self, mould: Mould, fields: Mapping[str, Any], values: Mapping[str, str]) -> Mapping[str, str]:
        """What `output.path` may speak of."""
        axes = mould.axes
        if "prompt" in axes and "model" in axes:
            return values
        prompt = name_of("prompt", axes, self._keys.prompts) or ""
        model = name_of("model", axes, self._keys.models) or str(fields["model"])
        return {**values, "prompt": prompt, "model": model}


def _path(job_id: str, filing: Filing, named: Mapping[str, str], row: Row, mould: Mould) -> str:
    try:
        names.job_id(job_id)
    except ValueError as error:
        raise Faulty(mould.origin.named, f"`{job_id}`: {error}") from None
    try:
        return filing.path(job_id, named, row.values)
    except BadCell as error:
        raise Faulty(_OUTPUT, str(error)) from None
    except ValueError as error:
        raise Faulty(mould.origin.named, f"`{job_id}`: {error}") from None


def _prompt(mould: Mould, values: Mapping[str, str], row: Row) -> str:
    if isinstance(mould.prompt, str):
        return mould.prompt
    text = _filled(mould.prompt, mould.prompt_path, values, row).replace("\r\n", "\n").rstrip("\r\n")
    if not text.strip():
        raise Faulty(mould.prompt_path, "the prompt is empty")
    return text


def _rendered(mould: Mould, values: Mapping[str, str], row: Row) -> Iterator[tuple[str, str | int]]:
    """The request fields that come from the row; one that comes out empty is not set."""
    for name, path, template in mould.rendered:
        text = _filled(template, path, values, row).strip()
        if text:
            yield name, _channel(path, text) if name == "channel_id" else text


def _channel(path: Path, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 17 and int(text) < _LARGEST_CHANNEL):
        raise Faulty(path, f"`channel_id` is a whole number, but this is `{text[:40]}`")
    return int(text)


def _filled(template: Template, path: Path, values: Mapping[str, str], row: Row) -> str:
    try:
        return template.render(values, row.values)
    except BadCell as error:
        raise Faulty(path, str(error)) from None

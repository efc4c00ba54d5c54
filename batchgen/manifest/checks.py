"""What must agree between the keys of a manifest, beyond what each of them may hold."""

from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import parse_qs, urlsplit

from batchgen.manifest import names
from batchgen.manifest.axes import count, is_catalogue
from batchgen.manifest.nodes import Node, Table, find
from batchgen.manifest.problems import Problem, one_edit_away
from batchgen.manifest.schema import ManifestFile, ReferenceTable
from batchgen.manifest.sentences import shown
from batchgen.manifest.source import Source

Path = tuple[int | str, ...]

MOST: Final = 5_000_000
"""Jobs of one manifest."""


def cross_checks(keys: ManifestFile, tree: Node, source: Source) -> Iterator[Problem]:
    """Every disagreement, at its place."""
    checks = _Checks(keys, tree, source)
    yield from checks.work()
    yield from checks.matrix()
    yield from checks.rows()
    yield from checks.settings()


class _Checks:
    def __init__(self, keys: ManifestFile, tree: Node, source: Source) -> None:
        self._keys = keys
        self._tree = tree
        self._source = source

    def work(self) -> Iterator[Problem]:
        """There is something to do, and not too much of it."""
        keys = self._keys
        if not keys.jobs and not is_catalogue(keys):
            yield self._at_key(("jobs",), "there is nothing to do: the manifest has no jobs", hint="jobs:")
        wanting = not any("model" in each.model_fields_set for each in (keys.defaults, *keys.overrides))
        if keys.prompts and not keys.models and wanting:
            message = "`prompts` without `models` make no job, unless `defaults` has a `model`"
            yield self._at_key(("prompts",), message)
        unsaid = not any("prompt" in each.model_fields_set for each in (keys.defaults, *keys.overrides))
        if keys.models and not keys.prompts and unsaid:
            message = "`models` without `prompts` make no job, unless `defaults` has a `prompt`"
            yield self._at_key(("models",), message)
        jobs = sum(job.takes or keys.takes for job in keys.jobs) + count(keys) * keys.takes
        if jobs > MOST:
            message = f"this makes {jobs:,} jobs; a manifest makes at most {MOST:,}"
            yield self._source.problem(self._tree.start, message)

    def matrix(self) -> Iterator[Problem]:
        """Axes have good names and their values are known; what is left out and added speaks of them."""
        matrix = self._keys.matrix
        if matrix is None:
            return
        for axis, values in matrix.axes.items():
            try:
                names.axis_name(axis)
            except ValueError as error:
                yield self._at_key(("matrix", axis), str(error))
            yield from self._known_values(axis, values, ("matrix", axis))
        yield from self._left_alone(matrix.axes)
        for what in ("exclude", "include"):
            for index, combination in enumerate(getattr(matrix, what)):
                yield from self._combination(combination, ("matrix", what, index))

    def _combination(self, combination: dict[str, str], path: Path) -> Iterator[Problem]:
        axes = self._keys.matrix.axes if self._keys.matrix else {}
        for axis, value in combination.items():
            if axis not in axes:
                yield self._at_key((*path, axis), f"`{axis}` is no axis of this matrix", hint=_instead(axis, axes))
            elif path[1] == "exclude" and value not in axes[axis]:
                yield self._at(
                    (*path, axis), f"`{value}` is no value of the axis `{axis}`", hint=_instead(value, axes[axis])
                )
        if path[1] == "include":
            for axis in axes:
                if axis not in combination:
                    yield self._at(path, f"a combination that is included names every axis; `{axis}` is missing")
            yield from self._included(combination, path)

    def _included(self, combination: dict[str, str], path: Path) -> Iterator[Problem]:
        for axis in ("prompt", "model"):
            if axis in combination:
                yield from self._known_values(axis, [combination[axis]], (*path, axis))

    def _known_values(self, axis: str, values: Iterable[str], path: Path) -> Iterator[Problem]:
        """The axes `prompt` and `model` name entries of `prompts` and `models`."""
        if axis not in {"prompt", "model"}:
            return
        known: Iterable[str] = getattr(self._keys, f"{axis}s")
        for index, value in enumerate(values):
            if value not in known:
                place = (*path, index) if path == ("matrix", axis) else path
                yield self._at(place, f"`{value}` is no name under `{axis}s`", hint=_instead(value, known))

    def _left_alone(self, axes: dict[str, list[str]]) -> Iterator[Problem]:
        for axis in ("prompt", "model"):
            names_of = getattr(self._keys, f"{axis}s")
            if axis not in axes and len(names_of) > 1:
                message = f"there are {len(names_of)} {axis}s, and the matrix has no axis `{axis}` to choose from them"
                yield self._at_key(("matrix",), message, hint=f"{axis}: [{', '.join(names_of)}]")

    def rows(self) -> Iterator[Problem]:
        """What speaks of columns needs a table."""
        for path, references in self._reference_lists():
            for index, reference in enumerate(references):
                if isinstance(reference, ReferenceTable) and reference.column is not None:
                    yield from self._column((*path, index, "column"))

    def _reference_lists(self) -> Iterator[tuple[Path, list[str | ReferenceTable]]]:
        yield ("references",), self._keys.references
        for index, job in enumerate(self._keys.jobs):
            yield ("jobs", index, "references"), job.references or []

    def _column(self, path: Path) -> Iterator[Problem]:
        if path[0] == "jobs":
            yield self._at_key(path, "a job that is written out has no columns; write `path` or `url`")
        elif self._keys.rows is None:
            yield self._at_key(path, "there are no columns without `rows`", hint="rows: {from: products.csv}")

    def settings(self) -> Iterator[Problem]:
        """Settings that bound each other."""
        keys = self._keys
        if keys.journal and (message := _not_a_journal(keys.journal)):
            yield self._at(("journal",), message, secret=True)
        expert = keys.limits.expert
        if expert and expert.submit_slots_most is not None and (expert.submit_slots or 4) > expert.submit_slots_most:
            path = ("limits", "expert", "submit_slots_most")
            yield self._at(path, "`submit_slots_most` is at least `submit_slots`")

    def _at(self, path: Path, message: str, *, hint: str = "", secret: bool = False) -> Problem:
        node = find(self._tree, path)
        index = node.start if node else 0
        return self._source.problem(index, message, path=shown(path), hint=hint, secret=secret)

    def _at_key(self, path: Path, message: str, *, hint: str = "") -> Problem:
        owner = find(self._tree, path[:-1])
        found = owner.entries.get(str(path[-1])) if isinstance(owner, Table) else None
        index = found[0].start if found else self._tree.start
        return self._source.problem(index, message, path=shown(path), hint=hint)


def _not_a_journal(journal: str) -> str:
    """Why a journal cannot lie there, or nothing."""
    if "://" not in journal:
        return ""
    url = urlsplit(journal)
    if url.scheme not in {"postgresql", "postgres"}:
        return "a journal is a path, or a database of PostgreSQL: postgresql://host/database"
    if url.password or "password" in parse_qs(url.query):
        return "a password has no place in a manifest; leave it out here, and give it as PGPASSWORD or in ~/.pgpass"
    return ""


def _instead(word: str, known: Iterable[str]) -> str:
    near = one_edit_away(word, known)
    return f"did you mean `{near}`?" if near else "known here: " + ", ".join(known)

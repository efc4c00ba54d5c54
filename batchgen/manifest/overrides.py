"""Which overrides hold for a job: those that speak of axes alone are asked once, the others for every row."""

from collections.abc import Mapping

from batchgen.job import FIELDS
from batchgen.manifest import axes
from batchgen.manifest.expression import Expression
from batchgen.manifest.faults import Faulty
from batchgen.manifest.misread import BadCell
from batchgen.manifest.schema import ManifestFile, OverrideEntry
from batchgen.manifest.texts import Texts


class Overrides:
    """The overrides of a catalogue, compiled; `id` in a condition is the job's, unless a column has that name."""

    def __init__(self, keys: ManifestFile, texts: Texts) -> None:
        known = texts.names if "id" in texts.names else texts.names.plus({"id"})
        alone = frozenset(axes.axes(keys))
        self._fixed: list[tuple[int, Expression]] = []
        self._by_row: list[tuple[int, Expression]] = []
        for index, override in enumerate(keys.overrides):
            _compile_fields(index, override, texts)
            when = texts.condition(("overrides", index, "when"), override.when, known)
            if when is not None:
                is_fixed = when.names <= alone and not when.columns
                (self._fixed if is_fixed else self._by_row).append((index, when))
        self._always: dict[tuple[str, ...], tuple[int, ...]] = {}

    def always(self, combination: Mapping[str, str]) -> tuple[int, ...]:
        """Those that hold for a combination whatever the row, by index."""
        key = tuple(combination.values())
        if key not in self._always:
            self._always[key] = tuple(index for index, when in self._fixed if when.matches(combination))
        return self._always[key]

    def that_hold(
        self, combination: Mapping[str, str], job_id: str, values: Mapping[str, str], row: Mapping[str, str]
    ) -> tuple[int, ...]:
        """Those that hold for a combination and a row, by index, in order.

        Raises:
            Faulty: a cell that is compared with a number is none.
        """
        if not self._by_row:
            return self.always(combination)
        known = values if "id" in values else {**values, "id": job_id}
        found = [index for index, when in self._by_row if _holds(index, when, known, row)]
        return tuple(sorted((*self.always(combination), *found)))


def _holds(index: int, when: Expression, values: Mapping[str, str], row: Mapping[str, str]) -> bool:
    try:
        return when.matches(values, row)
    except BadCell as error:
        raise Faulty(("overrides", index, "when"), str(error)) from None


def _compile_fields(index: int, override: OverrideEntry, texts: Texts) -> None:
    """Tell what is wrong with an override's own texts, whether or not it will ever hold."""
    for name in FIELDS:
        value = getattr(override, name)
        if name in override.model_fields_set and value is not None:
            path = ("overrides", index, name)
            _ = texts.prompt(path, value) if name == "prompt" else texts.field(path, value)

"""What a catalogue multiplies: the axes of a manifest, and their combinations in the order written."""

import math
from collections.abc import Iterator, Mapping
from itertools import product

from batchgen.manifest.schema import ManifestFile


def is_catalogue(keys: ManifestFile) -> bool:
    """Whether a manifest asks for more than the jobs that are written out."""
    return bool(keys.rows or keys.prompts or keys.models or (keys.matrix and keys.matrix.axes))


def axes(keys: ManifestFile) -> Mapping[str, list[str]]:
    """Values by axis. Without a matrix, prompts and models are meant, each if there is one."""
    if keys.matrix is not None:
        return keys.matrix.axes
    named = {"prompt": list(keys.prompts), "model": list(keys.models)}
    return {axis: values for axis, values in named.items() if values}


def combinations(keys: ManifestFile) -> Iterator[Mapping[str, str]]:
    """Each combination once: those of the product that are not excluded, and then what is included."""
    by_axis = axes(keys)
    excluded = keys.matrix.exclude if keys.matrix else []
    for values in product(*by_axis.values()):
        combination = dict(zip(by_axis, values, strict=True))
        if not any(each.items() <= combination.items() for each in excluded):
            yield combination
    for included in keys.matrix.include if keys.matrix else []:
        yield {axis: included[axis] for axis in by_axis}


def count(keys: ManifestFile) -> int:
    """How many combinations there are at most; for a catalogue without rows, its jobs before takes."""
    if not is_catalogue(keys):
        return 0
    return math.prod(map(len, axes(keys).values())) + (len(keys.matrix.include) if keys.matrix else 0)

"""What must be of one version at the head of a run and at its workers: work is handed on as Python's own objects."""

import sys
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Final

import batchgen
from batchgen.errors import SettingsError

DASK: Final = version("distributed")


def versions() -> dict[str, str]:
    """What there is here."""
    python = ".".join(map(str, sys.version_info[:2]))
    return {"batchgen": batchgen.__version__, "Dask": DASK, "Python": python}


def difference(theirs: Mapping[str, Any], ours: Mapping[str, str]) -> str:
    """The first thing of which a worker has another version, in words; nothing when all are the same."""
    for name, here in ours.items():
        if theirs.get(name) != here:
            return f"has {name} {theirs.get(name)}, and the machine of the run {here}"
    return ""


def require_same(found: Mapping[str, Any]) -> None:
    """Hold what workers say of their versions against ours; an exception stands for one that cannot say.

    Raises:
        SettingsError: one of them has another one, or has no batchgen; it is named.
    """
    ours = versions()
    for place, theirs in found.items():
        if not isinstance(theirs, dict):
            raise SettingsError(
                f"the worker {place} cannot load batchgen ({type(theirs).__name__}); install batchgen "
                f"{ours['batchgen']} with its extra `dask` there. Nothing was bought"
            )
        if strange := difference(theirs, ours):
            raise SettingsError(f"the worker {place} {strange}; install the same in both places. Nothing was bought")

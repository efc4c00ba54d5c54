"""Batch image generation from a YAML manifest: nothing lost, nothing paid twice, and a clear answer.

The public face is lazy: a name is imported when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from batchgen.batch import plan as plan_batch
    from batchgen.batch import run as run_batch
    from batchgen.errors import BatchgenError
    from batchgen.manifest import Manifest

__version__ = "0.1.0"

__all__ = ["BatchgenError", "Manifest", "plan_batch", "run_batch"]

_PLACES = {
    "BatchgenError": ("batchgen.errors", "BatchgenError"),
    "Manifest": ("batchgen.manifest", "Manifest"),
    "plan_batch": ("batchgen.batch", "plan"),
    "run_batch": ("batchgen.batch", "run"),
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _PLACES[name]
    return getattr(import_module(module), attribute)

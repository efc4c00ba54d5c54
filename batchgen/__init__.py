"""Batch image generation from a YAML manifest: nothing lost, nothing paid twice, and a clear answer.

The public face is lazy: a name is imported when it is first asked for.
"""

from typing import TYPE_CHECKING

from batchgen.lazy import lazily

if TYPE_CHECKING:
    from batchgen.batch.asked import Observer
    from batchgen.errors import BatchgenError
    from batchgen.face import Options, Report, plan_batch, run_batch
    from batchgen.manifest.load import Manifest
    from batchgen.plan import Plan

__version__ = "0.1.0"

__all__ = ["BatchgenError", "Manifest", "Observer", "Options", "Plan", "Report", "plan_batch", "run_batch"]

__getattr__ = lazily(
    __name__,
    {
        "BatchgenError": "batchgen.errors",
        "Manifest": "batchgen.manifest.load",
        "Observer": "batchgen.batch.asked",
        "Options": "batchgen.face",
        "Plan": "batchgen.plan",
        "Report": "batchgen.face",
        "plan_batch": "batchgen.face",
        "run_batch": "batchgen.face",
    },
)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

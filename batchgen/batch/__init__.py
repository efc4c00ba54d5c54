"""One run and what is asked of it; the only room that chooses implementations.

Its face is lazy: verbs that only read a journal load nothing of what buys.
"""

from typing import TYPE_CHECKING

from batchgen.lazy import lazily

if TYPE_CHECKING:
    from batchgen.batch.allowing import write_plan
    from batchgen.batch.asked import Ending, Observer, RunOptions, Unwatched, Whom, where
    from batchgen.batch.deciding import decide
    from batchgen.batch.means import Means
    from batchgen.batch.records import open_record
    from batchgen.batch.running import catalogue, plan, run

__all__ = [
    "Ending",
    "Means",
    "Observer",
    "RunOptions",
    "Unwatched",
    "Whom",
    "catalogue",
    "decide",
    "open_record",
    "plan",
    "run",
    "where",
    "write_plan",
]

__getattr__ = lazily(
    __name__,
    {
        "Ending": "batchgen.batch.asked",
        "Means": "batchgen.batch.means",
        "Observer": "batchgen.batch.asked",
        "RunOptions": "batchgen.batch.asked",
        "Unwatched": "batchgen.batch.asked",
        "Whom": "batchgen.batch.asked",
        "catalogue": "batchgen.batch.running",
        "decide": "batchgen.batch.deciding",
        "open_record": "batchgen.batch.records",
        "plan": "batchgen.batch.running",
        "run": "batchgen.batch.running",
        "where": "batchgen.batch.asked",
        "write_plan": "batchgen.batch.allowing",
    },
)

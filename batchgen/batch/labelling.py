"""What is said of the pictures of a batch, as its manifest wants it."""

from collections.abc import Callable
from dataclasses import replace

from batchgen.job import Job
from batchgen.label import Label, facts_of
from batchgen.lifecycle import Generated, Stored
from batchgen.manifest.load import Output


def labels(batch: str, output: Output) -> Callable[[Job, Generated], Label | None]:
    """The label of a job's pictures; None where none is asked for.

    It tells no time and nothing of this run, so that a picture saved twice is the same file.
    """
    if not output.embed and not output.sidecar:
        return lambda _, __: None

    return lambda job, paid: replace(label_of(job, batch, paid), embed=output.embed, sidecar=output.sidecar)


def label_of(job: Job, batch: str, paid: Generated | Stored) -> Label:
    """All that there is to say of a job's pictures."""
    micro_usd = paid.cost_micro_usd
    account = {"attempt": paid.attempt, "cost_usd": None if micro_usd is None else micro_usd / 1e6}
    return Label(facts_of(job, batch, paid.task_id), account)

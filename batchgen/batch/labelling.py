"""What is said of the pictures of a batch, as its manifest wants it."""

from collections.abc import Callable

from batchgen.job import Job
from batchgen.label import Label, facts_of
from batchgen.lifecycle import Generated
from batchgen.manifest.load import Manifest


def labels(manifest: Manifest) -> Callable[[Job, Generated], Label | None]:
    """The label of a job's pictures; None where the manifest asks for none.

    It tells no time and nothing of this run, so that a picture saved twice is the same file.
    """
    output = manifest.output
    if not output.embed and not output.sidecar:
        return lambda _, __: None

    def label(job: Job, generated: Generated) -> Label:
        micro_usd = generated.cost_micro_usd
        account = {"attempt": generated.attempt, "cost_usd": None if micro_usd is None else micro_usd / 1e6}
        return Label(facts_of(job, manifest.name, generated.task_id), account, output.embed, output.sidecar)

    return label

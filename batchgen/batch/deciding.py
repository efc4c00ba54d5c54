"""A person's decision about jobs, written into the journal of their batch."""

from collections.abc import Sequence
from pathlib import Path

import anyio

from batchgen import decide as decisions
from batchgen.api import answers
from batchgen.api.limits import Reach
from batchgen.batch.asked import Whom
from batchgen.batch.records import open_journal, open_record
from batchgen.batch.seller import seller_at
from batchgen.batch.telling import tell
from batchgen.errors import SettingsError, TaskFailed
from batchgen.journal import Identity, Progress, Record
from batchgen.location import Location
from batchgen.manifest.load import Manifest, load


async def decide(
    location: Location, decision: decisions.Decision, names: Sequence[str] | None, whom: Whom
) -> list[Progress]:
    """Write a person's decision about the jobs of these ids or globs; None means all that are in doubt.

    Raises:
        SettingsError: the decision does not fit; for Paid also when the provider does not know that task as this job's.
        ProviderError: the provider, which is asked about a Paid, cannot say.
    """
    async with open_journal(location, None, verb="resolve") as journal:
        with open_record(location) as record:
            jobs = decisions.eligible(record, decision, by_name=names is not None)
            chosen = jobs if names is None else decisions.meant(jobs, names)
            if isinstance(decision, decisions.Paid):
                await _ask_first(record, location, whom, chosen, decision.task_id)
        decided = await decisions.decide(journal, chosen, decision)
        await journal.end(0, f"decided about {len(decided)} of the jobs")
    await anyio.to_thread.run_sync(tell, location)
    return decided


def _manifest_of(identity: Identity, whom: Whom) -> Manifest:
    """The manifest that says who sells to a batch: the one named, or where only its folder is, the journal's."""
    source = identity.manifest if Path(whom.source).is_dir() else whom.source
    if not Path(source).is_file():
        raise SettingsError(f"the task is asked for first, and the manifest {source} is not there; name the manifest")
    return load(source, "local" if identity.provider == "local" else whom.provider)


async def _ask_first(record: Record, location: Location, whom: Whom, chosen: Sequence[Progress], task_id: str) -> None:
    """Ask the provider for a task before it is taken for paid."""
    if not answers.usable(task_id) or len(chosen) != 1:
        raise SettingsError("--paid takes one task id, as the provider gave it, and the one job that it is of")
    manifest = await anyio.to_thread.run_sync(_manifest_of, record.identity, whom)
    async with seller_at(manifest, location, Reach()) as client:
        try:
            sold = await client.sold(task_id)
        except TaskFailed as gone:
            raise SettingsError(f"the provider does not know task {task_id} any more; nothing was decided") from gone
    decisions.check_paid(record, chosen[0], task_id, sold)

"""All that is known of one job: what the journal holds, and where the manifest says so. Writes nothing."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from batchgen.batch.records import open_record
from batchgen.batch.whose import LOOKED_AT, Given, found, given, near
from batchgen.errors import BatchgenError, SettingsError
from batchgen.job import Draft
from batchgen.journal import Progress, Written
from batchgen.journal.choosing import differing
from batchgen.journal.codec import decode_request, encode_request
from batchgen.lifecycle import Accepted, AttemptFailed, Generated, InDoubt, JobFailed, Started, Stored
from batchgen.location import HIDDEN, Location, locate
from batchgen.manifest.candidate import Candidate
from batchgen.manifest.candidates import candidates
from batchgen.manifest.findings import Findings
from batchgen.manifest.load import Manifest, load
from batchgen.manifest.provenance import Provenance, provenance
from batchgen.report.cards import next_step


@dataclass(frozen=True, slots=True)
class Explained:
    """One job: what was owed and became of it (`progress`, `life`), and what the manifest asks for now (`draft`).

    `values` are the fields of what is asked for now, with the places that set them. `why` says in a sentence what will
    happen to it next; `unread` why the manifest could not be asked; `picture` whether a named one is an earlier one.
    """

    id: str
    why: str
    progress: Progress | None = None
    life: tuple[Written, ...] = ()
    draft: Draft | None = None
    values: tuple[Provenance, ...] = ()
    unread: str = ""
    picture: str = ""


def batch_of(picture: str) -> Location | None:
    """The batch that a file lies in, None when it lies in none."""
    path = Path(picture).absolute()
    for folder in path.parents:
        if (folder / HIDDEN).is_dir():
            return locate(str(folder), outputs=None, provider=None, journal=None)
    return None


def explain(source: str, location: Location, name: str) -> Explained:
    """Explain the job of an id (`ID@NUMBER` for a replaced one), or of a file.

    A file is a picture of the batch or its sidecar, by its name or, wherever it lies now, by its bytes or what it says.

    Raises:
        SettingsError: no such job, neither in the journal nor in the manifest; says which are near.
    """
    wanted, progress = given(name), None
    life: tuple[Written, ...] = ()
    known: list[str] = []
    if location.exists:
        with open_record(location) as record:
            source = record.identity.manifest if os.path.isdir(source) else source
            progress = found(record, location, wanted)
            life = () if progress is None else tuple(record.life(progress.job.number))
            known = [] if progress else list(islice(record.ids(), LOOKED_AT))
    job_id = progress.job.id if progress is not None else name
    candidate, manifest, unread = _asked(source, job_id, known)
    if progress is None and candidate is None:
        raise SettingsError(wanted.elsewhere or _nobody(wanted, known, unread))
    draft = candidate.draft if candidate is not None else None
    values = tuple(provenance(manifest, candidate)) if manifest is not None and candidate is not None else ()
    earlier = _earlier(life, wanted.hashes)
    return Explained(job_id, _why(progress, draft), progress, life, draft, values, unread, earlier)


def _nobody(wanted: Given, known: list[str], unread: str) -> str:
    alike = [] if wanted.hashes else near(wanted.name, known)
    hint = f"; near it are {', '.join(alike)}" if alike else ""
    return f"{wanted.name} is neither a job nor a picture of this batch{f' ({unread})' if unread else ''}{hint}"


def _earlier(life: Sequence[Written], hashes: Sequence[str]) -> str:
    """What is to be said of a picture that is not its job's newest one."""
    stored = [each.milestone for each in life if isinstance(each.milestone, Stored)]
    of = [each for each in stored if any({asset.sha256, asset.sha256_received} & set(hashes) for asset in each.assets)]
    if not of or of[-1].attempt == stored[-1].attempt:
        return ""
    return f"this is the picture of attempt {of[-1].attempt}; that of attempt {stored[-1].attempt} has its place"


def _asked(source: str, job_id: str, known: list[str]) -> tuple[Candidate | None, Manifest | None, str]:
    """What the manifest asks for under this id; a manifest that is wrong elsewhere still says it.

    The other ids that it asks for are added to those that are known.
    """
    if not os.path.isfile(source):
        return None, None, ""
    try:
        manifest = load(source)
        for each in candidates(manifest, Findings()):
            if each.draft.id == job_id:
                return each, manifest, ""
            if len(known) < 2 * LOOKED_AT:
                known.append(each.draft.id)
    except BatchgenError as error:
        return None, None, str(error).split("\n", 1)[0]
    return None, manifest, ""


def _why(progress: Progress | None, draft: Draft | None) -> str:
    if progress is None:
        return "not owed yet: `batchgen run` buys it"
    if progress.standing == "gone":
        return "no longer in the manifest; what is here stays"
    if progress.standing == "replaced":
        return "replaced by a newer request of the same id"
    same = draft is None or draft.fingerprint == progress.job.fingerprint
    return next_step(progress) if same else f"{next_step(progress)}; {_changed(progress, draft)}"


def _changed(progress: Progress, draft: Draft | None) -> str:
    if draft is None:
        return ""
    asked = decode_request(encode_request(draft.request))
    names = ", ".join(change.field for change in differing(progress.job.request, asked))
    return f"the manifest asks for something else now ({names or 'recipe'}): `run --redo changed` buys that"


def lives(life: Sequence[Written]) -> Iterator[tuple[Written, str]]:
    """Each milestone with what it says beyond its name."""
    for each in life:
        yield each, _told(each)


def _told(written: Written) -> str:
    match written.milestone:
        case Started(price_micro_usd=price):
            return f"attempt {written.milestone.attempt}, {_price(price)}"
        case Accepted(task_id=task) | Generated(task_id=task):
            return f"task {task}" if task else "answered at once"
        case Stored(assets=assets, cost_micro_usd=cost):
            return f"{assets[0].name if assets else ''}, {_price(cost)}"
        case InDoubt(reach=reach):
            return reach
        case AttemptFailed(failure=failure, reason=reason) | JobFailed(failure=failure, reason=reason):
            return f"{failure}: {reason}"
        case _:
            return ""


def _price(micro_usd: int | None) -> str:
    return "price unknown" if micro_usd is None else f"${micro_usd / 1_000_000:.4f}".rstrip("0").rstrip(".")

"""What a batch has left behind, read once for all who judge it, from copies, so that nothing is mended by looking."""

import hashlib
import json
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

_HEADS = """SELECT jobs.id, number, m.kind, m.body FROM jobs JOIN milestones m ON m.job = number AND position = head
    WHERE standing = 'current'"""


@dataclass(frozen=True, slots=True)
class Case:
    """What is judged: the batch folder, the gateway's, and what was agreed.

    `prompts` are the jobs' by id; `strangers` the bytes of files that were there before, by name; `held` allows
    payments in doubt at the end; `cap_micro_usd` bounds the money; `secrets` may stand in no file of `written`.
    `parts_may_return`: a power cut may bring back a torn part, or the proof of a stored picture, that was removed
    just before; the next run that works removes it. `labelled`: pictures tell what they are, inside and in a sidecar.
    """

    folder: Path
    gateway: Path
    prompts: Mapping[str, str]
    strangers: Mapping[str, bytes]
    held: bool
    secrets: tuple[bytes, ...]
    written: tuple[Path, ...]
    cap_micro_usd: int | None = None
    parts_may_return: bool = False
    labelled: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """The newest milestone of a job of the manifest."""

    job: int
    kind: str
    body: dict[str, Any]

    @property
    def exposed_micro_usd(self) -> int:
        """What is reserved, spent or in doubt with it."""
        prices = (self.body.get(name) for name in ("price_micro_usd", "cost_micro_usd", "in_doubt_micro_usd"))
        return sum(price for price in prices if price is not None)


@dataclass(frozen=True, slots=True)
class Milestone:
    """One row of the journal."""

    kind: str
    attempt: int
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Journal:
    """What the journal says: heads by the job's id, milestones by (job, position), and the money it keeps beside."""

    heads: Mapping[str, Head]
    milestones: Mapping[tuple[int, int], Milestone]
    money: Mapping[str, int]

    @property
    def assets(self) -> list[dict[str, Any]]:
        """Every file that is said to be stored."""
        stored = (head.body["assets"] for head in self.heads.values() if head.kind == "Stored")
        return [asset for assets in stored for asset in assets]


@dataclass(frozen=True, slots=True)
class Gateway:
    """What was sold: the hash of each task's picture, the tasks that were given back, and the list of payments."""

    sold: Mapping[str, str]
    given_back: frozenset[str]
    paid: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is judged. `noted` is what the lives said of themselves, in order."""

    case: Case
    journal: Journal
    gateway: Gateway
    noted: tuple[dict[str, Any], ...]

    @property
    def paid(self) -> dict[str, list[str]]:
        """The tasks that were paid for and not given back, by the id of their job."""
        digests = {hashlib.sha256(prompt.encode()).hexdigest(): job for job, prompt in self.case.prompts.items()}
        found = defaultdict(list)
        for line in self.gateway.paid:
            if line["prompt_sha256"] in digests and line["task_id"] not in self.gateway.given_back:
                found[digests[line["prompt_sha256"]]].append(line["task_id"])
        return found


def gather(case: Case, facts: Iterable[dict[str, Any]]) -> Evidence:
    """Read all there is now; nothing of it is changed."""
    return Evidence(case, _journal(case.folder / ".batchgen/journal.db"), _gateway(case.gateway), tuple(facts))


def _journal(path: Path) -> Journal:
    with _copy(path) as database:
        heads = {name: Head(job, kind, json.loads(body)) for name, job, kind, body in _rows(database, _HEADS)}
        milestones = {
            (job, position): Milestone(kind, attempt, json.loads(body))
            for job, position, kind, attempt, body in _rows(
                database, "SELECT job, position, kind, attempt, body FROM milestones"
            )
        }
        sums = "SELECT what, sum(amount) FROM totals WHERE what LIKE 'money:%' GROUP BY what"
        money = {what.removeprefix("money:"): amount for what, amount in _rows(database, sums)}
    return Journal(heads, milestones, money)


def _gateway(state: Path) -> Gateway:
    with _copy(state / "gateway.db") as database:
        tasks = list(_rows(database, "SELECT id, sha256, error IS NOT NULL FROM tasks"))
    sold = {task: sha256 for task, sha256, _ in tasks if sha256}
    return Gateway(sold, frozenset(task for task, _, failed in tasks if failed), tuple(_lines(state / "paid.jsonl")))


@contextmanager
def _copy(path: Path) -> Iterator[apsw.Connection | None]:
    """A copy of a database, opened; None where there is none."""
    if not path.exists():
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        for end in ("", "-wal", "-journal"):
            with suppress(FileNotFoundError):
                shutil.copyfile(f"{path}{end}", f"{folder}/db{end}")
        connection = apsw.Connection(f"{folder}/db")
        try:
            yield connection
        finally:
            connection.close()


def _rows(database: apsw.Connection | None, query: str) -> list[Any]:
    if database is None:
        return []
    try:
        return list(database.execute(query))
    except apsw.SQLError:  # a database without tables: nothing was written yet
        return []


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_bytes().splitlines(keepends=True) if path.exists() else ():
        with suppress(ValueError):  # the torn end of a power cut
            yield json.loads(line)

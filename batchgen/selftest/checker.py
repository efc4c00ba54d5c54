"""Judges what is left of a batch; it uses none of the program's code, only SQLite, the files and the gateway's list.

The promises, by number: 1 no job is lost; 2 nothing is paid twice, or each extra payment is listed; 3 no payment
without a job that knows of it; 4 no picture that is not the one sold; 5 nothing half-written under a final name, and
nothing left behind; 6 no file of others touched; 7 the money in the journal is the money of its milestones, within
the cap; 8 no credential and no signature written anywhere; 9 nothing that was acknowledged is lost; 10 a picture that
was saved is not fetched again.
"""

import hashlib
import io
import json
import re
import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
from PIL import Image, UnidentifiedImageError

OWN = frozenset({"journal.db", "journal.db-wal", "journal.db-shm", "lock", "epoch", "epoch.new", "owner", "unrecorded"})
TORN = re.compile(r"\.batchgen/parts/\.\d+\.[0-9a-f]{16}\.part")
"""A picture that was being written; it proves nothing and is believed by nobody."""

REPLACED = ".batchgen/journal.db.new"
"""The journal's first name, which a power cut may leave beside the second."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is judged: the batch folder, the gateway's, what the lives noted, and what was agreed.

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


def at_rest(case: Case, facts: Iterable[dict[str, Any]]) -> list[str]:
    """The breaches right after a death, before anything is mended."""
    noted = list(facts)
    return [
        *_torn(case),
        *_reported(case),
        *_strangers(case),
        *_acknowledged(case, noted),
        *_over_the_cap(case),
        *_unlisted(case, noted),
    ]


def at_the_end(case: Case, facts: Iterable[dict[str, Any]]) -> list[str]:
    """The breaches after the same command was run until it had nothing more to do."""
    noted = list(facts)
    found = (
        _lost(case),
        _told(case),
        _twice(case),
        _orphans(case),
        _corrupt(case),
        _left_behind(case),
        _miscounted(case),
        _secrets(case),
        _again(noted),
    )
    return [*at_rest(case, noted), *(breach for each in found for breach in each)]


def _rows(path: Path, query: str) -> list[Any]:
    """Read from a copy, so that nothing is mended by looking."""
    if not path.exists():
        return []
    with tempfile.TemporaryDirectory() as folder:
        for end in ("", "-wal", "-journal"):
            with suppress(FileNotFoundError):
                shutil.copyfile(f"{path}{end}", f"{folder}/db{end}")
        connection = apsw.Connection(f"{folder}/db")
        try:
            return list(connection.execute(query))
        except apsw.SQLError:  # a database without tables: nothing was written yet
            return []
        finally:
            connection.close()


def _journal(case: Case, query: str) -> list[Any]:
    return _rows(case.folder / ".batchgen/journal.db", query)


def _heads(case: Case) -> dict[str, tuple[int, str, dict[str, Any]]]:
    query = """SELECT jobs.id, number, m.kind, m.body FROM jobs JOIN milestones m ON m.job = number AND position = head
        WHERE standing = 'current'"""
    return {name: (number, kind, json.loads(body)) for name, number, kind, body in _journal(case, query)}


def _paid(case: Case) -> dict[str, list[str]]:
    """The tasks that were paid for, by job id; one that the gateway ended with an error was given back."""
    given_back = {
        task for (task,) in _rows(case.gateway / "gateway.db", "SELECT id FROM tasks WHERE error IS NOT NULL")
    }
    digests = {hashlib.sha256(prompt.encode()).hexdigest(): job for job, prompt in case.prompts.items()}
    paid = defaultdict(list)
    for line in _lines(case):
        if line["prompt_sha256"] in digests and line["task_id"] not in given_back:
            paid[digests[line["prompt_sha256"]]].append(line["task_id"])
    return paid


def _lines(case: Case) -> Iterator[dict[str, Any]]:
    path = case.gateway / "paid.jsonl"
    for line in path.read_bytes().splitlines(keepends=True) if path.exists() else ():
        with suppress(ValueError):  # the torn end of a power cut
            yield json.loads(line)


def _lost(case: Case) -> Iterator[str]:
    good = {"Stored", "InDoubt"} if case.held else {"Stored"}
    heads = _heads(case)
    for job in case.prompts:
        _, kind, _body = heads.get(job, (0, "nowhere", {}))
        if kind not in good:
            yield f"1: job {job} ends as {kind}"
    for job in heads.keys() - case.prompts.keys():
        yield f"1: a job {job} that nobody asked for"


def _twice(case: Case) -> Iterator[str]:
    resent = {number for (number,) in _journal(case, "SELECT job FROM milestones WHERE kind='Planned' AND attempt > 0")}
    heads = _heads(case)
    for job, tasks in _paid(case).items():
        if len(tasks) > 1 and heads.get(job, (0,))[0] not in resent:
            yield f"2: job {job} was paid {len(tasks)} times"


def _orphans(case: Case) -> Iterator[str]:
    bodies = _journal(case, "SELECT body FROM milestones WHERE kind = 'Accepted'")
    known = {json.loads(body)["task_id"] for (body,) in bodies}
    doubtful = {job for job, (_, kind, _body) in _heads(case).items() if kind == "InDoubt"}
    for job, tasks in _paid(case).items():
        for task in set(tasks) - known:
            if job not in doubtful:
                yield f"3: task {task} of job {job} was paid and nobody knows it"


def _sold(case: Case) -> dict[str, str]:
    rows = _rows(case.gateway / "gateway.db", "SELECT id, sha256 FROM tasks")
    return {task: sha256 for task, sha256 in rows if sha256}


def _corrupt(case: Case) -> Iterator[str]:
    sold = _sold(case)
    for job, (_, kind, body) in _heads(case).items():
        for asset in body["assets"] if kind == "Stored" else ():
            path = case.folder / asset["name"]
            data = path.read_bytes() if path.exists() else b""
            if (hashlib.sha256(data).hexdigest(), len(data)) != (asset["sha256"], asset["size"]):
                yield f"4: {asset['name']} of job {job} is not what the journal says"
            elif asset["sha256_received"] != sold.get(body["task_id"]):
                yield f"4: {asset['name']} of job {job} is not what was sold"
            elif (asset["sha256"] != asset["sha256_received"]) != case.labelled:
                yield f"4: {asset['name']} of job {job} {'tells nothing' if case.labelled else 'was changed'}"
            if case.labelled and _beside(path).get("sha256") != asset["sha256"]:
                yield f"4: what stands beside {asset['name']} of job {job} is not of this picture"


def _beside(picture: Path) -> dict[str, Any]:
    """What the sidecar of a picture says; nothing when there is none."""
    path = picture.with_name(f"{picture.name}.json")
    found: dict[str, Any] = json.loads(path.read_bytes()) if path.exists() else {}
    return found


def _torn(case: Case) -> Iterator[str]:
    for name in _finals(case):
        try:
            if name.endswith(".json"):
                json.loads((case.folder / name).read_bytes())
                continue
            Image.open(io.BytesIO((case.folder / name).read_bytes())).load()
        except (OSError, UnidentifiedImageError, SyntaxError, ValueError):
            yield f"5: {name} is not a whole picture"


def _report(case: Case) -> Any:
    """What report.json says; None when there is none."""
    path = case.folder / "report.json"
    return json.loads(path.read_bytes()) if path.exists() else None


def _reported(case: Case) -> Iterator[str]:
    """What is written anew from time to time is whole, or not there."""
    for name in ("report.json", ".batchgen/epoch"):
        path = case.folder / name
        try:
            json.loads(path.read_bytes() if path.exists() else b"{}")
        except ValueError:
            yield f"5: {name} is not whole"


def _told(case: Case) -> Iterator[str]:
    """The report says what the journal says."""
    stored = sum(kind == "Stored" for _, kind, _ in _heads(case).values())
    with suppress(ValueError):  # a torn one is told already
        report = _report(case)
        if report is None or report["counts"].get("stored") != stored:
            yield f"1: the report does not count the {stored} stored pictures"


def _finals(case: Case) -> list[str]:
    found = [path.relative_to(case.folder) for path in sorted(case.folder.rglob("*")) if path.is_file()]
    names = [path.as_posix() for path in found if path.parts[0] != ".batchgen"]
    return [name for name in names if not name.startswith("report.json") and name not in case.strangers]


def _left_behind(case: Case) -> Iterator[str]:
    stored = [asset for _, kind, body in _heads(case).values() if kind == "Stored" for asset in body["assets"]]
    assets, hashes = {asset["name"] for asset in stored}, {asset["sha256"] for asset in stored}
    assets |= {f"{name}.json" for name in assets if case.labelled}
    for name in set(_finals(case)) - assets:
        yield f"5: {name} belongs to no job"
    for path in case.folder.rglob("*"):
        name = path.relative_to(case.folder).as_posix()
        ours = name in case.strangers or name == "report.json" or name in assets
        ours |= case.parts_may_return and _returned(name, hashes)
        if path.is_file() and not ours and name.removeprefix(".batchgen/") not in OWN:
            yield f"5: {name} was left behind"


def _returned(name: str, hashes: set[str]) -> bool:
    """Whether a power cut may have brought back this name, which means nothing any more."""
    return _proof(name) in hashes or TORN.fullmatch(name) is not None or name == REPLACED


def _proof(name: str) -> str:
    return name.removesuffix(".part").rpartition(".")[2] if name.startswith(".batchgen/parts/") else ""


def _strangers(case: Case) -> Iterator[str]:
    for name, content in case.strangers.items():
        path = case.folder / name
        if not path.exists() or path.read_bytes() != content:
            yield f"6: the file {name} of somebody else was touched"


def _acknowledged(case: Case, facts: Iterable[dict[str, Any]]) -> Iterator[str]:
    written = {(job, at): kind for job, at, kind in _journal(case, "SELECT job, position, kind FROM milestones")}
    for fact in facts:
        if "appended" in fact:
            job, position, kind = fact["appended"]
            if written.get((job, position)) != kind:
                yield f"9: {kind} of job {job} was acknowledged and is lost"


def _unlisted(case: Case, facts: Iterable[dict[str, Any]]) -> Iterator[str]:
    listed = {line["task_id"] for line in _lines(case)}
    for fact in facts:
        if fact.get("bought") and fact["bought"] not in listed:
            yield f"9: task {fact['bought']} was sold and is not in the gateway's list"


def _exposed(body: dict[str, Any]) -> int:
    prices = (body.get(name) for name in ("price_micro_usd", "cost_micro_usd", "in_doubt_micro_usd"))
    return sum(price for price in prices if price is not None)


def _over_the_cap(case: Case) -> Iterator[str]:
    if case.cap_micro_usd is None:
        return
    total = sum(_exposed(body) for _, _, body in _heads(case).values())
    if total > case.cap_micro_usd:
        yield f"7: {total} micro-USD are reserved or spent, {case.cap_micro_usd} are allowed"


def _miscounted(case: Case) -> Iterator[str]:
    """The sums that stand beside the milestones, counted again."""
    told = dict(_journal(case, "SELECT what, sum(amount) FROM totals WHERE what LIKE 'money:%' GROUP BY what"))
    spent = reserved = 0
    for _, kind, body in _heads(case).values():
        spent += _exposed(body) if kind in {"Stored", "Generated"} else 0
        reserved += _exposed(body) if kind in {"Started", "Accepted"} else 0
    for name, sum_ in (("spent", spent), ("reserved", reserved)):
        if told.get(f"money:{name}", 0) < sum_:
            yield f"7: the journal counts {told.get(f'money:{name}', 0)} micro-USD {name}, its milestones {sum_}"


def _secrets(case: Case) -> Iterator[str]:
    for place in case.written:
        for path in [place] if place.is_file() else place.rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            for secret in case.secrets:
                if secret in content:
                    yield f"8: a secret stands in {path.name}"


def _again(facts: Iterable[dict[str, Any]]) -> Iterator[str]:
    saved: Counter[tuple[int, int]] = Counter()
    for fact in facts:
        if "saving" in fact and saved[tuple(fact["saving"])]:
            yield f"10: the picture of job {fact['saving'][0]} was saved and is fetched again"
        if "saved" in fact:
            saved[tuple(fact["saved"])] += 1

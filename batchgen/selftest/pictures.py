"""Judges files: whole pictures and the ones sold, nothing left behind, nothing of others touched, no secret."""

import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from batchgen.selftest.evidence import Case, Evidence

OWN = frozenset({"journal.db", "journal.db-wal", "journal.db-shm", "lock", "epoch", "epoch.new", "owner", "unrecorded"})
TORN = re.compile(r"\.batchgen/parts/\.\d+\.[0-9a-f]{16}\.part")
"""A picture that was being written; it proves nothing and is believed by nobody."""

REPLACED = ".batchgen/journal.db.new"
"""The journal's first name, which a power cut may leave beside the second."""


def corrupt(found: Evidence) -> Iterator[str]:
    """4: a stored picture is the one that the journal knows and the gateway sold."""
    for job, head in found.journal.heads.items():
        for asset in head.body["assets"] if head.kind == "Stored" else ():
            sold = found.gateway.sold.get(head.body["task_id"])
            for breach in _not_sold(found.case, asset, sold):
                yield f"4: {breach} of job {job}"


def _not_sold(case: Case, asset: dict[str, Any], sold: str | None) -> Iterator[str]:
    name, path = asset["name"], case.folder / asset["name"]
    data = path.read_bytes() if path.exists() else b""
    if (hashlib.sha256(data).hexdigest(), len(data)) != (asset["sha256"], asset["size"]):
        yield f"{name} is not what the journal says"
    elif asset["sha256_received"] != sold:
        yield f"{name} is not what was sold"
    elif (asset["sha256"] != asset["sha256_received"]) != case.labelled:
        yield f"{name} {'tells nothing' if case.labelled else 'was changed'}"
    if case.labelled and _beside(path).get("sha256") != asset["sha256"]:
        yield f"what stands beside {name} is not of this picture"


def _beside(picture: Path) -> dict[str, Any]:
    """What the sidecar of a picture says; nothing when there is none."""
    path = picture.with_name(f"{picture.name}.json")
    found: dict[str, Any] = json.loads(path.read_bytes()) if path.exists() else {}
    return found


def torn(found: Evidence) -> Iterator[str]:
    """5: what stands under a final name is whole."""
    for name in _finals(found.case):
        data = (found.case.folder / name).read_bytes()
        try:
            if name.endswith(".json"):
                json.loads(data)
            else:
                Image.open(io.BytesIO(data)).load()
        except (OSError, UnidentifiedImageError, SyntaxError, ValueError):
            yield f"5: {name} is not a whole picture"


def rewritten(found: Evidence) -> Iterator[str]:
    """5: what is written anew from time to time is whole, or not there."""
    for name in ("report.json", ".batchgen/epoch"):
        path = found.case.folder / name
        try:
            json.loads(path.read_bytes() if path.exists() else b"{}")
        except ValueError:
            yield f"5: {name} is not whole"


def reported(found: Evidence) -> Iterator[str]:
    """1: the report says what the journal says."""
    stored = sum(head.kind == "Stored" for head in found.journal.heads.values())
    path = found.case.folder / "report.json"
    with suppress(ValueError):  # a torn one is told already
        report = json.loads(path.read_bytes()) if path.exists() else None
        if report is None or report["counts"].get("stored") != stored:
            yield f"1: the report does not count the {stored} stored pictures"


def left_behind(found: Evidence) -> Iterator[str]:
    """5: every file belongs to a job, to the batch, or to somebody else."""
    case = found.case
    assets = {asset["name"] for asset in found.journal.assets}
    hashes = {asset["sha256"] for asset in found.journal.assets}
    assets |= {f"{name}.json" for name in assets if case.labelled}
    for name in set(_finals(case)) - assets:
        yield f"5: {name} belongs to no job"
    for name in _files(case.folder):
        ours = name in case.strangers or name == "report.json" or name in assets
        ours |= case.parts_may_return and _returned(name, hashes)
        if not ours and name.removeprefix(".batchgen/") not in OWN:
            yield f"5: {name} was left behind"


def _returned(name: str, hashes: set[str]) -> bool:
    """Whether a power cut may have brought back this name, which means nothing any more."""
    return _proof(name) in hashes or TORN.fullmatch(name) is not None or name == REPLACED


def _proof(name: str) -> str:
    return name.removesuffix(".part").rpartition(".")[2] if name.startswith(".batchgen/parts/") else ""


def _finals(case: Case) -> list[str]:
    names = (name for name in _files(case.folder) if not name.startswith((".batchgen/", "report.json")))
    return [name for name in names if name not in case.strangers]


def _files(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]


def touched(found: Evidence) -> Iterator[str]:
    """6: the files of others are as they were."""
    for name, content in found.case.strangers.items():
        path = found.case.folder / name
        if not path.exists() or path.read_bytes() != content:
            yield f"6: the file {name} of somebody else was touched"


def secrets(found: Evidence) -> Iterator[str]:
    """8: no secret stands in anything that was written."""
    for place in found.case.written:
        for path in [place] if place.is_file() else place.rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            for secret in found.case.secrets:
                if secret in content:
                    yield f"8: a secret stands in {path.name}"


def again(found: Evidence) -> Iterator[str]:
    """10: a picture that was saved is not saved again."""
    saved: Counter[tuple[int, int]] = Counter()
    for fact in found.noted:
        if "saving" in fact and saved[tuple(fact["saving"])]:
            yield f"10: the picture of job {fact['saving'][0]} was saved and is fetched again"
        if "saved" in fact:
            saved[tuple(fact["saved"])] += 1

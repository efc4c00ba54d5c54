"""The program with one sync, flush or intent taken out, in a copy: each must be noticed by the crash explorer."""

import shutil
from dataclasses import dataclass
from pathlib import Path

POWER = ("power",)
KILL = ("kill",)


@dataclass(frozen=True)
class Mutation:
    """In the file at `path` below the package, `old` (found once, or the `nth` time) becomes `new`."""

    path: str
    old: str
    new: str
    kinds: tuple[str, ...] = POWER
    settings: tuple[str, ...] = ("replay",)
    nth: int = 0


MACHINE = ("machine",)
CROWD = ("crowd",)
COMMITTED = """                await self.tools.journal.append(entries, caps)
"""
MUTATIONS = {
    # the journal
    "FULL is NORMAL": Mutation(
        "journal/schema.py",
        'connection.pragma("synchronous", "EXTRA" if network else "FULL")',
        'connection.pragma("synchronous", "EXTRA" if network else "NORMAL")',
    ),
    "epoch is not synced": Mutation("journal/epoch.py", "os.fsync(descriptor)", "pass"),
    # the store
    "a part is not synced": Mutation("store/parts.py", "self.folder.disk.sync(self.fd)", "pass"),
    "a proof's folder is not synced": Mutation(
        "store/publishing.py", "self._folder.disk.sync_dir(self._folder.path(PARTS))", "pass"
    ),
    "a picture's folder is not synced": Mutation("store/folder.py", "self.disk.sync_dir(folder)", "pass"),
    "a new folder's name is not synced": Mutation(
        "store/folder.py",
        "                self.disk.sync_dir(above)\n                self",
        "                pass\n                self",
    ),
    "the batch folder's name is not synced": Mutation(
        "store/folder.py",
        "                self.disk.sync_dir(above)\n        self",
        "                pass\n        self",
        settings=MACHINE,
    ),
    "what a killed run made is not synced": Mutation(
        "store/folder.py", "(self.root, os.path.dirname(self.root), *missing)", "missing", KILL, MACHINE
    ),
    "an adopted file's folder is not synced": Mutation(
        "store/folder.py",
        "        self.disk.sync_dir(os.path.dirname(path))\n        return True",
        "        return True",
        KILL,
    ),
    "the disk does not sync": Mutation("store/disk.py", "os.fsync(fd)", "pass"),
    "the disk does not sync folders": Mutation("store/disk.py", "os.fsync(fd)", "pass", nth=1),
    "the owner's mark is not synced": Mutation("store/owner.py", "os.fsync(descriptor)", "pass"),
    # the gateway
    "paid.jsonl is not synced": Mutation("gateway/paid.py", "os.fsync(self._file)", "pass", settings=MACHINE),
    "the gateway's FULL is NORMAL": Mutation(
        "gateway/records.py", '"synchronous = full"', '"synchronous = normal"', settings=MACHINE
    ),
    "the gateway's file is not flushed": Mutation(
        "gateway/state.py", "            file.flush()\n", "", settings=MACHINE
    ),
    "the gateway's file is not synced": Mutation(
        "gateway/state.py", "os.fsync(file.fileno())", "pass", settings=MACHINE
    ),
    "the gateway's folder is not synced": Mutation(
        "gateway/state.py", "os.fsync(descriptor)", "pass", settings=MACHINE
    ),
    "the names of the gateway's files are not synced": Mutation(
        "gateway/state.py", "    sync_folder(os.path.dirname(path))", "    pass", settings=MACHINE
    ),
    "the gateway's list has no durable name": Mutation(
        "gateway/state.py", "    sync_folder(folder)", "    pass", settings=MACHINE
    ),
    "the gateway's folder has no durable name": Mutation(
        "gateway/state.py", "    sync_folder(os.path.dirname(folder))", "    pass", settings=MACHINE
    ),
    # the report
    "the report is not flushed": Mutation("report/summary.py", "        file.flush()\n", ""),
    "the report is not synced": Mutation("report/summary.py", "os.fsync(file.fileno())", "pass"),
    # the intents
    "the intent comes after the money": Mutation(
        "worker/buying.py",
        "        await carried.reach(started, tools.caps if doubt is None else None)\n"
        "        await _post(carried, _Sending(",
        "        outcome, _ = await _send(carried, _Sending(started, order, Planned(started.attempt - 1)))\n"
        "        await carried.reach(started, tools.caps if doubt is None else None)\n"
        "        await carried.reach(outcome)\n"
        "        return\n"
        "        await _post(carried, _Sending(",
        KILL,
        ("hold",),
    ),
    "accepted is written late": Mutation(
        "worker/carried.py",
        "        if isinstance(milestone, Generated) or",
        "        if isinstance(milestone, Generated | Accepted) or",
        KILL,
        ("hold",),
    ),
    "a found intent is taken for nothing": Mutation(
        "lifecycle.py",
        "    if isinstance(reached, Started):\n        return InDoubt(",
        "    if isinstance(reached, Started):\n        return Planned(reached.attempt - 1)\n"
        "    if not reached:\n        return InDoubt(",
        KILL,
        ("hold",),
    ),
    "append does not wait": Mutation(
        "journal/commits.py",
        "        return await over.wait()",
        "        return None",
        ("kill", "power"),
    ),
    "a picture is linked before it is proven": Mutation(
        "store/parts.py",
        "    os.replace(part.path, folder.path(proof_name(proof)))\n",
        "    os.link(part.path, folder.path(proof_name(proof)))\n",
        KILL,
    ),
    "a sidecar is not synced": Mutation(
        "store/labels.py",
        "            part.finish()\n            self._publish",
        "            self._publish",
        settings=CROWD,
    ),
    "what is found gets no sidecar": Mutation(
        "worker/fetching.py",
        "    if label := carried.tools.label(job, paid):\n"
        "        saved = await store.find(job.number, job.path, label)\n",
        "",
        KILL,
        CROWD,
    ),
    "what was received is forgotten": Mutation("store/names.py", 'else f"{proof.received}."', 'else ""', KILL, CROWD),
    "what a kill left is not swept": Mutation(
        "batch/working.py", "    await store.sweep(lambda number: number not in waiting)\n", "", KILL
    ),
    "what was saved is not looked for": Mutation(
        "worker/fetching.py", "    if not saved:\n        return\n", "    return\n", KILL
    ),
}
"""By what it does to the program."""

_AGAIN = "the first commit of a run syncs the folder again, before anything is owed"
_TWICE = "needed when the journal fails and the power is cut as well; tests/journal/test_unrecorded.py"
_PROVEN = "shared copies are proven by their hash when they are read; runs of the self test are one process"
EQUIVALENT = (
    ("journal/schema.py", "sync_folder(os.path.dirname(path))", _AGAIN),
    ("journal/schema.py", "os.fsync(descriptor)", _AGAIN),
    ("journal/schema.py", 'connection.pragma("synchronous", "EXTRA")', "a journal without a name is made anew"),
    ("journal/epoch.py", "sync_folder(folder)", "an older epoch notices less, and is never wrong"),
    (
        "store/folder.py",
        "self.disk.sync(file.fileno())",
        "only for a stranger's file: test_adopted_file_is_made_durable",
    ),
    ("store/owner.py", "os.fsync(above)", "a mark that is lost is made again by the same journal"),
    ("journal/unrecorded.py", "os.fsync(descriptor)", _TWICE),
    ("journal/unrecorded.py", "sync_folder(folder)", _TWICE),
    ("report/summary.py", "os.fsync(folder)", "a report that is lost is written again"),
    ("report/page.py", "file.flush()", "a page that is lost is made again"),
    ("report/page.py", "os.fsync(file.fileno())", "a page that is lost is made again"),
    ("report/contact.py", "file.flush()", "a sheet that is lost is made again"),
    ("report/contact.py", "os.fsync(file.fileno())", "a sheet that is lost is made again"),
    ("report/thumbnails.py", "stdin.flush()", "a pipe to a child, nothing durable"),
    ("report/thumbnails.py", "copy.flush()", "a copy for the child to read, gone when it has"),
    ("store/references.py", "file.flush()", _PROVEN),
    ("store/references.py", "os.fsync(file.fileno())", _PROVEN),
    ("store/references.py", "os.fsync(above)", _PROVEN),
)
"""What no crash can show, as (file, line, why)."""


def applied(mutation: Mutation, source: Path, target: Path) -> None:
    """Copy the package and take it out there."""
    shutil.copytree(source / "batchgen", target / "batchgen", ignore=shutil.ignore_patterns("__pycache__"))
    path = target / "batchgen" / mutation.path
    path.write_text(mutated(mutation, path.read_text(encoding="utf-8")), encoding="utf-8")


def mutated(mutation: Mutation, text: str) -> str:
    """A file's text with this mutation in it, which must still be possible."""
    parts = text.split(mutation.old)
    assert len(parts) > mutation.nth + 1, f"{mutation.path} has no longer {mutation.old!r}"
    left = mutation.old.join(parts[: mutation.nth + 1])
    return left + mutation.new + mutation.old.join(parts[mutation.nth + 1 :])

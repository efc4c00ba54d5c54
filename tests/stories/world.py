"""A little world for whole-program stories: a folder, a gateway of its own in another process, and a judge.

The judge reads the journal's tables, the gateway's ledger and the files themselves; it uses none of the program's code.
"""

import collections
import hashlib
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
from PIL import Image

HERE = Path(__file__).parent.parent.parent
PATIENCE = 60


@dataclass(frozen=True)
class Done:
    """A finished command."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """All that it said, as one line."""
        return " ".join((self.out + " " + self.err).split())


@dataclass
class Gateway:
    """A gateway in another process."""

    url: str
    key: str
    state: Path
    process: subprocess.Popen[str]

    def paid(self) -> list[dict[str, Any]]:
        """Its ledger: one entry per task that was paid for."""
        path = self.state / "paid.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@dataclass
class World:
    """A folder with an outputs folder, and commands typed in it."""

    root: Path

    def __post_init__(self) -> None:
        (self.root / "outputs").mkdir(parents=True, exist_ok=True)

    def write(self, name: str = "m.yaml", **keys: Any) -> Path:
        """A manifest in JSON, which is YAML."""
        path = self.root / name
        path.write_text(json.dumps({"batchgen": 1, "name": "story", **keys}))
        return path

    def start(self, *words: str, cwd: Path | None = None, **environ: str) -> subprocess.Popen[str]:
        """Type a command and do not wait; in a session of its own, so that a terminal's signals can be played."""
        clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        clean |= {"PYTHONPATH": str(HERE), **environ}
        return subprocess.Popen(
            ["env", "--default-signal=INT,TERM,HUP", sys.executable, "-m", "batchgen", *words],
            cwd=cwd or self.root,
            env=clean,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def type(self, *words: str, cwd: Path | None = None, **environ: str) -> Done:
        """Type a command and wait for its end."""
        return ended(self.start(*words, cwd=cwd, **environ))

    def batch(self, name: str = "story") -> "Batch":
        """What became of a batch."""
        return Batch(self.root / "outputs" / name)


def ended(process: subprocess.Popen[str], patience: float | None = None) -> Done:
    """Wait for a command's end, by default as long as `PATIENCE` says now."""
    out, err = process.communicate(timeout=PATIENCE if patience is None else patience)
    return Done(process.returncode, out, err)


@dataclass(frozen=True)
class Batch:
    """A batch folder, read from outside."""

    folder: Path

    def _rows(self, query: str) -> list[Any]:
        connection = apsw.Connection(str(self.folder / ".batchgen/journal.db"), flags=apsw.SQLITE_OPEN_READONLY)
        connection.set_busy_timeout(5000)
        try:
            return list(connection.execute(query))
        finally:
            connection.close()

    def heads(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Kind and body of every current job's newest milestone, by id."""
        query = """SELECT jobs.id, m.kind, m.body FROM jobs JOIN milestones m ON m.job = number AND m.position = head
            WHERE standing = 'current' ORDER BY place"""
        return {job_id: (kind, json.loads(body)) for job_id, kind, body in self._rows(query)}

    def kinds(self) -> collections.Counter[str]:
        """How many current jobs have reached what."""
        return collections.Counter(kind for kind, _ in self.heads().values())

    def tasks(self) -> dict[int, set[str]]:
        """All tasks that were ever accepted, by job number."""
        found: dict[int, set[str]] = collections.defaultdict(set)
        for job, body in self._rows("SELECT job, body FROM milestones WHERE kind = 'Accepted'"):
            found[job].add(json.loads(body)["task_id"])
        return found

    def resent(self) -> collections.Counter[str]:
        """How often each job was sent again as a new attempt while the old payment stays in doubt, by id."""
        query = """SELECT jobs.id FROM milestones m JOIN milestones d ON d.job = m.job AND d.position = m.position - 1
            JOIN jobs ON number = m.job WHERE m.kind = 'Planned' AND d.kind = 'InDoubt'"""
        return collections.Counter(name for (name,) in self._rows(query))

    def whole(self) -> set[str]:
        """The names of all stored pictures, each proven: there, of its hash and size, and decodable."""
        names = set()
        for kind, body in self.heads().values():
            for asset in body["assets"] if kind == "Stored" else ():
                data = self.read(asset["name"])
                assert (hashlib.sha256(data).hexdigest(), len(data)) == (asset["sha256"], asset["size"])
                Image.open(io.BytesIO(data)).load()
                names.add(asset["name"])
        return names

    def read(self, name: str) -> bytes:
        """The bytes of a picture."""
        return (self.folder / name).read_bytes()

    def strays(self) -> list[str]:
        """Files that are neither pictures of the journal nor its own, nor thumbnails, which come and go."""
        own = {"report.json", *(f".batchgen/{name}" for name in ("journal.db", "lock", "epoch", "owner", "unrecorded"))}
        own |= {f".batchgen/journal.db-{end}" for end in ("wal", "shm")} | self.whole()
        found = (path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file())
        cached = re.compile(r"\.batchgen/(gateway/.+|thumbs/[0-9a-f]{2}/[0-9a-f]{64}\.jpg)")
        return [name for name in found if name not in own and not cached.fullmatch(name)]


@contextmanager
def gateway(state: Path, *options: str) -> Iterator[Gateway]:
    """A gateway whose tasks take no time, until the end of the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "batchgen.gateway", "--state", str(state), "--pace", "0", *options],
        env={**os.environ, "PYTHONPATH": str(HERE)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        said = json.loads(process.stdout.readline())
        yield Gateway(said["url"], Path(said["credential_file"]).read_text().strip(), state, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)


def at(server: Gateway, **profile: Any) -> dict[str, Any]:
    """The `provider` and `limits` of a manifest for this gateway, which may be asked often."""
    provider = {"base_url": server.url, "profile": {"idempotency": "none", **profile}}
    return {"provider": provider, "limits": {"rate": "none", "expert": {"polls_per_second": 200}}}


def jobs(count: int, **fields: Any) -> list[dict[str, Any]]:
    """Small different jobs."""
    subjects = ("red cube", "gold sphere", "green tree", "blue boat", "white cat", "grey castle", "yellow lemon")
    return [
        {
            "id": f"job{number:03}",
            "model": "nano-banana-pro",
            "output_format": "jpg",
            "prompt": f"A {subjects[number % len(subjects)]}, number {number}",
            **fields,
        }
        for number in range(count)
    ]

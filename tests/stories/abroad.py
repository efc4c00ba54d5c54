"""A batch without a file of this machine: its journal in PostgreSQL, its pictures in an object store."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import obstore
import psycopg
from obstore.store import S3Store

from tests.postgres import drop, url
from tests.s3 import S3
from tests.stories.world import Batch, Gateway, World


@dataclass(frozen=True)
class FarBatch(Batch):
    """A batch read from outside: tables from a server, pictures from a bucket."""

    conninfo: str
    objects: S3Store

    def _rows(self, query: str) -> list[Any]:
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute(f'SET search_path = "batchgen_{self.folder.name}"'.encode())
            return connection.execute(query.encode()).fetchall()

    def read(self, name: str) -> bytes:
        return bytes(obstore.get(self.objects, name).bytes())

    def strays(self) -> list[str]:
        """Objects that are neither pictures of the journal, nor references, nor the mark of the batch."""
        own = self.whole() | {".batchgen/owner"}
        names = (each["path"] for each in obstore.list(self.objects).collect())
        return [name for name in names if name not in own and not name.startswith(".batchgen/references/")]


@dataclass
class Abroad:
    """A world, a server and a bucket; `environ` is what all processes of a run find in their surroundings."""

    world: World
    conninfo: str
    s3: S3
    server: Gateway
    name: str = "story"
    bucket: str = field(init=False)

    def __post_init__(self) -> None:
        self.name += f"-{hashlib.sha256(str(self.world.root).encode()).hexdigest()[:12]}"
        self.bucket = self.name
        self.s3.bucket(self.bucket)

    @property
    def environ(self) -> dict[str, str]:
        """Credentials of provider and store."""
        return {"XENODIA_API_KEY": self.server.key, **self.s3.environ}

    def write(self, **keys: Any) -> Path:
        """A manifest that keeps its journal in the server."""
        path = self.world.root / "m.yaml"
        path.write_text(json.dumps({"batchgen": 1, "name": self.name, "journal": url(self.conninfo), **keys}))
        return path

    @property
    def store(self) -> str:
        """Where the pictures go."""
        return f"s3://{self.bucket}/nights"

    @property
    def batch(self) -> FarBatch:
        """What became of the batch."""
        objects = self.s3.store(self.bucket, f"nights/{self.name}")
        return FarBatch(self.world.root / "outputs" / self.name, self.conninfo, objects)

    def judge(self, count: int) -> None:
        """All pictures are there and whole, each job was paid for once, and the journal knows every task."""
        batch = self.batch
        assert batch.kinds() == {"Stored": count}
        assert len(batch.whole()) == count
        assert all(len(each) == 1 for each in batch.tasks().values())
        assert len(self.server.paid()) == count
        assert batch.strays() == []

    def forget(self) -> None:
        """Take the batch away."""
        drop(self.conninfo, f"batchgen_{self.name}")

"""`python -m tests.servers COMMAND…` runs a command beside a PostgreSQL and an S3 server, which its environment names.

What they hold stays in a folder of /var/tmp, one for each checkout and person, so that the next command finds it. It is
for rehearsals: PostgreSQL does not sync here.
"""

import fcntl
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests import postgres
from tests.s3 import s3_server
from tests.stories.world import HERE

DATABASE, BUCKET = "batches", "pictures"


@contextmanager
def servers(home: Path) -> Iterator[dict[str, str]]:
    """Both servers, with their data below a folder; what a program's environment says of them."""
    with postgres.lasting(str(home / "pg")) as cluster, s3_server(home / "s3") as s3:
        with psycopg.connect(cluster.conninfo, autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE}")
        s3.bucket(BUCKET)
        yield {"PGHOST": cluster.folder, "PGPORT": str(cluster.port), "PGUSER": "judge", **s3.environ}


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Make sure that nobody else serves from this folder, or owns it."""
    home.mkdir(mode=0o755, exist_ok=True)
    if home.stat().st_uid != os.geteuid():
        sys.exit(f"{home} belongs to somebody else")
    with (home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("the servers of this checkout are up for another command; wait for its end")
        yield


def home_of(checkout: Path) -> Path:
    """Where the data of a checkout stay, outside of it: PostgreSQL runs as another user for root."""
    digest = hashlib.sha256(str(checkout).encode()).hexdigest()[:8]
    return Path(os.environ.get("BATCHGEN_SERVERS", f"/var/tmp/batchgen-{os.geteuid()}-{digest}"))


def main(words: list[str]) -> int:
    """Run the command; says how it ended."""
    if not words:
        sys.exit(__doc__)
    home = home_of(HERE)
    signal.signal(signal.SIGINT, lambda *_: None)  # a terminal sends it to the command too, which ends in its own time
    with alone(home), servers(home) as environ:
        return subprocess.run(words, env={**os.environ, **environ}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

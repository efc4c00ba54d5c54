"""A PostgreSQL server for tests: the one that BATCHGEN_TEST_PG_DSN names, else one of their own, from Debian's package.

Its own lives in a folder that goes with the session, listens on a socket there and on nothing else, and does not sync:
what is judged here is the order of things. pytest-xdist's workers have one each.
"""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

DSN = "BATCHGEN_TEST_PG_DSN"
_BINARIES = Path("/usr/lib/postgresql")
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "autovacuum": "off",
    "log_min_messages": "panic",
}


def missing() -> str:
    """Why there is no server for tests, or nothing."""
    if os.environ.get(DSN) or _newest():
        return ""
    return f"no PostgreSQL: install Debian's `postgresql`, or name a server in {DSN}"


def _newest() -> Path | None:
    found = sorted(_BINARIES.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@dataclass
class Cluster:
    """A server of one's own; `conninfo` is how it is reached."""

    folder: str
    binaries: Path
    port: int = 5432
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def conninfo(self) -> str:
        """Host, port, user and database."""
        return f"host={self.folder} port={self.port} user=judge dbname=postgres"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = " ".join(f"-c {name}={value!r}" for name, value in (_SETTINGS | self.settings).items())
        settings += f" -c unix_socket_directories={self.folder} -c port={self.port}"
        self._run("pg_ctl", "start", "-w", "-t", "120", "-D", self._data, "-o", settings, "-l", f"{self.folder}/log")

    def stop(self, how: str = "fast") -> None:
        """Stop it, `fast` or `immediate`."""
        self._run("pg_ctl", "stop", "-w", "-t", "120", "-m", how, "-D", self._data)

    def make(self) -> None:
        """Make its folder."""
        if os.geteuid() == 0:
            known = pwd.getpwnam("postgres")
            os.chown(self.folder, known.pw_uid, known.pw_gid)
        self._run("initdb", "-D", self._data, "-U", "judge", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")

    def guard(self, user: str, password: str) -> None:
        """Make a user who needs a password."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            words = psycopg.sql.SQL("CREATE ROLE {} SUPERUSER LOGIN PASSWORD {}")
            connection.execute(words.format(psycopg.sql.Identifier(user), psycopg.sql.Literal(password)))
        rules = Path(self._data, "pg_hba.conf")
        rules.write_text(f"local all {user} scram-sha-256\n{rules.read_text()}")
        self._run("pg_ctl", "reload", "-D", self._data)

    @property
    def _data(self) -> str:
        return f"{self.folder}/data"

    def _run(self, name: str, *words: str) -> None:
        # PostgreSQL refuses to be run by root.
        before = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []
        command = [*before, str(self.binaries / name), *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)


@contextlib.contextmanager
def cluster(settings: dict[str, str] | None = None) -> Iterator[Cluster]:
    """A server of one's own, gone afterwards; `settings` stand over those of a judge."""
    binaries = _newest()
    assert binaries is not None
    folder = tempfile.mkdtemp(prefix="batchgen-pg-")
    os.chmod(folder, 0o755)
    made = Cluster(folder, binaries, settings=settings or {})
    try:
        made.make()
        made.start()
        try:
            yield made
        finally:
            made.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def lasting(folder: str) -> Iterator[Cluster]:
    """A server whose data stay in a folder, below one that everybody may enter."""
    binaries = _newest()
    assert binaries is not None, missing()
    made = Cluster(folder, binaries)
    if not os.path.isdir(f"{folder}/data/base"):
        os.makedirs(folder, mode=0o755)
        made.make()
    if os.path.exists(f"{folder}/data/postmaster.pid"):  # whoever started it was killed
        with contextlib.suppress(subprocess.CalledProcessError):
            made.stop("immediate")
    made.start()
    try:
        yield made
    finally:
        made.stop()


@contextlib.contextmanager
def server() -> Iterator[str]:
    """How a server is reached, in libpq's words."""
    if named := os.environ.get(DSN):
        yield named
        return
    with cluster() as made:
        yield made.conninfo


def url(conninfo: str) -> str:
    """What a manifest calls a server."""
    known = psycopg.conninfo.conninfo_to_dict(conninfo)
    named = "&".join(f"{name}={value}" for name, value in known.items() if name != "dbname")
    return f"postgresql:///{known.get('dbname', 'postgres')}?{named}"


def drop(conninfo: str, schema: str) -> None:
    """Take a batch away."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(psycopg.sql.Identifier(schema)))

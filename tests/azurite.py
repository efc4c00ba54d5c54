"""Azurite, Microsoft's own stand-in for Azure Blob Storage, of this machine; it comes with npm, and not from PyPI."""

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.s3 import free_ports

ACCOUNT = "judges"
START_SECONDS = 100


def missing() -> str:
    """Why there is no server for tests, or nothing."""
    return "" if shutil.which("azurite-blob") else "no azurite-blob in PATH: npm install azurite"


@dataclass(frozen=True)
class Azurite:
    """A server that speaks Azure Blob; `environ` is what a program needs to reach it."""

    endpoint: str
    key: str

    @property
    def environ(self) -> dict[str, str]:
        """Account, key, and where it is."""
        account = {"AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT, "AZURE_STORAGE_ACCOUNT_KEY": self.key}
        return {**account, "AZURE_STORAGE_USE_EMULATOR": "true", "AZURITE_BLOB_STORAGE_URL": self.endpoint}

    def container(self, name: str) -> None:
        """Make a container, by a request signed with the account's key."""
        date = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
        headers = {"x-ms-date": date, "x-ms-version": "2021-08-06"}
        lines = "".join(f"{each}:{value}\n" for each, value in headers.items())
        words = f"PUT{12 * chr(10)}{lines}/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
        signed = hmac.new(base64.b64decode(self.key), words.encode(), hashlib.sha256).digest()
        headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(signed).decode()}"
        address = f"{self.endpoint}/{ACCOUNT}/{name}?restype=container"
        urllib.request.urlopen(urllib.request.Request(address, method="PUT", headers=headers), timeout=30).close()


@contextmanager
def azurite(folder: Path) -> Iterator[Azurite]:
    """A server with an account of its own, until the end of the block."""
    (port,) = free_ports(1)
    key = base64.b64encode(secrets.token_bytes(64)).decode()
    found = Azurite(f"http://127.0.0.1:{port}", key)
    words = ["azurite-blob", "--disableTelemetry", "--skipApiVersionCheck", "--inMemoryPersistence"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*words, "--blobHost", "127.0.0.1", "--blobPort", str(port)],
            cwd=folder,
            env={**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{key}"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        until = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError):
                found.container("pictures")
                break
            assert process.poll() is None, (folder / "log").read_text()[-2000:]
            assert time.monotonic() < until, "Azurite did not start"
            time.sleep(0.05)
        yield found
    finally:
        process.kill()
        process.wait()

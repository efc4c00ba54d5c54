"""Arms of a race: each in a fresh process on one core, against a fresh server on the other, one after another."""

import http.client
import json
import os
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import trustme

from tests.benchmarks.measure import Work

MEMORY = Path("/dev/shm")
"""Where pictures land: a file system in memory, so that the disk of the machine has no say."""


@dataclass(frozen=True)
class Arm:
    """One way to do the work: a module that takes a URL and a folder."""

    name: str
    words: tuple[str, ...]
    work: Work


@dataclass
class Taken:
    """What one arm took in every round, and what its server said of it."""

    rounds: list[dict[str, float]] = field(default_factory=list)

    def values(self, name: str) -> list[float]:
        """One figure, round by round."""
        return [each[name] for each in self.rounds]

    def median(self, name: str) -> float:
        """Its median."""
        return statistics.median(self.values(name))


def cores() -> tuple[int, int] | tuple[None, None]:
    """The core of the arms and that of the server; none on a machine of one core."""
    usable = sorted(os.sched_getaffinity(0))
    return (usable[0], usable[-1]) if len(usable) > 1 else (None, None)


def certified(folder: str) -> dict[str, str]:
    """Make an authority and a certificate of it for this machine; gives the environment in which it is trusted."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(f"{folder}/authority.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(f"{folder}/server.pem")
    return {"SSL_CERT_FILE": f"{folder}/authority.pem"}


@contextmanager
def server(profile: str, size: int = 200_000, certificate: str | None = None) -> Iterator[str]:
    """A raw server in a process of its own, over TLS if there is a certificate; gives its URL."""
    command = [sys.executable, "-m", "tests.benchmarks.server", "--profile", profile, "--size", str(size)]
    if certificate is not None:
        command += ["--certificate", certificate]
    if (core := cores()[1]) is not None:
        command += ["--core", str(core)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def stats(url: str, trusted: str | None) -> dict[str, float]:
    """What a server says of itself."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    line = http.client.HTTPConnection(parts.hostname, parts.port)
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=trusted)
        line = http.client.HTTPSConnection(parts.hostname, parts.port, context=context)
    line.request("GET", "/stats")
    told: dict[str, float] = json.loads(line.getresponse().read())
    line.close()
    return told


def run(arm: Arm) -> dict[str, float]:
    """Let an arm do its work once."""
    core = cores()[0]
    work = replace(arm.work, core=core)
    folder = tempfile.mkdtemp(prefix="race-", dir=MEMORY if MEMORY.is_dir() else None)
    try:
        trusted = certified(folder) if work.tls else {}
        with server(work.profile, work.size, f"{folder}/server.pem" if work.tls else None) as url:
            module, *words = arm.words
            command = [sys.executable, "-m", module, *words, url, folder]
            environ = {**work.environ(), "KEY": "k" * 20, **trusted, **_preloaded(work, folder)}
            done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(f"{arm.name} ended with {done.returncode}: {done.stderr[-2000:]}")
            told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
            served = stats(url, trusted.get("SSL_CERT_FILE"))
            told |= _syncs(folder)
    finally:
        shutil.rmtree(folder)
    if not served["downloads"] >= work.jobs:
        raise RuntimeError(f"{arm.name} brought {served['downloads']} of {work.jobs} pictures: {told}")
    told["cpu_per_job"] = told["cpu"] / work.jobs
    told["jobs_per_second"] = work.jobs / told["wall"]
    return {**told, **{f"server_{name}": value for name, value in served.items()}}


def _preloaded(work: Work, folder: str) -> dict[str, str]:
    """The environment in which syncs are counted, and slow if they are to be; needs a C compiler."""
    if work.journal != "counted":
        return {}
    library = f"{folder}/slow_sync.so"
    source = str(Path(__file__).with_name("slow_sync.c"))
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return {"LD_PRELOAD": library, "SYNC_MS": str(work.sync_ms), "SYNC_COUNTS": f"{folder}/syncs"}


def _syncs(folder: str) -> dict[str, float]:
    counts = Path(folder, "syncs")
    if not counts.exists():
        return {}
    journal, others = counts.read_text().split()
    return {"journal_syncs": float(journal), "other_syncs": float(others)}


def interleaved(arms: Mapping[str, Arm], rounds: int, told: Callable[[str], None]) -> dict[str, Taken]:
    """Run every arm in turn, round after round, so that what the machine does meanwhile meets them all."""
    taken = {name: Taken() for name in arms}
    for turn in range(rounds):
        for name, arm in arms.items():
            figures = run(arm)
            taken[name].rounds.append(figures)
            told(
                f"  {turn + 1}/{rounds} {name:<12} {1000 * figures['cpu_per_job']:7.3f} ms CPU a job, "
                f"{figures['wall']:6.1f} s, {figures['peak_mb']:5.0f} MB, server {figures['server_cpu_seconds']:.2f} s"
            )
    return taken

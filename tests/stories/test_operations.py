"""The pages for clusters as they are copied: what they start carries a batch to its end, and their files are sound."""

import configparser
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import obstore
import pytest
import yaml

from tests import pages, postgres, s3
from tests.dask_operator import SCHEMAS
from tests.s3 import S3, free_ports
from tests.servers import BUCKET, servers
from tests.stories.machines import until
from tests.stories.world import HERE, Gateway, at, gateway, jobs

pytestmark = pytest.mark.timeout(600)

COUNT = 6
MISSING = postgres.missing() or s3.missing()
needs_servers = pytest.mark.skipif(bool(MISSING) and not os.environ.get("CI"), reason=MISSING)


@pytest.fixture(scope="module")
def surroundings() -> Iterator[dict[str, str]]:
    """A database and a bucket, by the variables that name them."""
    home = Path(tempfile.mkdtemp(prefix="batchgen-operations-"))
    home.chmod(0o755)  # PostgreSQL's own user enters it
    try:
        with servers(home) as environ:
            yield environ
    finally:
        shutil.rmtree(home)


@dataclass
class Site:
    """Machines as the pages have them, all of them somewhere below a folder; `started` are the processes there."""

    root: Path
    name: str
    server: Gateway
    environ: dict[str, str]
    port: int = field(default_factory=lambda: free_ports(1)[0])
    started: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    def __post_init__(self) -> None:
        shop = self.root / "srv/shop"
        (shop / "outputs").mkdir(parents=True)
        manifest = {"batchgen": 1, "name": self.name, "jobs": jobs(COUNT), **at(self.server, idempotency="replay")}
        (shop / "catalogue.yaml").write_text(json.dumps(manifest))
        self.environ = {**self.environ, "XENODIA_API_KEY": self.server.key}
        for program in ("batchgen", "dask"):
            self.tool(program, f'exec {sys.executable} -m {program} "$@"')
        self.tool("python", f'exec {sys.executable} "$@"')

    def tool(self, name: str, source: str) -> None:
        """Put a program among those of /opt/batchgen."""
        path = self.root / "opt/batchgen/bin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\nexport PYTHONPATH={HERE}\n{source}\n")
        path.chmod(0o755)

    def here(self, text: str) -> str:
        """A text of a page with the places of this site."""
        text = re.sub(r"(?<![\w/])/(?=opt/|srv/|scratch|tmp\b)", f"{self.root}/", text)
        text = re.sub(r"tcp://(head|pictures-scheduler)[\w.]*:8786", f"tcp://127.0.0.1:{self.port}", text)
        return text.replace("postgresql://db.example/", "postgresql:///")

    def start(self, *words: str, **environ: str) -> None:
        """Start a program that goes on, with nothing but this in its environment."""
        with (self.root / "log").open("ab") as log:
            self.started.append(
                subprocess.Popen(
                    words,
                    env=self._path() | environ,
                    cwd=self.root,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )

    def scheduler(self, *words: str) -> None:
        """Start the scheduler of a page, on loopback; it is told nothing that is secret."""
        local = ("--host", "127.0.0.1", "--port", str(self.port), "--dashboard-address", "127.0.0.1:0")
        self.start(*words, *local)
        until(self._listens, "the scheduler listens")

    def judge(self, *words: str, **environ: str) -> None:
        """Type the command of the head: all is bought once, into the bucket, and nothing lies here."""
        done = subprocess.run(
            words,
            env=self._path() | self.environ | environ,
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        log = self.root / "log"
        assert done.returncode == 0, done.stdout + done.stderr + (log.read_text()[-4000:] if log.exists() else "")
        assert len(self.server.paid()) == COUNT
        store = S3(self.environ["AWS_ENDPOINT_URL"], self.environ).store(BUCKET, f"nights/{self.name}")
        kept = {each["path"] for each in obstore.list(store).collect()}
        assert kept == {f"job{number:03}.jpg" for number in range(COUNT)} | {".batchgen/owner"}
        batch = self.root / "srv/shop/outputs" / self.name
        assert not list(batch.glob("*.jpg"))
        assert not (batch / ".batchgen/journal.db").exists()

    def end(self) -> None:
        """End all that was started here."""
        for process in self.started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _path(self) -> dict[str, str]:
        return {"PATH": f"{self.root}/opt/batchgen/bin:{os.environ['PATH']}", "HOME": str(self.root)}

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def site(root: Path, name: str, surroundings: dict[str, str]) -> Iterator[Site]:
    """A site with a provider, until the end of the block."""
    with gateway(root / "gateway", "--painter", "none") as server:
        made = Site(root / "site", name, server, surroundings)
        try:
            yield made
        finally:
            made.end()


def unit(text: str) -> configparser.ConfigParser:
    """A unit of systemd."""
    found = configparser.ConfigParser(interpolation=None)
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read_string(text)
    return found


def head(page: str) -> str:
    """The command of a page that begins with the program's name."""
    (found,) = [block.strip() for block in pages.blocks(page, "sh") if block.startswith("batchgen run")]
    return found


def variables(text: str) -> set[str]:
    """The variables that a file for a shell sets."""
    return {line.partition("=")[0] for line in text.splitlines()}


SECRETS = {"XENODIA_API_KEY", "PGPASSWORD", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"}


@needs_servers
def test_plain_machines(tmp_path: Path, surroundings: dict[str, str]) -> None:
    """The units of the page start a scheduler and workers that carry the batch which its command names."""
    with site(tmp_path, "machines", surroundings) as found:
        files = {Path(name).name: found.here(text) for name, text in pages.files("cluster/machines.md").items()}
        assert variables(files["worker.env"].strip()) == SECRETS
        started = {name: unit(text)["Service"] for name, text in files.items() if name.endswith(".service")}
        assert "EnvironmentFile" not in started["dask-scheduler.service"]
        assert started["dask-worker.service"]["EnvironmentFile"] == "/etc/batchgen/worker.env"
        assert {service["Restart"] for service in started.values()} == {"always"}
        (found.root / "tmp").mkdir()
        found.scheduler(
            *(word for word in words_of(started["dask-scheduler.service"]) if word not in {"--port", "8786"})
        )
        fewer = ["2" if word == "4" else word for word in words_of(started["dask-worker.service"])]
        found.start(*fewer, **found.environ)
        found.judge(*shlex.split(found.here(head("cluster/machines.md"))))


def words_of(service: configparser.SectionProxy) -> list[str]:
    """The words of the command of a service."""
    return shlex.split(service["ExecStart"])


def test_systemd_knows_every_word(tmp_path: Path) -> None:
    """systemd itself finds nothing wrong with the units, where it is there; each has the sections of its kind."""
    program = tmp_path / "dask"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for name, text in pages.files("cluster/machines.md").items():
        if name.endswith(".service"):
            assert set(unit(text).sections()) == {"Unit", "Service", "Install"}
            (tmp_path / Path(name).name).write_text(text.replace("/opt/batchgen/bin/dask", str(program)))
    if (analyze := shutil.which("systemd-analyze")) is None:
        return
    units = [str(path) for path in tmp_path.glob("*.service")]
    assert len(units) == 2
    done = subprocess.run([analyze, "verify", "--man=no", *units], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if "dask-" in line] == []


@needs_servers
def test_slurm(tmp_path: Path, surroundings: dict[str, str]) -> None:
    """The script of the page buys with Slurm jobs; what is secret stands in none of them, and none is left."""
    with site(tmp_path, "slurm", surroundings) as found:
        (script,) = pages.files("cluster/slurm.md").values()
        text = found.here(script).replace("cores=4", "cores=1").replace("processes=4", "processes=1")
        path = found.root / "srv/shop/on_slurm.py"
        path.write_text(text)
        (found.root / "srv/shop/worker.env").write_text("".join(f"{k}={v}\n" for k, v in found.environ.items()))
        queue = tmp_path / "queue"
        queue.mkdir()
        alone = "setsid env -i PATH=$PATH HOME=$HOME bash"  # a node knows nothing of who asked for it
        keep = f"job={queue}/$$; cp $1 $job.sh; {alone} $job.sh >>$job.log 2>&1 & echo Submitted batch job $!"
        found.tool("sbatch", f"{keep}; echo $! >>{queue}/pids")
        found.tool("scancel", f'for job; do kill -KILL -- "-$job"; echo $job >>{queue}/cancelled; done')
        local = {"DASK_JOBQUEUE__SLURM__SCHEDULER_OPTIONS": '{"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}'}
        try:
            found.judge(str(found.root / "opt/batchgen/bin/python"), str(path), **local)
        finally:
            given = (queue / "pids").read_text().split()
            for job in given:
                with suppress(ProcessLookupError):
                    os.killpg(int(job), signal.SIGKILL)
        assert set((queue / "cancelled").read_text().split()) == set(given)
        scripts = [each.read_text() for each in queue.glob("*.sh")]
        assert scripts
        for each in scripts:
            assert {"#SBATCH -p short", "#SBATCH --mem=8G"} <= {line.strip() for line in each.splitlines()}
            assert not [value for name, value in found.environ.items() if "KEY" in name and value in each]


def manifests() -> dict[str, list[dict[str, Any]]]:
    """The manifests for Kubernetes, by file."""
    found = pages.files("cluster/kubernetes.md")
    return {Path(name).name: list(yaml.safe_load_all(text)) for name, text in found.items()}


def test_manifests_have_the_structure() -> None:
    """Every resource has the structure that the operator and Kubernetes publish, and names what the others define."""
    found = manifests()
    for resource in (each for documents in found.values() for each in documents):
        jsonschema.validate(resource, SCHEMAS[resource["kind"]])
    (secret,), (cluster, policy), (job,) = (found[name] for name in ("secret.yaml", "cluster.yaml", "head.yaml"))
    assert set(secret["stringData"]) == SECRETS
    name = cluster["metadata"]["name"]
    labels = {"dask.org/cluster-name": name}
    assert cluster["spec"]["scheduler"]["service"]["selector"] == labels | {"dask.org/component": "scheduler"}
    assert policy["spec"]["podSelector"]["matchLabels"] == labels
    assert job["spec"]["template"]["metadata"]["labels"] == labels
    carried, (scheduler,) = pods(cluster, job), cluster["spec"]["scheduler"]["spec"]["containers"]
    assert "envFrom" not in scheduler
    for container, volumes in carried:
        assert container["envFrom"] == [{"secretRef": {"name": secret["metadata"]["name"]}}]
        assert {each["name"] for each in container["volumeMounts"]} == volumes
    assert len({container["image"] for container, _ in carried} | {scheduler["image"]}) == 1
    arguments = carried[1][0]["args"]
    assert arguments[arguments.index("--dask") + 1] == f"tcp://{name}-scheduler:8786"
    grace = int(arguments[arguments.index("--grace") + 1].removesuffix("s"))
    assert grace < job["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]


def pods(cluster: dict[str, Any], job: dict[str, Any]) -> list[tuple[dict[str, Any], set[str]]]:
    """The containers of workers and head, each with the names of its pod's volumes."""
    specs = (cluster["spec"]["worker"]["spec"], job["spec"]["template"]["spec"])
    return [(spec["containers"][0], {each["name"] for each in spec["volumes"]}) for spec in specs]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("cluster.yaml", 0, "spec", "scheduler", "service"), None),
        (("cluster.yaml", 0, "spec", "workers"), {"replicas": 1}),
        (("cluster.yaml", 0, "spec", "worker", "spec", "containers", 0, "cmd"), ["dask"]),
        (("head.yaml", 0, "spec", "template", "spec", "restartPolicy"), "Always"),
    ],
)
def test_the_structure_refuses(path: tuple[Any, ...], value: object) -> None:
    """What the operator or Kubernetes would refuse is found."""
    found: Any = manifests()
    *way, last = path
    resource = found[path[0]][path[1]]
    inner = found
    for step in way:
        inner = inner[step]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(resource, SCHEMAS[resource["kind"]])


@needs_servers
def test_kubernetes(tmp_path: Path, surroundings: dict[str, str]) -> None:
    """What the containers of scheduler, worker and head are started with carries the batch."""
    with site(tmp_path, "kubernetes", surroundings) as found:
        resources = {
            Path(name).name: list(yaml.safe_load_all(found.here(text)))
            for name, text in pages.files("cluster/kubernetes.md").items()
        }
        (cluster, _), (job,) = resources["cluster.yaml"], resources["head.yaml"]
        scheduler, worker = (cluster["spec"][part]["spec"]["containers"][0] for part in ("scheduler", "worker"))
        (found.root / "scratch").mkdir()
        found.scheduler(*scheduler["command"])
        given = {each["name"]: each["value"] for each in worker["env"]}
        given |= {"DASK_WORKER_NAME": "worker-1", "DASK_SCHEDULER_ADDRESS": f"tcp://127.0.0.1:{found.port}"}
        words = [word.replace("$(DASK_WORKER_NAME)", given["DASK_WORKER_NAME"]) for word in worker["command"]]
        found.start(*words, **given, **found.environ)
        (container,) = job["spec"]["template"]["spec"]["containers"]
        found.judge("batchgen", *container["args"])


def test_the_sizes_are_simulated(capsys: pytest.CaptureFixture[str]) -> None:
    """The table of the page for sizes is what its command prints now; of the longest runs that is not asked here."""
    from tests.benchmarks.cluster import sizes, told

    for each in [size for size in sizes() if size[0] < 10**8]:
        told(*each)
    printed = capsys.readouterr().out
    assert printed.count("\n") == 4
    assert printed in pages.text("cluster/sizing.md")

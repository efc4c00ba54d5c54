"""Hostile places: addresses inside the machine's own network, a credential among curious eyes, a locked-down host."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import anyio
import psutil
import pytest

from tests.stories.test_people import CATALOGUE, one_job
from tests.stories.world import HERE, Batch, Done, World, ended, gateway, jobs
from tests.wire_server import Read, Send, Stall, WireServer, head, json_reply, reply, task

pytestmark = pytest.mark.anyio

CANARY = "CANARYCREDENTIAL0001"
SIGNATURE = "CANARYSIGNATURE"
TOOLS = ("unshare", "ip", "mount", "setpriv")
SYS_ADMIN = 1 << 21


NOBODY = (
    "setpriv --reuid 65534 --regid 65534 --groups 5000 --no-new-privs --bounding-set=-all "
    "env -i PATH=/usr/bin:/bin PYTHONPATH=/mnt/r PYTHONDONTWRITEBYTECODE=1"
)


def namespaces() -> None:
    """Skip where no namespace can be made; on a CI machine that has the privileges, fail instead."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if (
        not missing
        and subprocess.run(["unshare", "-n", "-m", "true"], check=False, capture_output=True).returncode == 0
    ):
        return
    if os.environ.get("CI") == "true" and privileged(Path("/proc/self/status")):
        pytest.fail(f"this machine may make namespaces, and cannot: {missing or 'unshare fails'}; see .ci/test")
    pytest.skip("no namespace can be made here; tests/api/test_pictures.py holds the same without one")


def privileged(status: Path) -> bool:
    """Whether this process may make namespaces (CAP_SYS_ADMIN)."""
    lines = status.read_text(encoding="ascii").splitlines() if status.exists() else []
    return any(int(line.split()[1], 16) & SYS_ADMIN for line in lines if line.startswith("CapEff"))


def interpreter() -> list[str]:
    """What lets nobody in particular run this Python, where it lies in somebody's home."""
    closed = [each for each in Path(sys.base_prefix).parents if not each.stat().st_mode & 0o001]
    if not closed:
        return []
    base = f"mkdir -p {sys.base_prefix} && mount --bind /mnt/base {sys.base_prefix}"
    return [f"mount -t tmpfs -o mode=755 tmpfs {closed[-1]} && {base}"]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world of its own."""
    return World(tmp_path)


def test_a_metadata_server_receives_no_byte(tmp_path: Path) -> None:
    """In a network with a metadata server and private hosts, no URL, name or redirect makes the program reach them."""
    inside = "ip link set lo up && exec " + " ".join([sys.executable, "-m", "tests.stories.metadata", str(tmp_path)])
    done = subprocess.run(
        ["unshare", "-n", "-m", "sh", "-c", inside], cwd=HERE, capture_output=True, text=True, check=False, timeout=110
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["reached"] == []
    assert said["guards"] > 0, "the fake server itself must be there to be reached"
    assert said["code"] == 75
    assert said["offers"] >= 12
    assert said["kinds"] == {"Accepted": said["offers"]}


async def test_the_credential_is_in_no_process_list_and_no_log(world: World) -> None:
    """While a run and its children live, no command line shows the credential or a signed query; nor does any log."""
    async with WireServer() as server:
        one_job(world, server)
        signed = f"{server.origin}/picture.png?signature={SIGNATURE}"
        offer = json_reply(task("success", result={"created": 1, "data": [{"url": signed}]}))
        hop = reply(302, headers={"Location": f"/other.png?signature={SIGNATURE}"})
        server.then(CATALOGUE, json_reply(task(), 202), offer, hop)
        server.then((Read(), Send(head(200, {"Content-Length": "900000"}) + b"\x89PNG"), Stall()))
        run = world.start("run", "m.yaml", "-v", "--json", "--grace", "1s", KEY=CANARY, PYTHONFAULTHANDLER="1")
        await server.arrived(5)
        family = [psutil.Process(run.pid), *psutil.Process(run.pid).children(recursive=True)]
        lines = [" ".join(each.cmdline()) for each in family]
        run.terminate()
        done: Done = await anyio.to_thread.run_sync(ended, run)
    assert lines
    files = [path.read_bytes() for path in world.root.rglob("*") if path.is_file()]
    for canary in (CANARY, SIGNATURE):
        assert not any(canary in line for line in lines)
        assert canary not in done.out + done.err
        assert not any(canary.encode() in data for data in files)
    assert not any(SIGNATURE in str(each.headers) for each in server.requests)
    assert not any("authorization" in each.headers for each in server.requests if ".png" in each.target)


async def test_a_crash_shows_no_secret(world: World) -> None:
    """A mistake in the program ends 70 with a trace that holds neither the credential nor a prompt nor a query."""
    breaks = f"if name == 'batchgen.store.local': raise RuntimeError('boom {SIGNATURE}')"
    broken = f"class Broken:\n    def find_spec(self, name, *rest):\n        {breaks}\n"
    (world.root / "sitecustomize.py").write_text(f"import sys\n{broken}sys.meta_path.insert(0, Broken())\n")
    async with WireServer() as server:
        one_job(world, server)
        server.then(CATALOGUE)
        run = world.start("run", "m.yaml", "-v", KEY=CANARY, PYTHONPATH=f"{world.root}:{HERE}")
        done: Done = await anyio.to_thread.run_sync(ended, run)
    assert done.code == 70, done.text
    for canary in (CANARY, SIGNATURE, "SECRETPROMPT"):
        assert canary not in done.out + done.err


def test_a_locked_down_host(tmp_path: Path) -> None:
    """Read-only root, no HOME, a user without a name, a volume of another owner, a manifest behind links: it runs."""
    namespaces()
    data, volume = tmp_path / "config" / "..2026_11_22", tmp_path / "volume"
    data.mkdir(parents=True)
    volume.mkdir()
    os.chown(volume, 0, 5000)
    volume.chmod(0o2770)
    with gateway(tmp_path / "gw", "--idempotency", "replay") as server:
        (data / "key").write_text(server.key)
        provider = {"base_url": server.url, "api_key": "file:key", "profile": {"idempotency": "replay"}}
        manifest = {"batchgen": 1, "name": "story", "jobs": jobs(3), "provider": provider}
        (data / "m.yaml").write_text(json.dumps(manifest))
        (tmp_path / "config" / "..data").symlink_to("..2026_11_22")
        for name in ("m.yaml", "key"):
            (tmp_path / "config" / name).symlink_to(f"..data/{name}")
        mounts = {"v": sys.prefix, "r": HERE, "base": sys.base_prefix, "config": tmp_path / "config", "volume": volume}
        places = [f"mkdir /mnt/{name} && mount --bind {path} /mnt/{name}" for name, path in mounts.items()]
        lock = " && ".join(
            [
                "mount --make-rprivate / && mount -t tmpfs tmpfs /mnt",
                *places,
                *interpreter(),
                "mount -o remount,bind,ro / && mount -o remount,ro /mnt && cd / && [ ! -w /usr ]",
                f"exec {NOBODY} /mnt/v/bin/python -m batchgen run /mnt/config/m.yaml --outputs /mnt/volume",
            ]
        )
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", lock], capture_output=True, text=True, check=False, timeout=110
        )
        assert done.returncode == 0, done.stdout + done.stderr
        batch = Batch(volume / "story")
        assert len(batch.whole()) == 3
        assert len(server.paid()) == 3
    owners = {path.stat().st_uid for path in (volume / "story").rglob("*")}
    assert owners == {65534}

"""What a person does around a run: look, decide, rename, interrupt, and ask what happened."""

import json
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.stories.world import Done, World, at, ended, gateway, jobs
from tests.wire_server import Close, Read, Stall, WireServer, json_reply, reply, task

pytestmark = pytest.mark.anyio


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world of its own."""
    return World(tmp_path)


CATALOGUE = json_reply({"object": "list", "data": []})


def one_job(world: World, server: WireServer, **limits: Any) -> None:
    """A manifest of one job for a scripted server."""
    provider = {"base_url": server.origin, "api_key": "env:KEY"}
    limits = {"rate": "none", "in_flight": 1, "expert": {"polls_per_second": 100}, **limits}
    world.write(jobs=jobs(1, prompt="SECRETPROMPT"), provider=provider, limits=limits)


async def typed(world: World, *words: str, key: str = "k" * 20) -> Done:
    """Type a command while a server of this process answers."""
    return await anyio.to_thread.run_sync(lambda: world.type(*words, KEY=key))


async def test_edge_21_a_doubt_is_shown_and_decided(world: World) -> None:
    """A submit that is cut after its body was sent is in doubt; `resolve` lists it, and a decision is carried out."""
    async with WireServer() as server:
        one_job(world, server)
        server.then(CATALOGUE, (Read(), Close()))
        done = await typed(world, "run", "m.yaml")
        assert done.code == 3, done.text
        assert "batchgen resolve" in done.text
        assert "SECRETPROMPT" not in done.text
        listed = await typed(world, "resolve", "m.yaml", "--json")
        (doubt,) = [json.loads(line) for line in listed.out.splitlines()]
        assert doubt["id"] == "job000"
        assert (await typed(world, "run", "m.yaml")).code == 3
        assert len([each for each in server.requests if each.method == "POST"]) == 1
        assert (await typed(world, "resolve", "m.yaml", "--drop", "job000", "--not-billed")).code == 0
        assert (await typed(world, "run", "m.yaml")).code == 0
        status = json.loads((await typed(world, "status", "m.yaml", "--json")).out)
        assert status["counts"]["dropped"] == 1


async def test_a_task_is_asked_for_before_it_counts_as_paid(world: World) -> None:
    """`resolve --paid` asks the provider: an unknown task, another job's and another request's are refused."""
    paid = ("resolve", "m.yaml", "--paid")
    async with WireServer() as server:
        one_job(world, server)
        server.then(CATALOGUE, (Read(), Close()))
        assert (await typed(world, "run", "m.yaml")).code == 3
        server.then(json_reply({"error": "not_found"}, 404))
        done = await typed(world, *paid, "task_9", "job000")
        assert (done.code, "does not know" in done.text) == (2, True), done.text
        for wrong in ({"prompt": "SOMETHING ELSE"}, {"prompt": "SECRETPROMPT", "aspect_ratio": "16:9"}):
            server.then(json_reply(task(request=wrong)))
            done = await typed(world, *paid, "task_1", "job000")
            assert (done.code, "something else" in done.text) == (2, True), done.text
            assert "PROMPT" not in done.text
        assert world.batch().kinds() == {"InDoubt": 1}
        server.then(json_reply(task(request={"prompt": "SECRETPROMPT", "resolution": "1K"})))
        assert (await typed(world, *paid, "task_1", "job000")).code == 0
        assert world.batch().kinds() == {"Accepted": 1}
        assert len([each for each in server.requests if each.method == "POST"]) == 1


async def test_edge_18_no_funds(world: World) -> None:
    """A 402 ends the run with 4 and says so; once mended, the same command goes on under the same token."""
    async with WireServer() as server:
        one_job(world, server)
        server.then(CATALOGUE, json_reply({"error": "payment_required", "message": "top up"}, 402))
        done = await typed(world, "run", "m.yaml")
        assert done.code == 4, done.text
        assert "top up" in done.text or "402" in done.text
        server.then(CATALOGUE, json_reply(task(), 202), json_reply(task("fail", error={"code": "400"})))
        assert (await typed(world, "run", "m.yaml")).code == 1
        first, second = [each for each in server.requests if each.method == "POST"]
        assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
        assert first.body == second.body


async def test_a_second_signal_ends_at_once(world: World) -> None:
    """The second Ctrl-C does not wait for the answers that are due, and what was open is journaled as in doubt."""
    async with WireServer() as server:
        one_job(world, server)
        server.then(CATALOGUE, (Read(), Stall()))
        run = world.start("run", "m.yaml", KEY="k" * 20)
        await server.arrived(2)
        run.send_signal(signal.SIGINT)
        await anyio.sleep(0.05)
        began = time.monotonic()
        run.send_signal(signal.SIGINT)
        done = await anyio.to_thread.run_sync(ended, run)
        assert time.monotonic() - began < 4
    assert done.code == 130, done.text
    assert world.batch().kinds() == {"InDoubt": 1}


async def test_told_to_end_before_it_began(world: World) -> None:
    """SIGTERM while the catalogue of models is asked for ends with 143 and last lines; nothing was begun."""
    async with WireServer() as server:
        one_job(world, server)
        server.then((Read(), Stall()))
        run = world.start("run", "m.yaml", KEY="k" * 20)
        await server.arrived(1)
        run.send_signal(signal.SIGTERM)
        done = await anyio.to_thread.run_sync(ended, run)
    assert (done.code, "safe to run again: yes" in done.text) == (143, True), done.text
    assert list((world.root / "outputs").iterdir()) == []


async def test_secrets_stay_inside(world: World) -> None:
    """Neither the credential nor the query of a result URL is in any file or line, however much is logged."""
    async with WireServer() as server:
        one_job(world, server, give_up_waiting="1s")
        signed = f"{server.origin}/picture.png?signature=CANARYSIGNATURE"
        result = task("success", result={"created": 1, "data": [{"url": signed}]})
        server.then(CATALOGUE, json_reply(task(), 202))
        for _ in range(3):
            server.then(json_reply(result), reply(403))
        done = await typed(world, "run", "m.yaml", "-v", key="CANARYCREDENTIAL0001")
        assert done.code == 75, done.text
        assert all(each.headers.get("authorization") is None for each in server.requests if "picture" in each.target)
        told = done.out + done.err
        files = [path.read_bytes() for path in world.root.rglob("*") if path.is_file()]
        for canary in ("CANARYCREDENTIAL0001", "CANARYSIGNATURE"):
            assert canary not in told
            assert all(canary.encode() not in data for data in files)
        assert "SECRETPROMPT" not in told


async def test_status_and_export_need_only_the_folder(world: World, tmp_path: Path) -> None:
    """Status and export read a batch folder alone, with no manifest, no key and no server; they write nothing."""
    with gateway(tmp_path / "gw") as server:
        world.write(jobs=jobs(3), **at(server))
        assert world.type("run", "m.yaml", XENODIA_API_KEY=server.key).code == 0
    moved = tmp_path / "elsewhere"
    shutil.move(world.root / "outputs/story", moved)
    (world.root / "m.yaml").unlink()
    status = json.loads(world.type("status", str(moved), "--json").out)
    assert (status["v"], status["name"], status["counts"]["stored"]) == (1, "story", 3)
    report = json.loads((moved / "report.json").read_text())
    assert {**status, "folder": ""} == {**report, "folder": ""}
    rows = [json.loads(line) for line in world.type("export", str(moved), "-o", "-").out.splitlines()]
    wanted = {"id", "state", "path", "sha256", "bytes", "width", "height", "model", "prompt"}
    wanted |= {"attempts", "task_id", "cost_usd", "class", "reason"}
    assert wanted <= rows[0].keys()
    assert [row["id"] for row in rows] == ["job000", "job001", "job002"]


async def test_renaming_buys_nothing(world: World, tmp_path: Path) -> None:
    """A renamed id and a new output path move the pictures; nothing is sent."""
    with gateway(tmp_path / "gw") as server:
        world.write(jobs=jobs(3), **at(server))
        assert world.type("run", "m.yaml", XENODIA_API_KEY=server.key).code == 0
        renamed = [{**each, "id": f"new-{each['id']}"} for each in jobs(3)]
        world.write(jobs=renamed, output={"path": "by-model/{{ model }}/{{ id }}.{{ ext }}"}, **at(server))
        plan = json.loads(world.type("plan", "m.yaml", "--json", XENODIA_API_KEY=server.key).out)
        assert (plan["to_buy"], plan["counts"]["renamed"]) == (0, 3)
        assert world.type("run", "m.yaml", XENODIA_API_KEY=server.key).code == 0
        assert len(server.paid()) == 3
        names = {f"by-model/nano-banana-pro/new-job00{number}.jpg" for number in range(3)}
        assert world.batch().whole() == names
        assert world.batch().strays() == []


async def test_planning_needs_no_credential(world: World, tmp_path: Path) -> None:
    """A plan asks for the models without a key; only a run that would buy needs one, and says so before it asks."""
    with gateway(tmp_path / "gw") as server:
        world.write(jobs=jobs(2), **at(server))
        assert world.type("plan", "m.yaml").code == 0
        done = world.type("run", "m.yaml")
        assert (done.code, "XENODIA_API_KEY" in done.text) == (2, True), done.text


async def test_edited_jobs(world: World, tmp_path: Path) -> None:
    """An edited job that is stored is kept; a removed one is gone and its file stays; one edited back is as before."""
    with gateway(tmp_path / "gw") as server:
        world.write(jobs=jobs(3), **at(server))
        assert world.type("run", "m.yaml", XENODIA_API_KEY=server.key).code == 0
        edited = [{**jobs(1)[0], "prompt": "something else"}, jobs(3)[1]]
        world.write(jobs=edited, **at(server))
        assert world.type("run", "m.yaml", XENODIA_API_KEY=server.key).code == 0
        assert (world.root / "outputs/story/job002.jpg").exists()
        status = json.loads(world.type("status", "m.yaml", "--json").out)
        assert (status["kept"], status["counts"]["stored"]) == (1, 2)
        world.write(jobs=jobs(3), **at(server))
        assert world.type("run", "m.yaml", XENODIA_API_KEY=server.key).code == 0
        status = json.loads(world.type("status", "m.yaml", "--json").out)
        assert (status["kept"], status["counts"]["stored"]) == (0, 3)
        assert len(server.paid()) == 3


async def test_references_of_every_kind_arrive(world: World, tmp_path: Path) -> None:
    """Files and URLs of one job arrive together at the server, in a body that any HTTP server understands."""
    shutil.copytree(Path(__file__).parent.parent.parent / "manifests/refs", world.root / "refs")
    url = "https://samples.batchgen.invalid/blue-mug.png"
    with gateway(tmp_path / "gw", "--mode", "legacy") as server:
        world.write(jobs=jobs(2, references=["refs/sneaker.png", url]), **at(server))
        done = world.type("run", "m.yaml", XENODIA_API_KEY=server.key)
        assert done.code == 0, done.text
        assert len(world.batch().whole()) == 2


async def test_the_deadline_ends_a_run(world: World, tmp_path: Path) -> None:
    """At its deadline a run stops with 75 and leaves what is on its way to the next."""
    with gateway(tmp_path / "gw", "--pace", "60") as server:
        keys = at(server)
        keys["limits"]["deadline"] = "2s"
        world.write(jobs=jobs(3), **keys)
        done = world.type("run", "m.yaml", XENODIA_API_KEY=server.key)
        assert done.code == 75, done.text
        assert "deadline" in done.text
        assert world.batch().kinds() == {"Accepted": 3}


async def test_init_writes_a_manifest_that_runs(world: World) -> None:
    """The manifest that `init` writes plans as it is, and is not written over."""
    assert world.type("init").code == 0
    assert world.type("plan").code == 0
    assert world.type("init").code == 2


HOSTILE = "</script><img src=x onerror=alert(1)>\x1b[2J\u202e東京\nbatchgen: complete, all pictures are there\n\x9b31m"


async def test_hostile_text_is_harmless_to_the_end(world: World) -> None:
    """A prompt and a provider's reason that mean harm pass through the whole program and reach no terminal as they are.

    Programs get the reason as it was, in JSON that is pure ASCII.
    """
    async with WireServer() as server:
        one_job(world, server)
        keys = json.loads((world.root / "m.yaml").read_text())
        keys["jobs"][0]["prompt"] = f"a boot {HOSTILE}"
        (world.root / "m.yaml").write_text(json.dumps(keys))
        refused = json_reply(task("fail", error={"code": "content_policy", "message": HOSTILE}))
        server.then(CATALOGUE, json_reply(task(), 202), refused)
        ran = await typed(world, "run", "m.yaml", "-v")
        status, plan = await typed(world, "status", "m.yaml"), await typed(world, "plan", "m.yaml", "--offline")
        told = (ran, status, plan, await typed(world, "explain", "m.yaml", "job000"))
        assert [each.code for each in told] == [1, 0, 0, 0]
        assert all(sign.isprintable() or sign == "\n" for each in told for sign in each.out + each.err)
        assert not any(line.startswith("batchgen: complete") for each in told for line in each.out.split("\n"))
        exported = (await typed(world, "export", "m.yaml", "-o", "-")).out
        assert exported.isascii()
        row = json.loads(exported)
        assert row["prompt"] == f"a boot {HOSTILE}"
        assert row["class"] in {"refused", "rejected", "transient"}
        assert "</script>" in row["reason"]

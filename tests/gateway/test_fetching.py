"""References that came as addresses: fetched only if told to, only from where it is allowed, on every hop."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from batchgen.api import wire
from batchgen.gateway.fetching import Fetcher
from batchgen.gateway.options import Settings
from batchgen.gateway.painter import Elsewhere, Sample
from batchgen.gateway.task import Missing, Stored
from batchgen.guard import PUBLIC, Policy
from tests.gateway.house import CREATE, PNG, Painter, house
from tests.wire_server import WireServer, reply

pytestmark = pytest.mark.anyio

OWN = Policy(loopback=True)
FETCHING = Settings(pace=0, fetch=OWN)
PICTURE = {"Content-Type": "image/png"}


async def test_nothing_is_fetched_unless_it_is_told_to(tmp_path: Path) -> None:
    """By default a reference address is never asked."""
    painter = Painter()
    async with WireServer() as server, house(tmp_path, painter=painter) as there:
        task = await there.bought(CREATE | {"image_input": [f"{server.origin}/a.png"]})
        assert task["state"] == "success"
        assert server.requests == []
    assert isinstance(painter.works[0].task.asked.references[0], Elsewhere)


async def test_references_are_fetched_in_order_and_kept(tmp_path: Path) -> None:
    """Told to, it fetches every address, paints from the bytes, and leaves samples alone."""
    painter = Painter()
    async with WireServer() as server, house(tmp_path, FETCHING, painter=painter) as there:
        server.then(*[reply(200, PNG, PICTURE)] * 2)
        urls = [f"{server.origin}/a.png", "https://samples.batchgen.invalid/shoe.png", f"{server.origin}/b.png"]
        task = await there.bought(CREATE | {"image_input": urls}, token="k")
        assert task["state"] == "success"
        assert sorted(each.target for each in server.requests) == ["/a.png", "/b.png"]
        assert not any("authorization" in each.headers for each in server.requests)
        repeated = await there.create(CREATE | {"image_input": urls}, token="k")
        assert repeated.json()["task_id"] == task["task_id"]
        assert len(server.requests) == 2
    kinds = [type(each) for each in painter.works[0].task.asked.references]
    assert kinds == [Stored, Sample, Stored]
    assert list(painter.works[0].files.values()) == [str(next((tmp_path / "references").iterdir()))]


@pytest.mark.parametrize(
    "script",
    [reply(404), reply(200, b"<html>hello</html>"), reply(200, b""), reply(200, b"", {"Content-Length": "9" * 12})],
)
async def test_what_cannot_be_had_fails_the_task(tmp_path: Path, script: object) -> None:
    """A reference that is no picture or not there makes a failed task that costs nothing, as the API does."""
    painter = Painter()
    async with WireServer() as server, house(tmp_path, FETCHING, painter=painter) as there:
        server.then(script)  # type: ignore[arg-type]
        task = await there.bought(CREATE | {"image_input": [f"{server.origin}/a.png"]})
        assert task["state"] == "fail"
        assert task["error"]["code"] == "422"
        assert task["billing"]["actual_amount_micro_usdc"] == 0
        assert painter.works == []
    async with house(tmp_path, FETCHING) as again:
        assert (await again.task(task["task_id"]))["state"] == "fail"


async def test_a_missing_reference_survives_the_folder(tmp_path: Path) -> None:
    """That a reference could not be had is part of the task in the folder."""
    async with WireServer() as server, house(tmp_path, FETCHING) as there:
        server.then(reply(404))
        await there.bought(CREATE | {"image_input": [f"{server.origin}/a.png"]})
    from batchgen.gateway.records import Records

    records = Records(str(tmp_path / "gateway.db"))
    (task,) = records.all()
    records.close()
    assert isinstance(task.asked.references[0], Missing)


PRIVATE = ("127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00:ec2::254", "::ffff:127.0.0.1", "0.0.0.0")


@pytest.mark.parametrize("address", PRIVATE)
async def test_names_that_lead_inside_are_not_followed(address: str) -> None:
    """A public name that leads to this machine, a private network or a metadata service is not asked."""
    asked = []

    async def resolver(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["93.184.216.34", address]

    async with Fetcher(PUBLIC, resolver) as fetcher:
        assert await fetcher.fetch(["https://pictures.example/a.png"]) == [None]
    assert asked == ["pictures.example"]


async def test_the_public_policy_takes_https_only() -> None:
    """With the policy of --fetch-references neither plain http nor another port is asked, not even on this machine."""
    async with WireServer() as server, Fetcher(PUBLIC) as fetcher:
        urls = [f"{server.origin}/a.png", server.origin.replace("http:", "https:"), "https://localhost/"]
        assert await fetcher.fetch(urls) == [None] * 3
        assert server.requests == []


async def test_a_redirect_is_judged_like_the_first_address(tmp_path: Path) -> None:
    """A redirect into a private network or to a file is not followed; one to an allowed place is."""
    async with WireServer() as server, house(tmp_path, FETCHING) as there:
        for location, state in (("http://10.0.0.1/x", "fail"), ("file:///etc/passwd", "fail"), ("/b.png", "success")):
            server.then(
                reply(302, headers={"Location": location}), *([reply(200, PNG, PICTURE)] * (state == "success"))
            )
            task = await there.bought(CREATE | {"image_input": [f"{server.origin}/a.png"]})
            assert task["state"] == state, location
        assert wire.GENERATIONS not in {each.target for each in server.requests}

"""Addresses of pictures: signed, for a while, nobody else's."""

import hashlib
from pathlib import Path

import anyio
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen.gateway.files import Signer, asked_slice
from batchgen.gateway.options import Settings
from batchgen.gateway.refusal import Refusal
from batchgen.gateway.serve import Ready, ServeOptions, serve
from tests.gateway.house import CREATE, PNG, Clock, house

pytestmark = pytest.mark.anyio


async def test_a_fresh_address_gives_the_picture(tmp_path: Path) -> None:
    """A finished task's address gives the picture without a credential, with its type, an ETag and nosniff."""
    async with house(tmp_path) as there:
        task = await there.bought(CREATE | {"output_format": "jpg"})
        url = task["result"]["data"][0]["url"]
        assert url.startswith(str(there.client.base_url))
        there.client.headers.pop("Authorization")
        answer = await there.client.get(url)
        assert answer.content == PNG
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["x-content-type-options"] == "nosniff"
        etag = answer.headers["etag"]
        assert etag == f'"{hashlib.sha256(PNG).hexdigest()}"'
        again = await there.client.get(url, headers={"If-None-Match": etag})
        assert again.status_code == 304
        assert again.content == b""


async def test_an_address_expires_and_the_task_gives_a_fresh_one(tmp_path: Path) -> None:
    """After its time an address is gone, and reading the task again gives one that works."""
    clock = Clock()
    async with house(tmp_path, clock=clock) as there:
        task = await there.bought()
        old = task["result"]["data"][0]["url"]
        clock.now += 599
        assert (await there.client.get(old)).status_code == 200
        clock.now += 2
        assert (await there.client.get(old)).status_code == 410
        fresh = (await there.task(task["task_id"]))["result"]["data"][0]["url"]
        assert fresh != old
        assert (await there.client.get(fresh)).status_code == 200


async def test_forged_addresses_are_refused(tmp_path: Path) -> None:
    """A longer life, another picture's signature, no signature and a path of its own are all refused alike."""
    async with house(tmp_path) as there:
        urls = [(await there.bought())["result"]["data"][0]["url"] for _ in range(2)]
        path, query = urls[0].split("?")
        longer = query.replace("expires=1", "expires=2")
        assert longer != query
        swapped = urls[1].split("?")[1]
        for url in (path, f"{path}?{longer}", f"{path}?{swapped}", f"{path}?expires=x&signature=\u00fc"):
            assert (await there.client.get(url)).status_code == 403, url
        for name in ("..%2f..%2fcredential", "%2e%2e", "nothing.png"):
            assert (await there.client.get(f"/files/{name}?{query}")).status_code in {403, 404}, name


async def test_a_picture_that_is_not_there_is_404(tmp_path: Path) -> None:
    """A picture that was removed from the folder, or is not painted, is a 404 for the holder of its address."""
    async with house(tmp_path) as there:
        url = (await there.bought())["result"]["data"][0]["url"]
        for picture in (tmp_path / "pictures").iterdir():
            picture.unlink()
        assert (await there.client.get(url)).status_code == 404
        signer = Signer((tmp_path / "signing.key").read_bytes())
        assert (await there.client.get(signer.path("unknown.png", int(there.clock()) + 60))).status_code == 404


@given(st.text(max_size=30), st.text(max_size=12), st.text(max_size=70))
@settings(max_examples=60)
def test_no_invented_signature_passes(name: str, expires: str, signature: str) -> None:
    """Whatever is made up as name, time and signature is refused and never breaks the check."""
    with pytest.raises(Refusal) as refusal:
        Signer(b"k" * 32).check(name, expires, signature, 0.0)
    assert refusal.value.status == 403


async def test_a_part_of_a_picture_can_be_asked_for(tmp_path: Path) -> None:
    """A range is answered 206 with exactly those bytes; several, odd ones and those of an older file with all of it."""
    async with house(tmp_path) as there:
        url = (await there.bought())["result"]["data"][0]["url"]
        whole = await there.client.get(url)
        assert whole.headers["accept-ranges"] == "bytes"
        end = len(PNG) - 1
        for header, first, last in (
            ("bytes=0-0", 0, 0),
            ("bytes=3-", 3, end),
            ("bytes=-5", end - 4, end),
            ("bytes=9-99", 9, end),
        ):
            answer = await there.client.get(url, headers={"Range": header})
            assert answer.status_code == 206
            assert answer.content == PNG[first : last + 1]
            assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(PNG)}"
            assert answer.headers["etag"] == whole.headers["etag"]
        passed_over = ("bytes=0-1,3-4", "bytes=5-2", "bytes=", "bytes=-", "lines=1-2", "bytes=x-1")
        for header in passed_over:
            answer = await there.client.get(url, headers={"Range": header})
            assert (answer.status_code, answer.content) == (200, PNG), header
        resumed = {"Range": "bytes=3-", "If-Range": whole.headers["etag"]}
        assert (await there.client.get(url, headers=resumed)).status_code == 206
        assert (await there.client.get(url, headers=resumed | {"If-Range": '"other"'})).status_code == 200
        beyond = await there.client.get(url, headers={"Range": f"bytes={len(PNG)}-"})
        assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(PNG)}")


@given(st.integers(0, 50), st.integers(0, 60) | st.none(), st.integers(0, 60) | st.none())
@settings(max_examples=200)
def test_ranges_are_those_of_the_standard(size: int, first: int | None, last: int | None) -> None:
    """Any single range gives the bytes that a slice of Python would, or says that there are none."""
    header = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    data = bytes(range(size))
    match first, last:
        case None, None:
            wanted: bytes | None = None
        case None, int(count):
            wanted = data[-count:] if count else b""
        case int(start), None:
            wanted = data[start:]
        case int(start), int(end):
            wanted = data[start : end + 1] if end >= start else None
    if wanted == b"":
        with pytest.raises(Refusal) as refusal:
            asked_slice(header, size)
        assert refusal.value.status == 416
        return
    part = asked_slice(header, size)
    assert (None if part is None else data[part.start : part.start + part.length]) == wanted


async def test_if_none_match_is_read_as_a_list(tmp_path: Path) -> None:
    """A picture that the client has, by any of the forms of its name, is a 304; part of a name is none."""
    async with house(tmp_path) as there:
        url = (await there.bought())["result"]["data"][0]["url"]
        etag = (await there.client.get(url)).headers["etag"]
        for header in (etag, f"W/{etag}", f'"x", {etag}', "*"):
            assert (await there.client.get(url, headers={"If-None-Match": header})).status_code == 304, header
        for header in ('"x"', etag.strip('"'), f"{etag}x"):
            assert (await there.client.get(url, headers={"If-None-Match": header})).status_code == 200, header


async def test_pictures_may_have_an_origin_of_their_own(tmp_path: Path) -> None:
    """With an asset port pictures are there and nowhere else, and there is nothing else."""
    options = ServeOptions(str(tmp_path), port=0, asset_port=0, credential="k", settings=Settings(pace=0))
    async with anyio.create_task_group() as group:
        up: anyio.Event = anyio.Event()
        said: list[Ready] = []

        def ready(where: Ready) -> None:
            said.append(where)
            up.set()

        group.start_soon(serve, options, ready)
        await up.wait()
        headers = {"Authorization": "Bearer k"}
        async with httpx.AsyncClient(base_url=said[0].url, headers=headers, trust_env=False) as client:
            task = (await client.post("/v1/images/generations", json=CREATE)).json()
            with anyio.fail_after(20):
                while task["state"] != "success":
                    await anyio.sleep(0.02)
                    task = (await client.get(task["poll_url"])).json()
            url = httpx.URL(task["result"]["data"][0]["url"])
            assert url.host == "127.0.0.1"
            assert url.port not in {None, client.base_url.port}
            assert (await client.get(url)).status_code == 200
            assert (await client.get(url.copy_with(port=client.base_url.port))).status_code == 404
            for path in ("/v1/models", "/healthz", task["poll_url"]):
                assert (await client.get(url.copy_with(raw_path=path.encode()))).status_code == 404
        group.cancel_scope.cancel()

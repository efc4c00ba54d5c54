"""Addresses of pictures: signed, for a while, nobody else's."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen.gateway.files import Signer
from batchgen.gateway.refusal import Refusal
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

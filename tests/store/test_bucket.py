"""What an object store says is told as errors that name the place, and never a credential or a request."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
import pytest
from anyio.abc import ByteStream, SocketAttribute
from obstore.store import MemoryStore

from batchgen.errors import SettingsError
from batchgen.store.address import address
from batchgen.store.bucket import Bucket, Seen, open_bucket
from tests.s3 import S3

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]  # a server is started first

QUICK: dict[str, Any] = {"retry_config": {"max_retries": 0}}


async def test_a_probe_leaves_nothing(s3: S3) -> None:
    """A place that does all that is needed is proven so, and is empty afterwards."""
    bucket = Bucket("s3://judges/probed", s3.store("judges", "probed"))
    await bucket.probe()
    assert bucket.sizes() == {}


async def test_no_such_bucket(s3: S3) -> None:
    """A bucket that is not there is named before anything is bought, whatever is asked of it."""
    bucket = Bucket("s3://nowhere/x", s3.store("nowhere", "x", **QUICK))
    with pytest.raises(SettingsError, match="s3://nowhere/x: there is no such bucket"):
        await bucket.probe()
    with pytest.raises(OSError, match="no such bucket"):
        await bucket.read("a")
    with pytest.raises(OSError, match="no such bucket"):
        bucket.open("a")
    with pytest.raises(OSError, match="no such bucket"):
        bucket.sizes()


@pytest.mark.parametrize("which", ["access_key_id", "secret_access_key"])
async def test_a_refused_credential(s3: S3, which: str) -> None:
    """A credential that is refused is not shown."""
    store = s3.store("judges", **QUICK, **{which: "wrong-and-secret"})
    with pytest.raises(SettingsError, match="refuses this credential") as refused:
        await Bucket("s3://judges", store).probe()
    assert "secret" not in str(refused.value).replace("secret_access", "")
    assert refused.value.__cause__ is None


async def test_nobody_there(s3: S3) -> None:
    """A store that does not answer is a connection error, which ends a run with 75, and no bug."""
    bucket = Bucket("s3://judges", s3.store("judges", **QUICK, endpoint="http://127.0.0.1:9"))
    with pytest.raises(ConnectionError, match="s3://judges does not answer"):
        await bucket.create("a", b"x", media_type="text/plain")
    with pytest.raises(SettingsError, match="does not answer"):
        await bucket.probe()


class Overwriting(Bucket):
    """A store that pays no heed to conditions."""

    async def create(self, name: str, data: bytes, *, media_type: str, sha256: str = "") -> bool:
        await self.remove(name)
        return await super().create(name, data, media_type=media_type, sha256=sha256)


class Forgetting(Bucket):
    """A store that keeps no metadata."""

    async def create(self, name: str, data: bytes, *, media_type: str, sha256: str = "") -> bool:
        return await super().create(name, data, media_type=media_type)


@pytest.mark.parametrize(("kind", "reason"), [(Overwriting, "replace another"), (Forgetting, "metadata")])
async def test_a_store_that_is_no_good(kind: type[Bucket], reason: str) -> None:
    """A store in which pictures could be lost is refused before anything is bought."""
    with pytest.raises(SettingsError, match=reason):
        await kind("memory://bad", MemoryStore()).probe()


async def test_only_what_was_seen_is_replaced(s3: S3) -> None:
    """Of two who replace one object, the second is told that it is another by now."""
    bucket = Bucket("s3://judges/replaced", s3.store("judges", "replaced"))
    await bucket.create("a", b"1", media_type="text/plain")
    seen = await bucket.look("a")
    assert seen is not None
    assert await bucket.replace("a", b"2", seen, "text/plain")
    assert not await bucket.replace("a", b"3", seen, "text/plain")
    assert await bucket.read("a") == b"2"
    assert not await bucket.replace("gone", b"3", Seen(1, "", seen.tag), "text/plain")


async def test_a_large_object(s3: S3) -> None:
    """Twelve megabytes go up whole, in one request that is refused as a whole, and never over what is there."""
    bucket = Bucket("s3://judges/large", s3.store("judges", "large"))
    data = bytes(12_000_000)
    assert await bucket.create("a", data, media_type="image/png", sha256="00")
    assert not await bucket.create("a", data[:-1], media_type="image/png")
    assert bucket.size("a") == len(data)
    assert await bucket.read("a") == data
    seen = await bucket.look("a")
    assert seen is not None
    assert "-" not in (seen.tag or "")  # as it is of uploads in parts


@asynccontextmanager
async def between(endpoint: str, good: bytes, bad: bytes) -> AsyncIterator[str]:
    """An endpoint that hands all on, and changes a word of what it is sent."""
    host, _, port = endpoint.removeprefix("http://").partition(":")

    async def hand_on(source: ByteStream, target: ByteStream) -> None:
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            async for data in source:
                await target.send(data.replace(good, bad))

    async def serve(client: ByteStream) -> None:
        async with client, await anyio.connect_tcp(host, int(port)) as server, anyio.create_task_group() as group:
            group.start_soon(hand_on, client, server)
            await hand_on(server, client)
            group.cancel_scope.cancel()

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        yield f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}"
        group.cancel_scope.cancel()


async def test_changed_on_the_way(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server holds what arrives against the hash that was sent with it: a changed picture is not kept."""
    async with between(s3.endpoint, b"a fine picture", b"a fine pictorr") as endpoint:
        for name, value in {**s3.environ, "AWS_ENDPOINT_URL": endpoint}.items():
            monkeypatch.setenv(name, value)
        bucket = open_bucket(address("s3://judges/changed"), {"AWS_ENDPOINT_URL": endpoint})
        made = await bucket.create("a", b"another picture", media_type="image/png")
        refused = "no"
        try:
            await bucket.create("b", b"a fine picture", media_type="image/png")
        except OSError as error:
            refused = str(error)
        there = [await bucket.read("a"), await bucket.read("b")]
    assert made
    assert "answered 400" in refused
    assert there == [b"another picture", None]


async def test_opened_by_its_address(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address and the environment are all that it takes."""
    for name, value in s3.environ.items():
        monkeypatch.setenv(name, value)
    bucket = open_bucket(address("s3://judges/by address"), s3.environ)
    await bucket.probe()
    await bucket.create("a b.png", b"x", media_type="image/png")
    assert bucket.sizes() == {"a b.png": 1}
    assert bucket.url == "s3://judges/by%20address"


def test_an_account_that_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What every call would need and is not set is asked for by name."""
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(SettingsError, match="AZURE_STORAGE_ACCOUNT_NAME"):
        open_bucket(address("az://pictures/shop"), {})

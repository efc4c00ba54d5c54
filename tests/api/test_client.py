"""The client is a Provider."""

from contextlib import AbstractAsyncContextManager

import pytest

from batchgen.api import Provider
from batchgen.api.client import Client
from batchgen.errors import NotTaken, SettingsError, Stop, Unavailable
from tests.api.stage import KEY, at, order
from tests.contracts.provider import CREDENTIAL, ProviderContract
from tests.wire_server import Close, Read, json_reply, reply, task

pytestmark = pytest.mark.anyio


class TestClient(ProviderContract):
    """The judges of every provider, over the HTTP client."""

    def open(self, origin: str) -> AbstractAsyncContextManager[Provider]:
        return Client(origin, lambda: CREDENTIAL)


async def test_a_renewed_credential_is_taken_up() -> None:
    """After a 401 the credential is read again: another one means try again, the same one means stop."""
    keys = iter(["old", "new", "new", "new", "new"])
    async with at(reply(401), reply(401)) as (server, _), Client(server.origin, lambda: next(keys)) as client:
        with pytest.raises(NotTaken) as caught:
            await client.submit(order())
        assert caught.value.answered
        with pytest.raises(Stop) as stopped:
            await client.submit(order())
        assert stopped.value.credential


async def test_a_renewed_credential_lets_polls_go_on() -> None:
    """The same holds for polls, which can simply be repeated."""
    keys = iter(["old", "new", "new", "new"])
    async with at(reply(401), reply(401)) as (server, _), Client(server.origin, lambda: next(keys)) as client:
        with pytest.raises(Unavailable):
            await client.status("t")
        with pytest.raises(Stop) as stopped:
            await client.status("t")
        assert stopped.value.credential


@pytest.mark.parametrize("key", ["", " \n", "two words", "schl\u00fcssel", "a\rb"])
async def test_a_credential_that_no_header_carries_stops(key: str) -> None:
    """A credential that cannot be one is refused before anything is sent."""
    async with at() as (server, _), Client(server.origin, lambda: key) as client:
        with pytest.raises(Stop) as caught:
            await client.submit(order())
    assert caught.value.credential
    assert not server.requests


async def test_a_trailing_newline_is_no_part_of_a_credential() -> None:
    """A key read from a file with a line end is sent without it."""
    async with at(json_reply(task())) as (server, _), Client(server.origin, lambda: f"{KEY}\n") as client:
        await client.submit(order())
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
async def test_the_base_url_may_end_in_different_ways(suffix: str) -> None:
    """A trailing slash or version in the base URL leads to the same address."""
    async with at(json_reply(task())) as (server, _), Client(server.origin + suffix, lambda: KEY) as client:
        await client.submit(order())
    assert server.requests[0].target == "/v1/images/generations"


@pytest.mark.parametrize("origin", ["http://api.example", "ftp://127.0.0.1", "api.example", ""])
def test_only_https_origins_are_spoken_to(origin: str) -> None:
    """A credential never goes over plain http, except on this machine."""
    with pytest.raises(SettingsError):
        Client(origin, lambda: KEY)


async def test_a_probe_takes_any_answer() -> None:
    """A probe asks for the models without a key; any answer is a sign of life."""
    async with at(reply(503), (Read(), Close())) as (server, client):
        assert await client.probe()
        assert not await client.probe()
    assert "authorization" not in server.requests[0].headers


async def test_the_catalogue_is_asked_for_with_a_key_only_when_wanted() -> None:
    """`GET /v1/models` goes without a key first and with it after a 401."""
    card = {"id": "m", "modalities": ["image"]}
    async with at(reply(401), json_reply({"data": [card]})) as (server, client):
        catalogue = await client.models()
    assert "m" in catalogue.rules
    assert ["authorization" in request.headers for request in server.requests] == [False, True]

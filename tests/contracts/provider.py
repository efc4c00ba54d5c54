"""The judges of every Provider: a class to inherit, with a loopback server that answers as it is told."""

from contextlib import AbstractAsyncContextManager

import anyio
import pytest

from batchgen.api import Offer, Order, Provider, Receipt, Waiting, wire
from batchgen.errors import (
    BadAsset,
    BatchgenError,
    NotTaken,
    OfferExpired,
    OutcomeUnknown,
    Parked,
    ProviderError,
    Rejected,
    Stop,
    TaskFailed,
    Throttled,
    Unavailable,
)
from batchgen.picture import sniff
from tests.wire_server import Close, Read, ReadHead, Reset, Script, Send, WireServer, head, json_reply, reply, task

CREDENTIAL = "sk_xeno_contract_canary"
PROMPT = "the words of the contract"
QUERY = "X-Signature=querycanary"
PICTURE = bytes(range(256)) * 700


def an_order(token: str = "bg-contract") -> Order:
    content_type, body = wire.encode_create({"model": "nano-banana-pro", "prompt": PROMPT}, [], [], token)
    return Order(token, "nano-banana-pro", content_type, body)


class ProviderContract:
    """Inherit, and say how a provider is opened with CREDENTIAL at an origin."""

    pytestmark = pytest.mark.anyio

    def open(self, origin: str) -> AbstractAsyncContextManager[Provider]:
        raise NotImplementedError

    async def submit(self, *scripts: Script) -> tuple[Receipt | BatchgenError, WireServer]:
        async with WireServer() as server:
            server.then(*scripts)
            async with self.open(server.origin) as provider:
                try:
                    return await provider.submit(an_order()), server
                except BatchgenError as error:
                    return error, server

    async def status(self, *scripts: Script) -> object:
        async with WireServer() as server:
            server.then(*scripts)
            async with self.open(server.origin) as provider:
                try:
                    return await provider.status("task_1")
                except BatchgenError as error:
                    return error

    async def download(self, *scripts: Script) -> bytes | BatchgenError:
        async with WireServer() as server:
            server.then(*scripts)
            async with self.open(server.origin) as provider:
                try:
                    async with provider.download(f"{server.origin}/p.png?{QUERY}") as chunks:
                        return b"".join([chunk async for chunk in chunks])
                except BatchgenError as error:
                    return error

    async def test_a_submit_is_one_request_with_its_token_and_its_bytes(self) -> None:
        """A submit sends exactly one POST: the order's bytes, its token, the credential."""
        receipt, server = await self.submit(json_reply(task(), 202))
        assert receipt == Receipt("task_1", Waiting("waiting"))
        (request,) = server.requests
        assert (request.method, request.target, request.body) == ("POST", wire.GENERATIONS, an_order().body)
        assert request.headers["idempotency-key"] == "bg-contract"
        assert request.headers["authorization"] == f"Bearer {CREDENTIAL}"

    async def test_what_was_answered_at_once_is_an_offer_without_a_task(self) -> None:
        """Pictures that come with the answer to a submit are its offer."""
        receipt, _ = await self.submit(json_reply({"created": 1, "data": [{"url": "https://a.example/1"}]}))
        assert isinstance(receipt, Receipt)
        assert receipt.task_id is None
        assert isinstance(receipt.standing, Offer)
        assert receipt.standing.urls == ("https://a.example/1",)

    @pytest.mark.parametrize(
        ("script", "error"),
        [
            ((ReadHead(), Reset()), OutcomeUnknown),
            ((Read(), Close()), OutcomeUnknown),
            ((Read(), Send(b"HTTP/1.1 20"), Reset()), OutcomeUnknown),
            ((Read(), Send(head(202, {"Content-Length": "50"}) + b'{"task'), Close()), OutcomeUnknown),
            (reply(202, b"<html>"), OutcomeUnknown),
            (reply(500), OutcomeUnknown),
            (reply(502), OutcomeUnknown),
            (reply(503), OutcomeUnknown),
            (reply(503, headers={"Retry-After": "2"}), Throttled),
            (reply(429), Throttled),
            (reply(400), Rejected),
            (reply(403), Parked),
            (reply(401), Stop),
            (reply(402), Stop),
            (reply(307, headers={"Location": "/elsewhere"}), Stop),
        ],
    )
    async def test_a_submit_says_what_is_known(self, script: Script, error: type[BatchgenError]) -> None:
        """A submit that bought nothing says so, one whose fate is not known says that, and it is never repeated."""
        outcome, server = await self.submit(script)
        assert type(outcome) is error
        assert len(server.requests) == 1

    async def test_nobody_there_means_nothing_sent(self) -> None:
        """A submit to a closed port proves that nothing was bought."""
        async with WireServer() as server:
            origin = server.origin
        async with self.open(origin) as provider:
            with pytest.raises(NotTaken) as caught:
                await provider.submit(an_order())
        assert not caught.value.answered

    async def test_a_task_is_waited_for_until_it_has_pictures(self) -> None:
        """A poll tells waiting with the server's hints from done with URLs and cost, or says why there is none."""
        waiting = await self.status(
            json_reply(task("generating", recommended_poll_interval_ms=1500, eta_hint_seconds=3))
        )
        assert waiting == Waiting("generating", 1.5, 3.0)
        billing = {"actual_amount_micro_usdc": 70_000}
        done = await self.status(
            json_reply(task("success", result={"data": [{"url": "https://a.example/1"}]}, billing=billing))
        )
        assert isinstance(done, Offer)
        assert (done.urls, done.cost_micro_usd) == (("https://a.example/1",), 70_000)
        failed = await self.status(json_reply(task("fail", error={"code": "500", "message": "sorry"})))
        assert isinstance(failed, TaskFailed)
        assert (failed.failure, failed.missing) == ("transient", False)
        missing = await self.status(reply(404))
        assert isinstance(missing, TaskFailed)
        assert (missing.failure, missing.missing) == ("expired", True)

    @pytest.mark.parametrize("script", [reply(500), reply(200, b"<html>"), (Read(), Close()), (ReadHead(), Reset())])
    async def test_a_poll_without_a_usable_answer_can_be_repeated(self, script: Script) -> None:
        """A poll that fails says nothing of the task."""
        assert type(await self.status(script)) is Unavailable

    async def test_a_picture_arrives_byte_for_byte_without_the_credential(self) -> None:
        """A download gives exactly the bytes that were sent, and asks for them without any secret."""
        async with WireServer() as server:
            server.then(reply(200, PICTURE, {"Content-Type": "image/png"}))
            url = f"{server.origin}/p.png?{QUERY}"
            async with self.open(server.origin) as provider, provider.download(url) as chunks:
                assert b"".join([chunk async for chunk in chunks]) == PICTURE
            (request,) = server.requests
        assert request.target == f"/p.png?{QUERY}"
        assert CREDENTIAL not in str(request.headers)
        assert "cookie" not in request.headers

    @pytest.mark.parametrize(
        ("script", "error"),
        [
            (reply(403), OfferExpired),
            (reply(404), OfferExpired),
            (reply(410), OfferExpired),
            (reply(500), Unavailable),
            ((Read(), Send(head(200, {"Content-Length": "100"}) + b"abc"), Close()), Unavailable),
            (reply(200, b"", {"Content-Length": str(10**12)}), BadAsset),
        ],
    )
    async def test_a_picture_that_does_not_come_says_why(self, script: Script, error: type[BatchgenError]) -> None:
        """A download that fails tells a dead link from a bad picture from bad luck."""
        assert type(await self.download(script)) is error

    async def test_no_message_holds_a_secret(self) -> None:
        """Whatever a server echoes, no message repeats credential, prompt or query."""
        body = {"error": "x", "message": f"key {CREDENTIAL} said {PROMPT} at https://a.example/p?{QUERY}"}
        told = [
            (await self.submit(json_reply(body, status)))[0]
            for status in (302, 400, 401, 402, 403, 404, 409, 418, 422, 429, 500, 503)
        ]
        failed = task("fail", error=body, request={"prompt": PROMPT})
        told += [await self.status(json_reply(failed))]  # type: ignore[list-item]  # always an error here
        told += [await self.download(reply(403)), await self.download((Read(), Close()))]  # type: ignore[list-item]
        for error in told:
            assert isinstance(error, BatchgenError)
            for secret in (CREDENTIAL, PROMPT, "querycanary"):
                assert secret not in str(error)

    async def test_many_can_ask_at_once(self) -> None:
        """Forty callers at once each get their own answer."""
        found: list[str | None] = []

        async def one(provider: Provider) -> None:
            found.append((await provider.submit(an_order())).task_id)

        async with WireServer() as server:
            server.then(*(json_reply(task(task_id=f"task_{number}"), 202) for number in range(40)))
            async with self.open(server.origin) as provider, anyio.create_task_group() as group:
                for _ in range(40):
                    group.start_soon(one, provider)
        assert sorted(str(each) for each in found) == sorted(f"task_{number}" for number in range(40))


class LivingProviderContract:
    """The judges of a provider and its server together: inherit, and say how a client is opened at a living server."""

    pytestmark = pytest.mark.anyio

    def meet(self, **limits: int) -> AbstractAsyncContextManager[tuple[Provider, Provider]]:
        """A client with a good credential, under these limits (deposit_micro_usd, running), and one with a bad one."""
        raise NotImplementedError

    async def offer(self, provider: Provider, receipt: Receipt) -> Offer:
        """Wait until what was bought is offered."""
        standing = receipt.standing
        with anyio.fail_after(20):
            while isinstance(standing, Waiting):
                await anyio.sleep(0.01)
                assert receipt.task_id is not None
                standing = await provider.status(receipt.task_id)
        return standing

    async def test_what_is_bought_is_offered_and_downloads(self) -> None:
        """A submit becomes a task or an offer, the offer a picture and a cost, and a fresh look gives it again."""
        async with self.meet() as (provider, _):
            receipt = await provider.submit(an_order())
            offer = await self.offer(provider, receipt)
            async with provider.download(offer.urls[0]) as chunks:
                picture = b"".join([chunk async for chunk in chunks])
            assert sniff(picture) is not None
            if receipt.task_id is not None:
                assert offer.cost_micro_usd == 134_000
                assert (await self.offer(provider, receipt)).urls != ()

    async def test_a_token_is_sold_once(self) -> None:
        """The same order is the same receipt, also when many come together; its token with another body is refused."""
        async with self.meet() as (provider, _):
            tasks = set()

            async def submit() -> None:
                tasks.add((await provider.submit(an_order())).task_id)

            async with anyio.create_task_group() as group:
                for _ in range(5):
                    group.start_soon(submit)
            assert len(tasks) == 1
            content_type, body = wire.encode_create({"model": "nano-banana-pro", "prompt": "other"}, [], [], "x")
            with pytest.raises(ProviderError):
                await provider.submit(Order("bg-contract", "nano-banana-pro", content_type, body))

    async def test_what_a_refusal_means(self) -> None:
        """A bad request, an unknown task, a refused key, no funds and too many are told apart."""
        async with self.meet(deposit_micro_usd=134_000) as (provider, stranger):
            content_type, body = wire.encode_create({"model": "nano-banana-pro", "prompt": ""}, [], [], "b")
            with pytest.raises(Rejected):
                await provider.submit(Order("b", "nano-banana-pro", content_type, body))
            with pytest.raises(TaskFailed) as unknown:
                await provider.status("task_unknown")
            assert (unknown.value.failure, unknown.value.missing) == ("expired", True)
            for call in (stranger.submit(an_order()), stranger.status("task_1")):
                with pytest.raises(Stop) as refused:
                    await call
                assert refused.value.credential
            await provider.submit(an_order("first"))
            with pytest.raises(Stop) as poor:
                await provider.submit(an_order("second"))
            assert not poor.value.credential

    async def test_too_many_are_told_to_wait(self) -> None:
        """Beyond a limit a submit is proven not taken, with the time to wait."""
        async with self.meet(running=1) as (provider, _):
            await provider.submit(an_order("first"))
            with pytest.raises(Throttled) as throttled:
                await provider.submit(an_order("second"))
            assert throttled.value.retry_after_seconds == 1

    async def test_a_forged_or_old_address_is_an_expired_offer(self) -> None:
        """An address that the server does not honour asks for a fresh one."""
        async with self.meet() as (provider, _):
            offer = await self.offer(provider, await provider.submit(an_order()))
            with pytest.raises(OfferExpired):
                async with provider.download(offer.urls[0].replace("expires=", "expires=9")):
                    pass

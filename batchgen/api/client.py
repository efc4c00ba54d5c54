"""The provider over HTTP: three verbs, each call made once, each answer turned into what to do next."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from email.utils import parsedate_to_datetime
from typing import Self

from batchgen.api import Offer, Order, Receipt, Standing, answers, models, outcomes, wire
from batchgen.api.network import Door, Network
from batchgen.api.outcomes import Answer
from batchgen.api.pictures import Pictures
from batchgen.api.transport import Listener, Transport
from batchgen.errors import BatchgenError, Stop, Unavailable
from batchgen.guard import Policy, is_loopback
from batchgen.terms import Expert


class Client:
    """A provider of the image API at one origin; an async context manager, for many tasks at once.

    Args:
        origin: scheme, host and port; a path prefix and a trailing `/v1` are allowed.
        credential: gives the API key; asked again for every call, so that a renewed key is taken up.
        network: proxies, certificates, private hosts and patience.
        max_bytes: the largest picture.
        listener: hears whether calls are answered.
        clock: monotonic seconds.

    Raises:
        SettingsError: origin, proxy or certificate file are of no use.
    """

    def __init__(
        self,
        origin: str,
        credential: Callable[[], str],
        *,
        network: Network | None = None,
        max_bytes: int = Expert().max_bytes,
        listener: Listener | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        network = network or Network()
        door = Door(network)
        self._credential = credential
        self._clock = clock
        self._transport = Transport(origin, door, listener)
        policy = Policy(is_loopback(self._transport.host), network.private_hosts)
        self._pictures = Pictures(door, policy, max_bytes=max_bytes, clock=clock)

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        await self._pictures.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._pictures.__aexit__(*exc_info)
        await self._transport.__aexit__(*exc_info)

    async def submit(self, order: Order) -> Receipt:
        """Buy one task with one request; see the contract for what it raises."""
        credential = self._key()
        answer = await self._transport.post(order, credential)
        if 200 <= answer.status < 300:
            return self._receipt(answer)
        raise outcomes.of_submit(answer, order, self._asked(answer, credential))

    async def status(self, task_id: str) -> Standing:
        """Ask for one task at its own path below the pinned origin; see the contract for what it raises."""
        document, word = await self._task(task_id)
        return answers.standing(document, word, self._clock())

    async def sold(self, task_id: str) -> answers.Sold:
        """What a task was asked for, whatever became of it; raises what `status` raises but for a failed task."""
        document, _ = await self._task(task_id)
        return answers.sold(document)

    async def _task(self, task_id: str) -> tuple[answers.Document, str]:
        """A task's resource and its state word."""
        credential = self._key()
        answer = await self._transport.get(wire.task_path(task_id), credential)
        if not 200 <= answer.status < 300:
            raise outcomes.of_poll(answer, self._asked(answer, credential))
        document = answers.document(answer.body) or {}
        word = answers.state(document)
        if word is None or answers.task_id(document) not in {None, task_id}:
            words = f"{self._transport.host} answered a poll with something else"
            raise outcomes.unclear("poll", answer.status, words)
        return document, word

    def download(self, url: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Bring one picture; see the contract for what it raises."""
        return self._pictures.download(url)

    async def models(self) -> models.Catalogue:
        """What the provider says it sells, over what is built in; never fails for want of an answer."""
        return await models.fetch(self._ask_models)

    async def probe(self) -> bool:
        """Whether the server answers at all."""
        try:
            await self._transport.get(wire.MODELS, None)
        except Unavailable:
            return False
        return True

    async def clock_skew_seconds(self) -> float | None:
        """How far this machine's clock is ahead of the server's, None when it does not tell its time.

        Raises:
            Unavailable: no answer.
            Stop: the credential is refused, or the address is none of an API.
        """
        answer = await self._ask_models(anonymously=False)
        try:
            told = parsedate_to_datetime(answer.headers.get("Date", "")).timestamp()
        except ValueError:
            return None
        return time.time() - told

    async def _ask_models(self, *, anonymously: bool) -> Answer:
        return await self._transport.get(wire.MODELS, None if anonymously else self._key())

    def _receipt(self, answer: Answer) -> Receipt:
        """What a 2xx bought, decided by the body alone."""
        document = answers.document(answer.body)
        if document is None:
            raise self._unclear(answer, "is not a JSON object of at most 1 MiB")
        task = answers.task_id(document)
        if task is None:
            urls = answers.result_urls(document)
            if not urls:
                raise self._unclear(answer, "names neither a task nor a picture")
            return Receipt(None, Offer(urls, self._clock(), answers.cost(document)))
        if not answers.usable(task):
            raise self._unclear(answer, "names a task by something that is no usable id")
        return Receipt(task, self._first_standing(document))

    def _first_standing(self, document: answers.Document) -> Standing:
        """The standing in a create's answer; a failure told there is left to the first poll, once the task is ours."""
        word = answers.state(document) or "waiting"
        return answers.standing(document, "waiting" if word in wire.FAILED else word, self._clock())

    def _unclear(self, answer: Answer, what: str) -> BatchgenError:
        words = f"{self._transport.host} answered {answer.status}, but the answer {what}"
        return outcomes.unclear("submit", answer.status, words)

    def _key(self) -> str:
        key = self._credential().strip()
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise Stop("the credential is empty or has characters that no key has; check it", credential=True)
        return key

    def _asked(self, answer: Answer, credential: str) -> outcomes.Asked:
        renewed = answer.status == 401 and self._credential().strip() != credential
        return outcomes.Asked(self._transport.host, credential, renewed)

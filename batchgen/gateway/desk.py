"""Where pictures are sold: body, rules, price, idempotency, money, then a durable task."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import anyio.to_thread
from starlette.requests import Request

from batchgen.api import wire
from batchgen.gateway.bodies import Create, Received, receive
from batchgen.gateway.book import Book
from batchgen.gateway.fetching import Fetcher
from batchgen.gateway.models import Model, Shape, settled
from batchgen.gateway.options import Settings
from batchgen.gateway.painter import Elsewhere, Sample
from batchgen.gateway.painting import Studio
from batchgen.gateway.refusal import Refusal, bad, later
from batchgen.gateway.rules import Account, over
from batchgen.gateway.state import State, save_file
from batchgen.gateway.task import SAMPLES, Asked, Forget, Missing, Stored, Task, latency, new_id, new_picture
from batchgen.gateway.till import Till
from batchgen.gateway.writer import Writer
from batchgen.job import without_signature


@dataclass(frozen=True, slots=True)
class Shop:
    """What the desk works with; `fetcher` None fetches nothing, `clock` is unix seconds."""

    state: State
    writer: Writer
    studio: Studio
    till: Till
    book: Book
    settings: Settings
    clock: Callable[[], float]
    fetcher: Fetcher | None = None


class Desk:
    """Sells tasks; nothing is sold unless all of a request is right."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    async def sell(self, request: Request, account: Account) -> tuple[Task, bool]:
        """The task that this create bought, now or before, and whether `async: true` was asked for.

        Raises:
            Refusal: nothing was sold now.
        """
        token = _token(request)
        received = await receive(request, self._shop.settings.body_seconds)
        create = received.create
        model, shape = settled(create.model, _shape(create), len(received.files) + len(create.image_input))
        if account.models is not None and model.id not in account.models:
            raise Refusal(403, "model_not_allowed", "this key may not use this model")
        key = None if self._shop.settings.idempotency == "none" else token
        sold = await self._known(account, key) if key else None
        if sold is None:
            task = self._task(received, account, (key, token), (model, shape))
            sold = await self._accept(task, account, received)
            if sold.id == task.id:
                self._shop.studio.ask(sold)
                return sold, create.as_task
        self._check_again(sold, received)
        return sold, create.as_task

    async def _known(self, account: Account, key: str) -> Task | None:
        """The task that a key has bought, while the key lives; after that the key may buy again."""
        sold = self._shop.state.reading.by_key(account.owner, key)
        now, ttl = self._shop.clock(), self._shop.book.rules.token_ttl_seconds
        if sold is None or ttl is None or not over(sold.created_at, ttl, now):
            return sold
        await self._shop.writer.note(Forget(account.owner, key, now - ttl))
        return None

    async def _accept(self, task: Task, account: Account, received: Received) -> Task:
        shop = self._shop
        if shop.studio.backlog >= shop.settings.most_waiting:
            headers = later(2, shop.clock(), shop.book.rules.retry_after)
            raise Refusal(429, "queue_full", "too many tasks are waiting; slow down", headers=headers)
        shop.till.take(account, task)
        kept = None
        try:
            for data in received.files:
                await anyio.to_thread.run_sync(self._keep, data)
            kept = await shop.writer.accept(await self._fetched(task, received.create.image_input))
            return kept
        finally:
            if kept is None or kept.id != task.id:
                shop.till.give_back(task)

    async def _fetched(self, task: Task, urls: list[str]) -> Task:
        """The task with the pictures at its reference addresses, where the gateway fetches them."""
        asked, fetcher = task.asked, self._shop.fetcher
        wanted = [url for url in urls if not url.startswith(SAMPLES)]
        if fetcher is None or not wanted:
            return task
        found = iter(await fetcher.fetch(wanted))
        references = [
            await self._brought(each, next(found)) if isinstance(each, Elsewhere) else each for each in asked.references
        ]
        return replace(task, asked=replace(asked, references=tuple(references)))

    async def _brought(self, reference: Elsewhere, data: bytes | None) -> Stored | Missing:
        if data is None:
            return Missing(reference.digest)
        await anyio.to_thread.run_sync(self._keep, data)
        return Stored(hashlib.sha256(data).hexdigest())

    def _check_again(self, sold: Task, received: Received) -> None:
        if self._shop.settings.idempotency == "reject":
            raise Refusal(409, "idempotency_key_used", "this Idempotency-Key has bought a task before")
        if sold.body_sha256 != received.body_sha256 and sold.payload_sha256 != received.payload_sha256:
            raise Refusal(409, "idempotency_conflict", "this Idempotency-Key was sent with another body before")

    def _task(
        self, received: Received, account: Account, keys: tuple[str | None, str | None], what: tuple[Model, Shape]
    ) -> Task:
        model, shape = what
        task_id = new_id()
        asked = _asked(received, model, shape)
        return Task(
            id=task_id,
            owner=account.owner,
            key=keys[0],
            token=keys[1],
            body_sha256=received.body_sha256,
            asked=asked,
            price_micro_usd=model.price(asked.resolution),
            created_at=self._shop.clock(),
            latency_seconds=latency(task_id, self._shop.settings.pace),
            picture=new_picture(asked.file_format),
            payload_sha256=received.payload_sha256,
        )

    def _keep(self, data: bytes) -> None:
        save_file(self._shop.state.reference(hashlib.sha256(data).hexdigest()), data)


def _token(request: Request) -> str | None:
    tokens = request.headers.getlist(wire.IDEMPOTENCY_KEY)
    if not tokens:
        return None
    token = tokens[0]
    if len(tokens) > 1 or not 0 < len(token) <= wire.TOKEN_CHARACTERS or not token.isascii() or not token.isprintable():
        raise bad("invalid_idempotency_key", "Idempotency-Key is one value of 1 to 255 printable ASCII characters")
    return token


def _shape(create: Create) -> Shape:
    return Shape(create.aspect_ratio, create.resolution, create.output_format)


def _asked(received: Received, model: Model, shape: Shape) -> Asked:
    create = received.create
    assert shape.aspect_ratio is not None
    assert shape.resolution is not None
    urls = tuple(_reference(url) for url in create.image_input)
    files = tuple(Stored(hashlib.sha256(data).hexdigest()) for data in received.files)
    return Asked(model.id, create.prompt, shape.aspect_ratio, shape.resolution, shape.output_format, urls + files)


def _reference(url: str) -> Sample | Elsewhere:
    """Nothing is fetched here; the address itself is not kept."""
    if url.startswith(SAMPLES):
        return Sample(url.removeprefix(SAMPLES).partition("?")[0])
    return Elsewhere(hashlib.sha256(without_signature(url).encode()).hexdigest())

"""Where pictures are sold: body, rules, price, idempotency, then a durable task."""

import hashlib
from collections.abc import Callable

import anyio.to_thread
from starlette.requests import Request

from batchgen.api import wire
from batchgen.gateway.bodies import Create, Received, receive
from batchgen.gateway.models import Model, Shape, settled
from batchgen.gateway.options import Settings
from batchgen.gateway.painter import Elsewhere, Sample
from batchgen.gateway.painting import Studio
from batchgen.gateway.refusal import Refusal, bad
from batchgen.gateway.state import State, save_file
from batchgen.gateway.task import SAMPLES, Asked, Stored, Task, latency, new_id, new_picture
from batchgen.gateway.writer import Writer
from batchgen.job import without_signature


class Desk:
    """Sells tasks; nothing is sold unless all of a request is right."""

    def __init__(
        self, state: State, writer: Writer, studio: Studio, settings: Settings, clock: Callable[[], float]
    ) -> None:
        self._state, self._writer, self._studio = state, writer, studio
        self._settings, self._clock = settings, clock

    async def sell(self, request: Request, owner: str) -> tuple[Task, bool]:
        """The task that this create bought, now or before, and whether `async: true` was asked for.

        Raises:
            Refusal: nothing was sold now.
        """
        token = _token(request)
        received = await receive(request, self._settings.body_seconds)
        create = received.create
        model, shape = settled(create.model, _shape(create), len(received.files) + len(create.image_input))
        key = None if self._settings.idempotency == "none" else token
        sold = self._state.reading.by_key(owner, key) if key else None
        if sold is None:
            task = self._task(received, owner, (key, token), (model, shape))
            sold = await self._accept(task, received.files)
            if sold.id == task.id:
                self._studio.ask(sold)
                return sold, create.as_task
        self._check_again(sold, received.body_sha256)
        return sold, create.as_task

    async def _accept(self, task: Task, files: tuple[bytes, ...]) -> Task:
        if self._studio.backlog >= self._settings.most_waiting:
            raise Refusal(429, "queue_full", "too many tasks are waiting; slow down", headers={"Retry-After": "2"})
        for data in files:
            await anyio.to_thread.run_sync(self._keep, data)
        return await self._writer.accept(task)

    def _check_again(self, sold: Task, body_sha256: str) -> None:
        if self._settings.idempotency == "reject":
            raise Refusal(409, "idempotency_key_used", "this Idempotency-Key has bought a task before")
        if sold.body_sha256 != body_sha256:
            raise Refusal(409, "idempotency_conflict", "this Idempotency-Key was sent with another body before")

    def _task(
        self, received: Received, owner: str, keys: tuple[str | None, str | None], what: tuple[Model, Shape]
    ) -> Task:
        model, shape = what
        task_id = new_id()
        asked = _asked(received, model, shape)
        return Task(
            id=task_id,
            owner=owner,
            key=keys[0],
            token=keys[1],
            body_sha256=received.body_sha256,
            asked=asked,
            price_micro_usd=model.price(asked.resolution),
            created_at=self._clock(),
            latency_seconds=latency(task_id, self._settings.pace),
            picture=new_picture(asked.file_format),
        )

    def _keep(self, data: bytes) -> None:
        save_file(self._state.reference(hashlib.sha256(data).hexdigest()), data)


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
    """Neither kind is fetched; the address itself is not kept."""
    if url.startswith(SAMPLES):
        return Sample(url.removeprefix(SAMPLES).partition("?")[0])
    return Elsewhere(hashlib.sha256(without_signature(url).encode()).hexdigest())

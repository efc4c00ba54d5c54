"""An answer held back: served to the end, and not sent yet."""

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True, slots=True)
class Recorded:
    """A whole answer."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def document(self) -> dict[str, Any]:
        """Its JSON object; empty when it is none."""
        try:
            parsed = json.loads(self.body)
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) else {}

    def saying(self, body: bytes, media_type: bytes | None = None) -> "Recorded":
        """The same answer with another body, its length told right."""
        changed = {b"content-length": str(len(body)).encode()}
        if media_type is not None:
            changed[b"content-type"] = media_type
        headers = [(name, changed.pop(name.lower(), value)) for name, value in self.headers]
        return replace(self, headers=(*headers, *changed.items()), body=body)

    async def send(self, send: Send, *, most: int | None = None) -> None:
        """Send it; only the first `most` bytes of the body if told, and then it is not complete."""
        await send({"type": "http.response.start", "status": self.status, "headers": list(self.headers)})
        part = self.body if most is None else self.body[:most]
        await send({"type": "http.response.body", "body": part, "more_body": most is not None})


@dataclass(slots=True)
class _Recorder:
    start: Message = field(default_factory=dict)
    parts: list[bytes] = field(default_factory=list)

    async def __call__(self, message: Message) -> None:
        """Take one message of the answer."""
        if message["type"] == "http.response.start":
            self.start = message
        elif message["type"] == "http.response.body":
            self.parts.append(message.get("body", b""))


async def served(app: ASGIApp, scope: Scope, receive: Receive) -> Recorded:
    """Have a request served and keep the answer."""
    recorder = _Recorder()
    await app(scope, receive, recorder)
    return Recorded(recorder.start["status"], tuple(recorder.start["headers"]), b"".join(recorder.parts))


async def bought(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[Recorded, str]:
    """Have a create served; its answer, and the sha256 of the body that came."""
    seen = hashlib.sha256()

    async def hashed() -> Message:
        message = await receive()
        seen.update(message.get("body", b""))
        return message

    return await served(app, scope, hashed), seen.hexdigest()

"""Addresses of pictures, unguessable names that are signed and valid for a while; and how a picture is handed out."""

import hashlib
import hmac
import os
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from batchgen.gateway.refusal import Refusal

FILES: Final = "/files/"
MEDIA_TYPES: Final = {"png": "image/png", "jpg": "image/jpeg"}
_RANGE: Final = re.compile(r"bytes=(?:(\d{1,18})-(\d{1,18})?|-(\d{1,18}))")


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs and checks addresses; times in unix seconds."""

    key: bytes

    def path(self, name: str, expires: int) -> str:
        """Path and query of a picture, valid until then."""
        return f"{FILES}{name}?{urlencode({'expires': expires, 'signature': self._sign(name, str(expires))})}"

    def check(self, name: str, expires: str, signature: str, now: float) -> None:
        """Let a valid address pass.

        Raises:
            Refusal: 403 when it was not signed here, 410 when its time is over.
        """
        if not hmac.compare_digest(self._sign(name, expires).encode(), signature.encode("utf-8", "replace")):
            raise Refusal(403, "invalid_signature", "this address was not given by this server; read the task again")
        if now > int(expires):
            raise Refusal(410, "url_expired", "this address has expired; read the task again for a fresh one")

    def _sign(self, name: str, expires: str) -> str:
        text = f"{name}\n{expires}".encode("utf-8", "replace")
        return hmac.new(self.key, text, hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a file: its first byte, how many, and the size of the whole."""

    start: int
    length: int
    size: int

    @property
    def content_range(self) -> str:
        """As the answer says it."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.size}"


def asked_slice(header: str | None, size: int) -> Slice | None:
    """The part that a Range header asks for; None means the whole file.

    One range is understood; several, and what is no range of bytes, are passed over as RFC 9110 allows.

    Raises:
        Refusal: 416 when it begins behind the end.
    """
    found = _RANGE.fullmatch((header or "").replace(" ", ""))
    if found is None:
        return None
    first, last, suffix = found.groups()
    if suffix is not None:
        start, end = max(0, size - int(suffix)), size - 1
    else:
        start, end = int(first), min(size - 1, int(last)) if last is not None else size - 1
    if last is not None and int(last) < int(first):
        return None
    if start >= size:
        headers = {"Content-Range": f"bytes */{size}"}
        raise Refusal(416, "range_not_satisfiable", "the picture has fewer bytes", headers=headers)
    return Slice(start, end - start + 1, size)


def read_picture(path: str, header: str | None) -> tuple[bytes, Slice | None]:
    """The bytes that are to be sent, and which part they are; opens a file, so keep it off the event loop.

    Raises:
        Refusal: 404 when the file is gone, 416 when the range begins behind its end.
    """
    try:
        with open(path, "rb") as file:
            part = asked_slice(header, os.fstat(file.fileno()).st_size)
            if part is None:
                return file.read(), None
            file.seek(part.start)
            return file.read(part.length), part
    except FileNotFoundError:
        raise Refusal(404, "file_not_found", "this picture was removed from the gateway's folder") from None

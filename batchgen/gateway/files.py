"""Addresses of pictures: unguessable names, signed, valid for a while."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from batchgen.gateway.refusal import Refusal

FILES: Final = "/files/"
MEDIA_TYPES: Final = {"png": "image/png", "jpg": "image/jpeg"}


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs and checks addresses; times in unix seconds."""

    key: bytes
    url_ttl_seconds: float

    def path(self, name: str, now: float) -> str:
        """Path and query of a picture, valid from now on for the time to live."""
        expires = int(now + self.url_ttl_seconds)
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

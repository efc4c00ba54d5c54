"""Who may come in: the rules as they stand now, read again when their file changes."""

import hashlib
import hmac
import logging
from collections.abc import Callable

import anyio
import anyio.to_thread

from batchgen.errors import SettingsError
from batchgen.gateway.refusal import Refusal
from batchgen.gateway.rules import Account, Rules

LOOK_SECONDS = 0.5

logger = logging.getLogger(__name__)


class Book:
    """The rules of this moment.

    Args:
        rules: those to begin with.
        read_again: newer ones, or None while nothing changed; raises SettingsError when they cannot be used, and then
            the old ones stay.
    """

    def __init__(self, rules: Rules, read_again: Callable[[], Rules | None] | None = None) -> None:
        self.rules = rules
        self._read_again = read_again

    def account(self, authorization: str | None) -> Account:
        """The account of an Authorization header; keys are compared by their hashes, in constant time.

        Raises:
            Refusal: 401 when there is none, or an unknown or revoked one.
        """
        scheme, _, given = (authorization or "").partition(" ")
        digest = key_digest(given)
        found = [each for known, each in self.rules.accounts.items() if hmac.compare_digest(digest, known)]
        if scheme.lower() != "bearer" or not found:
            challenge = {"WWW-Authenticate": "Bearer"}
            raise Refusal(401, "invalid_credential", "send this gateway's key as a Bearer token", headers=challenge)
        return found[0]

    async def refresh(self) -> None:
        """Take up the rules of a file that changed."""
        if self._read_again is None:
            return
        try:
            fresh = await anyio.to_thread.run_sync(self._read_again)
        except SettingsError as error:
            logger.error("the old rules stay: %s", error)  # noqa: TRY400 - the message says it all
            return
        if fresh is not None:
            self.rules = fresh
            logger.info("new rules: %d keys are taken", len(fresh.accounts))

    async def watch(self) -> None:
        """Look for new rules until cancelled."""
        while self._read_again is not None:
            await anyio.sleep(LOOK_SECONDS)
            await self.refresh()


def key_digest(key: str) -> str:
    """The only form in which a key is kept."""
    return hashlib.sha256(key.strip().encode("utf-8", "replace")).hexdigest()

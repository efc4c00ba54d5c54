"""batchgen's client and this gateway, judged together in both modes."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio

from batchgen.api import Order, Provider, wire
from batchgen.api.client import Client
from batchgen.gateway.book import key_digest
from batchgen.gateway.options import Mode, Settings
from batchgen.gateway.rules import Rules
from tests.contracts.provider import LivingProviderContract, an_order
from tests.gateway.house import ACCOUNTS, FIRST, KEY, Painter, house


class TestTaskMode(LivingProviderContract):
    """The gateway of today: every create is a task."""

    mode: Mode = "task"

    @asynccontextmanager
    async def meet(self, **limits: Any) -> AsyncIterator[tuple[Provider, Provider]]:
        # a task that must not end while another one is tried is never painted
        painter = Painter(hold=anyio.Event() if "running" in limits else None)
        rules = Rules(ACCOUNTS | {key_digest(KEY): replace(FIRST, **limits)})
        with tempfile.TemporaryDirectory() as folder:
            async with house(Path(folder), Settings(mode=self.mode, pace=0), rules=rules, painter=painter) as there:
                origin = str(there.client.base_url)
                async with Client(origin, lambda: KEY) as good, Client(origin, lambda: "wrong") as bad:
                    yield good, bad


class TestLegacyMode(TestTaskMode):
    """The gateway of yesterday: a create that says async is a task."""

    mode: Mode = "legacy"

    async def test_a_create_that_waits_is_an_offer_at_once(self) -> None:
        """Without async the answer is the offer itself, and it downloads."""
        async with self.meet() as (provider, _):
            content_type, body = an_order().content_type, an_order().body
            body = body.replace(b'"async":true', b'"async":false')
            receipt = await provider.submit(Order("s", "nano-banana-pro", content_type, body))
            assert receipt.task_id is None
            offer = await self.offer(provider, receipt)
            async with provider.download(offer.urls[0]) as chunks:
                assert b"".join([chunk async for chunk in chunks])
        assert wire.FIXED["async"] is True

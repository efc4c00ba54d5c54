"""What every test stands on: one event loop kind, no blocking calls on it, no network but loopback."""

import ipaddress
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from blockbuster import blockbuster_ctx
from hypothesis import settings

# The machine that runs the tests may be busy; how long one example takes is no promise of ours.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


pytest_plugins = ["tests.chromium", "tests.s3"]

ON_THE_LOOP = [
    "batchgen.api",
    "batchgen.engine",
    "batchgen.worker",
    "batchgen.watch",
    "batchgen.gateway.app",
    "batchgen.gateway.desk",
    "batchgen.gateway.files",
]


@pytest.fixture
def anyio_backend() -> str:
    """All asynchronous tests run on asyncio, as the program does."""
    return "asyncio"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the person who runs the tests reaches them."""
    for name in list(os.environ):
        if name.startswith(("BATCHGEN_", "XENODIA_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to anything but this machine fails the test."""
    connect = socket.socket.connect

    def guarded(sock: socket.socket, address: Any) -> None:
        if sock.family in {socket.AF_INET, socket.AF_INET6} and not ipaddress.ip_address(address[0]).is_loopback:
            pytest.fail(f"a test tried to reach {address[0]}")
        connect(sock, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def nothing_blocks() -> Iterator[None]:
    """A blocking call of a room that lives on the event loop fails the test; the others have tests of their own."""
    with blockbuster_ctx(ON_THE_LOOP) as watch:
        for name in ("threading.Lock.acquire", "threading.Lock.acquire_lock"):
            watch.functions[name].can_block_in("coverage/collector.py", "lock_data")  # it counts lines in all threads
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test says its promise in a sentence."""
    for item in items:
        function = getattr(item, "function", None)
        if function is not None and not (function.__doc__ or "").strip():
            raise pytest.UsageError(f"{item.nodeid} has no docstring: say its promise in one sentence")

"""Joining a Dask cluster: one that runs at an address, or one that this machine makes for the run."""

import logging
import os
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio
from distributed import Client, LocalCluster
from distributed.versions import VersionMismatchWarning

from batchgen.engine.apart import apart
from batchgen.engine.versions import require_same, versions
from batchgen.errors import SettingsError, Unfinished

LOCAL: Final = "local"
"""The word for a cluster on this machine, a process for each core."""

PATIENCE_SECONDS: Final = 15

_TLS: Final = ("CA_FILE", "CLIENT__CERT", "CLIENT__KEY")


@asynccontextmanager
async def joined(address: str, *, patience_seconds: float = PATIENCE_SECONDS) -> AsyncIterator[Client]:
    """A client of the cluster at this address, or `local`, until the end of the block.

    Raises:
        SettingsError: the address is none, or somebody there has another version.
        Unfinished: nobody answers there.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=VersionMismatchWarning)  # said below, by name
        async with _cluster(address) as cluster, _client(cluster, address, patience_seconds) as client:
            require_same(await apart(client.run(versions, on_error="return")))
            yield client


@asynccontextmanager
async def _cluster(address: str) -> AsyncIterator[LocalCluster | str]:
    if address != LOCAL:
        yield address
        return
    cluster = LocalCluster(
        n_workers=len(os.sched_getaffinity(0)),
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        worker_dashboard_address=None,
        preload=["batchgen.engine.attached"],
        asynchronous=True,
        silence_logs=logging.ERROR,
    )
    try:
        await apart(cluster)
        yield cluster
    finally:
        with anyio.CancelScope(shield=True):
            closing: Any = cluster.close()
            await closing


@asynccontextmanager
async def _client(cluster: LocalCluster | str, address: str, patience_seconds: float) -> AsyncIterator[Client]:
    client = Client(cluster, asynchronous=True, timeout=patience_seconds, set_as_default=False)
    try:
        await _connect(client, address)
        yield client
    finally:
        with anyio.CancelScope(shield=True):
            await client.close()


async def _connect(client: Client, address: str) -> None:
    try:
        await apart(client)
    except ValueError as strange:
        raise SettingsError(f"--dask {address}: {strange}; write tcp://host:8786, or local") from None
    except TypeError:  # what Dask raises where its own settings name no certificate
        raise SettingsError(
            f"--dask {address}: this machine has no certificate for it; set "
            f"{', '.join(f'DASK_DISTRIBUTED__COMM__TLS__{each}' for each in _TLS)}"
        ) from None
    except OSError as silent:
        raise Unfinished(f"no Dask scheduler answers at {address}; start one there, and run again") from silent

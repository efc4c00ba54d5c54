"""Whom a run speaks to: the client of a server, or of a gateway that the run starts for itself."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import anyio

from batchgen.api import Order, wire
from batchgen.api.client import Client
from batchgen.api.limits import Reach
from batchgen.api.network import Network
from batchgen.batch.asked import Asked
from batchgen.gateway.child import child
from batchgen.job import FileReference, Job, UrlReference
from batchgen.location import Location
from batchgen.manifest.load import Manifest
from batchgen.manifest.provider import KeyFromEnvironment, KeyFromFile, KeySource, Local, Provider, Remote
from batchgen.manifest.references import read_reference
from batchgen.settings import Surroundings, credential, environment, surroundings
from batchgen.terms import Terms

GATEWAY = "gateway"
"""Where a rehearsal's gateway keeps its tasks and its credential, beside the journal."""


class Customer(Protocol):
    """Who buys: a manifest, or what a worker elsewhere knows of it. Credentials in files start at its folder."""

    @property
    def folder(self) -> Path:
        """The absolute folder of the manifest."""
        ...

    @property
    def provider(self) -> Provider:
        """Whom the pictures are bought from."""
        ...

    @property
    def terms(self) -> Terms:
        """What was agreed to."""
        ...


@asynccontextmanager
async def seller(asked: Asked, reach: Reach) -> AsyncIterator[Client]:
    """The client of a run; `reach` hears whether the server answers.

    Raises:
        SettingsError: there is no credential, or the network cannot be used as it is set.
        Unfinished: the gateway of the run did not start.
    """
    async with seller_at(asked.manifest, asked.location, reach, asked.environ) as client:
        yield client


@asynccontextmanager
async def seller_at(
    manifest: Manifest, location: Location, reach: Reach, environ: Mapping[str, str] | None = None
) -> AsyncIterator[Client]:
    """The client of whom a manifest names, for a batch at this place; raises what `seller` raises.

    `environ` is looked into for the credential and the proxies, None for that of this process.
    """
    most = manifest.terms.limits.expert.max_bytes
    match manifest.provider:
        case Local():
            async with (
                child(location.hidden / GATEWAY) as local,
                Client(
                    local.url,
                    lambda: local.credential,
                    network=Network(keep_submits=_replays(manifest.terms)),
                    max_bytes=most,
                    listener=reach,
                ) as client,
            ):
                yield client
        case Remote() as remote:
            async with client_of(manifest, remote, reach, environment() if environ is None else environ) as client:
                yield client


def require_credential(customer: Customer, environ: Mapping[str, str]) -> None:
    """Make sure that there is a credential before anything is sent.

    Raises:
        SettingsError: there is none, or it cannot be one.
    """
    if isinstance(customer.provider, Remote):
        credential(_source(customer.provider.api_key_source), customer.folder, environ)


def credential_of(customer: Customer, remote: Remote, environ: Mapping[str, str]) -> str:
    """The credential as it is now.

    Raises:
        SettingsError: there is none, or it cannot be one.
    """
    return credential(_source(remote.api_key_source), customer.folder, environ)


def client_of(customer: Customer, remote: Remote, reach: Reach, environ: Mapping[str, str]) -> Client:
    """The client of a server; its credential is read whenever a call needs one, so that a renewed one is taken up."""
    source = _source(remote.api_key_source)
    return Client(
        remote.base_url,
        lambda: credential(source, customer.folder, environ),
        network=network_of(customer, remote, surroundings(environ)),
        max_bytes=customer.terms.limits.expert.max_bytes,
        listener=reach,
    )


def network_of(customer: Customer, remote: Remote, around: Surroundings) -> Network:
    """How a server is reached from here."""
    return Network(
        proxies=around.proxies,
        no_proxy=around.no_proxy,
        ca_file=around.ca_file,
        private_hosts=frozenset(remote.private_hosts),
        transport=around.transport,
        keep_submits=_replays(customer.terms),
    )


def _replays(terms: Terms) -> bool:
    """Whether a create in doubt may be sent once more under its token."""
    return terms.profile.idempotency == "replay"


def preparer(root: Path, signed: Callable[[str], str | None]) -> Callable[[Job, str], Awaitable[Order]]:
    """Builds the order of a job: its references are read again below the root, and must be what was planned.

    `signed` gives a URL with the signature that the journal does not keep.
    """

    async def prepare(job: Job, token: str) -> Order:
        urls = {
            each.url: whole
            for each in job.request.references
            if isinstance(each, UrlReference) and each.signed and (whole := signed(each.url))
        }
        files = [each for each in job.request.references if isinstance(each, FileReference)]
        if not files:
            return wire.order(job, token, files={}, urls=urls)
        return await anyio.to_thread.run_sync(_read_and_build, root, job, token, urls)

    return prepare


def _read_and_build(root: Path, job: Job, token: str, urls: Mapping[str, str]) -> Order:
    files = {
        each.path: read_reference(root, each) for each in job.request.references if isinstance(each, FileReference)
    }
    return wire.order(job, token, files=files, urls=urls)


def _source(named: KeySource | None) -> str | None:
    match named:
        case KeyFromEnvironment(name=name):
            return f"env:{name}"
        case KeyFromFile(path=path):
            return f"file:{path}"
        case None:
            return None

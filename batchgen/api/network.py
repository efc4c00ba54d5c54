"""The one door to the network: which transport carries a call, and what it may never do.

Neither the transports for the API, which alone carry a credential, nor those for pictures follow a redirect, keep a
cookie, read the environment, or repeat a request that could cost anything.
"""

import ipaddress
import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import httpx

from batchgen.api.carriers import Carrier, Own, Stock
from batchgen.api.http1 import Http1Transport, Limits
from batchgen.api.http1.connection import Patience
from batchgen.errors import SettingsError
from batchgen.guard import is_loopback
from batchgen.settings import TRANSPORT, Transport

CONNECTIONS: Final = 20
KEEPALIVE_SECONDS: Final = 1.0
"""Shorter than any server's patience: httpx's transport looks at a kept connection, but does not watch it."""
WATCHED_SECONDS: Final = 30.0
"""Longer, because our transport hears at once when a kept connection ends."""
SLOWEST_UPLOAD: Final = 64 * 1024
"""Bytes per second that an upload may take before it is given up."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Patience in seconds. `answer` is long because some servers paint before they answer a create."""

    connect: float = 10
    pool: float = 30
    write: float = 30
    answer: float = 300
    submit: float = 330
    poll_answer: float = 15
    poll: float = 30
    picture_answer: float = 15
    picture: float = 600
    slow_window: float = 30

    def of(self, read: float, upload_bytes: int = 0) -> Patience:
        """The patience of one request by phase."""
        return Patience(self.connect, self.pool, self.write + upload_bytes / SLOWEST_UPLOAD, read)


@dataclass(frozen=True, slots=True)
class Network:
    """How this machine reaches others.

    `proxies` holds a proxy URL by the scheme that is asked for (`http`, `https`, `all`); `no_proxy` hosts, `.suffix`es,
    addresses, networks or `*`; `ca_file` trusted certificates instead of the system's. Loopback is never proxied.
    `private_hosts` names (lower case) from which pictures may be fetched in private networks. `transport` is what
    carries the calls that no proxy does. `keep_submits` lets a create go over a connection that served another one a
    moment ago: should the server end it just then, the create is in doubt, so only where tokens make that safe.
    """

    proxies: Mapping[str, str] = field(default_factory=dict)
    no_proxy: tuple[str, ...] = ()
    ca_file: str | None = None
    private_hosts: frozenset[str] = frozenset()
    timeouts: Timeouts = field(default_factory=Timeouts)
    transport: Transport = TRANSPORT
    keep_submits: bool = False

    def proxy(self, scheme: str, host: str, port: int) -> str | None:
        """The proxy for one address, None for none."""
        if is_loopback(host) or any(_spares(rule.strip().lower(), host.lower(), port) for rule in self.no_proxy):
            return None
        return self.proxies.get(scheme) or self.proxies.get("all")


class Door:
    """Opens the transports of a run over one network; its certificates are read once.

    Raises:
        SettingsError: the certificate file, or later a proxy, is of no use.
    """

    def __init__(self, network: Network) -> None:
        _hush()
        self.network = network
        self._context = tls_context(network.ca_file)

    def once(self, proxy: str | None = None) -> Carrier:
        """A connection of its own for every request: none that the other side is closing, or has answered on."""
        return self._ours(0, WATCHED_SECONDS) if self._is_ours(proxy) else self._stock(proxy, idle=0)

    def kept(self, proxy: str | None = None) -> Carrier:
        """Connections that serve one request after another."""
        return (
            self._ours(CONNECTIONS, WATCHED_SECONDS) if self._is_ours(proxy) else self._stock(proxy, idle=CONNECTIONS)
        )

    def briefly(self, proxy: str | None = None) -> Carrier:
        """Connections that serve again only at once: no server has given up one that it answered on a moment ago."""
        return self._ours(CONNECTIONS, KEEPALIVE_SECONDS) if self._is_ours(proxy) else self.once(proxy)

    def pinned(self, proxy: str | None = None) -> Carrier:
        """Connections that may be pinned to an address; httpx would let one serve another name without asking."""
        return self.kept() if self._is_ours(proxy) else self.once(proxy)

    def _is_ours(self, proxy: str | None) -> bool:
        return proxy is None and self.network.transport == "own"

    def _ours(self, idle: int, seconds: float) -> Carrier:
        return Own(Http1Transport(self._context, Limits(CONNECTIONS, idle, seconds)))

    def _stock(self, proxy: str | None, *, idle: int) -> Carrier:
        limits = httpx.Limits(
            max_connections=CONNECTIONS, max_keepalive_connections=idle, keepalive_expiry=KEEPALIVE_SECONDS
        )
        try:
            return Stock(httpx.AsyncHTTPTransport(verify=self._context, proxy=proxy, limits=limits, trust_env=False))
        except (ValueError, httpx.InvalidURL, ImportError) as error:
            raise SettingsError("the proxy of the environment is not a http or https proxy URL; mend it") from error


def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """Full verification against the system's certificates, or against those of a file."""
    if ca_file is None:
        return _of_the_system()
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise SettingsError(f"SSL_CERT_FILE {ca_file} holds no certificates that can be read; mend it") from error


@cache
def _of_the_system() -> ssl.SSLContext:
    """Some 150 certificates: reading them once is enough for planning and buying."""
    return ssl.create_default_context()


def _spares(rule: str, host: str, port: int) -> bool:
    """Whether a no_proxy rule names this host."""
    name, _, wanted = rule.rpartition(":") if rule.count(":") == 1 else (rule, "", "")
    if wanted and wanted != str(port):
        return False
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(name.strip("[]"), strict=False)
    except ValueError:
        suffix = name.lstrip("*.")
        return name == "*" or (bool(suffix) and f".{host}".endswith(f".{suffix}"))


def _hush() -> None:
    """Keep the HTTP library from logging whole URLs, whose queries are secrets."""
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)

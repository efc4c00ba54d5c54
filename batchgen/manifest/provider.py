"""Whom the pictures are bought from: the local gateway, or a server and what it promises; never a credential itself."""

import re
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from batchgen.guard import is_loopback
from batchgen.terms import XENODIA, Profile

XENODIA_URL: Final = "https://api.xenodia.xyz"
LOCAL_WORD: Final = "local"

_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,252}[a-z0-9])?|\[[0-9a-f:.]+\]")
_PATH: Final = re.compile(r"(?:/[\w.~-]+)*")
LOOKS_SECRET: Final = re.compile(
    r"(?:bearer\s+\S+|(?:sk|pk|rk)[-_][\w-]{8,}|eyJ[\w.-]{8,}|[A-Za-z0-9_-]{40,})", re.IGNORECASE
)
"""What a credential looks like, as a whole value."""

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class KeyFromEnvironment:
    """The credential stands in this environment variable."""

    name: str


@dataclass(frozen=True, slots=True)
class KeyFromFile:
    """The credential stands in this file; a relative path starts at the manifest's folder."""

    path: str


KeySource: TypeAlias = KeyFromEnvironment | KeyFromFile


@dataclass(frozen=True, slots=True)
class Local:
    """The gateway that batchgen starts itself: free, no key."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A server. `base_url` is its origin and prefix, without `/v1` and without a slash at the end.

    `api_key_source` None means the built-in places. `private_hosts` are names that may hand out pictures from a
    private network; `also_known_as` origins (or `local`) that a batch of this provider may have been begun with.
    """

    base_url: str = XENODIA_URL
    api_key_source: KeySource | None = None
    profile: Profile = XENODIA
    private_hosts: tuple[str, ...] = ()
    also_known_as: tuple[str, ...] = ()


Provider: TypeAlias = Local | Remote


def named(text: str) -> Provider:
    """The provider that a command line names: `local` or a URL. ValueError with a sentence.

    Nothing of the manifest's own provider is carried over: its promises and its key are not another server's.
    """
    return Local() if text == LOCAL_WORD else Remote(base_url(text))


def base_url(text: str) -> str:
    """Origin and prefix of a server, normalised. ValueError with a sentence that does not repeat the text."""
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise ValueError("a base URL is plain ASCII without spaces")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("this is no URL; write https://host or https://host/prefix") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError("a base URL is absolute: https://host or https://host/prefix; `local` alone is the gateway")
    if "@" in parts.netloc or "?" in text or "#" in text:
        raise ValueError("a base URL holds no user, password, query or fragment")
    shown = f"[{host}]" if ":" in host else host
    path = parts.path.rstrip("/").removesuffix("/v1").rstrip("/")
    if not _HOST.fullmatch(shown) or not _PATH.fullmatch(path) or port == 0:
        raise ValueError("this is no URL; write https://host or https://host/prefix")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("http goes to this machine only; write https")
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{shown}{'' if port in {None, default} else f':{port}'}{path}"


def key_source(text: str) -> KeySource:
    """Where a credential stands. ValueError with a sentence that does not repeat the text."""
    where, colon, name = text.partition(":")
    match where:
        case "env" if colon and _VARIABLE.fullmatch(name):
            return KeyFromEnvironment(name)
        case "file" if name.strip() and name.isprintable():
            return KeyFromFile(name)
        case _:
            raise ValueError("a key never stands in a manifest; name its place: env:XENODIA_API_KEY or file:PATH")


def alias(text: str) -> str:
    """Another name of a provider: `local`, or a base URL. ValueError with a sentence."""
    return LOCAL_WORD if text == LOCAL_WORD else base_url(text)


def private_host(text: str) -> str:
    """A bare host name or address. ValueError with a sentence."""
    host = text.lower()
    if not _HOST.fullmatch(f"[{host}]" if ":" in host else host):
        raise ValueError("a private host is a bare name or address, without scheme, port or path")
    return host

"""What the surroundings say: credential, proxies, certificates. Reads the environment, never prints a credential."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias

from batchgen.errors import SettingsError

DEFAULT_KEY = "XENODIA_API_KEY"

Transport: TypeAlias = Literal["own", "stock"]
"""What carries calls that no proxy does: our own transport, or httpx's."""

TRANSPORT: Final[Transport] = "own"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Proxies by scheme with the hosts that need none, and a file of certificate authorities, None for the system's."""

    proxies: Mapping[str, str] = field(default_factory=dict)
    no_proxy: tuple[str, ...] = ()
    ca_file: str | None = None
    transport: Transport = TRANSPORT


def environment() -> Mapping[str, str]:
    """The environment of this process."""
    return os.environ


def surroundings(environ: Mapping[str, str] = os.environ) -> Surroundings:
    """Read `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, lower case winning, and two more.

    Those are `SSL_CERT_FILE` and `BATCHGEN_TRANSPORT`.

    Raises:
        SettingsError: the certificate file is not there, or there is no such transport.
    """
    lowered = {name: value for name, value in environ.items() if name.lower() == name or name.lower() not in environ}
    named = {name.lower(): value for name, value in lowered.items() if value}
    proxies = {scheme: named[f"{scheme}_proxy"] for scheme in ("http", "https", "all") if f"{scheme}_proxy" in named}
    no_proxy = tuple(host.strip() for host in named.get("no_proxy", "").split(",") if host.strip())
    ca_file = environ.get("SSL_CERT_FILE") or None
    if ca_file and not Path(ca_file).is_file():
        raise SettingsError(f"SSL_CERT_FILE names {ca_file}, which is no file; mend or unset it")
    return Surroundings(proxies, no_proxy, ca_file, _transport(environ.get("BATCHGEN_TRANSPORT", "")))


def credential(source: str | None, folder: Path, environ: Mapping[str, str] = os.environ) -> str:
    """The API key that `env:NAME` or `file:PATH` (from the manifest's folder) names, without the space around it.

    Without a source: `XENODIA_API_KEY`, else the file that `XENODIA_API_KEY_FILE` names.

    Raises:
        SettingsError: there is none, or it cannot be a key; the message never shows it.
    """
    match (source or _default(environ)).partition(":"):
        case "env", _, name:
            key, where = environ.get(name, ""), f"the environment variable {name}"
        case "file", _, path:
            key, where = _read(folder / path), f"the file {folder / path}"
        case _:
            raise SettingsError("a credential is named as env:NAME or file:PATH")
    key = key.strip()
    if not key:
        raise SettingsError(f"no credential: {where} is not set or empty; put the API key there and run again")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise SettingsError(f"no credential: what {where} holds cannot be an API key; look for stray characters")
    return key


def _transport(name: str) -> Transport:
    match name.strip().lower():
        case "":
            return TRANSPORT
        case "own" | "stock" as known:
            return known
        case _:
            raise SettingsError("BATCHGEN_TRANSPORT is own or stock; mend or unset it")


def _default(environ: Mapping[str, str]) -> str:
    if not environ.get(DEFAULT_KEY) and (path := environ.get(f"{DEFAULT_KEY}_FILE")):
        return f"file:{Path(path).absolute()}"
    return f"env:{DEFAULT_KEY}"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as broken:
        reason = broken.strerror if isinstance(broken, OSError) else "it is not text"
        raise SettingsError(f"no credential: the file {path} cannot be read: {reason}") from None

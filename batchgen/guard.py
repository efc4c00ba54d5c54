"""Which addresses may be asked for a picture: pure rules over a URL's text and over resolved addresses.

The text decides scheme, port and characters; where a name leads is judged on the resolved addresses alone, because a
resolver takes far more spellings of an address than any parser. The caller resolves once, asks `check_addresses`
about all answers, and connects to one of exactly those.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, Literal, TypeAlias
from urllib.parse import quote

from batchgen.errors import Blocked

Kind: TypeAlias = Literal["public", "private", "loopback", "forbidden"]

LONGEST_URL: Final = 8192

_URL: Final = re.compile(r"(?i:(https?))://([^/?#\\]*)([^#]*)(?:#.*)?", re.DOTALL)
_ODD: Final = re.compile(r"[\x00-\x20\x7f\\]")
_AUTHORITY: Final = re.compile(r"(\[[0-9a-fA-F:.]+\]|[0-9a-zA-Z](?:[0-9a-zA-Z._-]*[0-9a-zA-Z])?)(?::([0-9]{1,5}))?")
_NUMBER: Final = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+))*")
_PRINTABLE: Final = "".join(map(chr, range(0x21, 0x7F)))

_METADATA: Final = frozenset(
    map(ip_address, ("168.63.129.16", "100.100.100.200", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254"))
)
_PRIVATE_4: Final = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
_FORBIDDEN_4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",
            "169.254.0.0/16",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/3",
        ),
    )
)
_PRIVATE_6: Final = IPv6Network("fc00::/7")
_GLOBAL_6: Final = IPv6Network("2000::/3")
_FORBIDDEN_6: Final = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "3fff::/20")))
_NAT64: Final = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Policy:
    """How far pictures may be fetched beyond the public network; the default is not at all.

    `loopback`: the provider itself is on this machine, so http and loopback addresses are its own. `private_hosts`:
    names (lower case) that may lead into a private network; none may lead to link-local or metadata addresses.
    """

    loopback: bool = False
    private_hosts: frozenset[str] = frozenset()


PUBLIC: Final = Policy()


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that passed, in parts, so that nobody parses it again; `path` has the query, `kinds` where it may lead."""

    scheme: str
    host: str
    port: int
    path: str
    kinds: frozenset[Kind]


def check_url(url: str, policy: Policy = PUBLIC) -> Target:
    """Take a URL apart and judge its text.

    Raises:
        Blocked: not a URL that may be fetched; the message names the host at most, never path or query.
    """
    whole = _URL.fullmatch(url) if len(url) <= LONGEST_URL else None
    if whole is None or _ODD.search(url):
        raise Blocked("a picture was offered at something that is not a plain http(s) URL; it is not fetched")
    scheme, host, port, kinds = _place(whole[1].lower(), whole[2], policy)
    path = quote(whole[3], safe=_PRINTABLE, errors="replace")
    return Target(scheme, host, port, path if path.startswith("/") else f"/{path}", kinds)


@lru_cache(1024)
def _place(scheme: str, text: str, policy: Policy) -> tuple[str, str, int, frozenset[Kind]]:
    """Scheme, host, port and where they may lead; a batch has many pictures and few hosts."""
    authority = _AUTHORITY.fullmatch(text)
    if authority is None or not all(0 < len(label) < 64 for label in authority[1].split(".")):
        raise Blocked("a picture was offered at a URL with an odd host, or with a user name in it; it is not fetched")
    host = authority[1].strip("[]").lower()
    own = policy.loopback and is_loopback(host)
    port = int(authority[2] or (443 if scheme == "https" else 80))
    if scheme == "http" and not own:
        raise Blocked(f"a picture was offered over plain http at {host}; only https is fetched")
    if not 0 < port < 65536 or (port != 443 and not own and host not in policy.private_hosts):
        raise Blocked(f"a picture was offered at port {port} of {host}; only port 443 is fetched")
    return scheme, host, port, _kinds(scheme, host, policy)


def check_addresses(target: Target, addresses: Iterable[str]) -> tuple[str, ...]:
    """Judge where a name leads: every address must be allowed, not just one.

    Raises:
        Blocked: no address, or one that may not be asked.
    """
    found = tuple(dict.fromkeys(addresses))
    if not found or not all(allowed(each, target.kinds) for each in found):
        raise Blocked(f"{target.host} leads to an address that may not be asked for pictures; see private_hosts")
    return found


def check_literal(target: Target) -> None:
    """Judge a host that is an address in itself, for when somebody else (a proxy) resolves names.

    Raises:
        Blocked: it is one that may not be asked, or a number in a spelling that resolvers take for an address.
    """
    if ":" in target.host or _NUMBER.fullmatch(target.host):
        check_addresses(target, (target.host,))


def allowed(address: str, kinds: frozenset[Kind]) -> bool:
    """Whether an address in text form is of one of these kinds."""
    return kind(address) in kinds


@lru_cache(1024)
def kind(address: str) -> Kind:
    """Where an address leads; whatever is not understood is forbidden."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except (ValueError, AddressValueError):
        return "forbidden"
    return _kind_4(parsed) if isinstance(parsed, IPv4Address) else _kind_6(parsed)


def host_of(url: str) -> str:
    """The host in a URL's text, to tell hosts apart; empty for what is no plain URL. It judges nothing."""
    whole = _URL.fullmatch(url)
    return whole[2].lower() if whole is not None else ""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its text alone: localhost, a name below it, or a loopback address."""
    name = host.strip("[]").lower()
    return name == "localhost" or name.endswith(".localhost") or kind(name) == "loopback"


def _kinds(scheme: str, host: str, policy: Policy) -> frozenset[Kind]:
    if scheme == "http":
        return frozenset({"loopback"})
    kinds: set[Kind] = {"public"}
    if policy.loopback:
        kinds.add("loopback")
    if host in policy.private_hosts:
        kinds.add("private")
    return frozenset(kinds)


def _kind_4(address: IPv4Address) -> Kind:
    if address in _METADATA or any(address in network for network in _FORBIDDEN_4):
        return "forbidden"
    if address.is_loopback:
        return "loopback"
    return "private" if any(address in network for network in _PRIVATE_4) else "public"


def _kind_6(address: IPv6Address) -> Kind:
    if address.ipv4_mapped is not None:
        return _kind_4(address.ipv4_mapped)
    if address.is_loopback:
        return "loopback"
    carried = _carried(address)
    if carried:
        # a tunnel into anything but the public network is a disguise, also where the bare address would be allowed
        return "public" if all(_kind_4(each) == "public" for each in carried) else "forbidden"
    if address in _METADATA or any(address in network for network in _FORBIDDEN_6):
        return "forbidden"
    if address in _PRIVATE_6:
        return "private"
    return "public" if address in _GLOBAL_6 else "forbidden"


def _carried(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses inside a 6to4, Teredo or NAT64 address."""
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    if address in _NAT64:
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    return ()

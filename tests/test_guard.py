"""Which addresses may be asked: the known ways around such a guard, and laws over all addresses."""

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.errors import BadAsset
from batchgen.guard import PUBLIC, Policy, allowed, check_addresses, check_url, is_loopback, kind

PUBLIC_KINDS = frozenset({"public"})
HERE = Policy(loopback=True)
NAMED = Policy(private_hosts=frozenset({"minio.lan"}))

FORBIDDEN = """
0.0.0.0 0.1.2.3 169.254.169.254 169.254.0.1 168.63.129.16 100.100.100.200 192.0.0.192 192.0.2.1 198.18.0.1
198.51.100.7 203.0.113.9 192.88.99.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: fe80::1 fe80::1%eth0 fec0::1 ff02::1 fd00:ec2::254 fd00:ec2::23 fd20:ce::254 100::1 2001:db8::1 2001:2::1 2001:20::1
3fff::1 64:ff9b::a9fe:a9fe 64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b:1::1 2002:a9fe:a9fe::1 2002:7f00:1:: 2002:c0a8:1::
::ffff:169.254.169.254 ::ffff:0.0.0.0 ::127.0.0.1 ::8.8.8.8 2001:0:a9fe:a9fe:: 2001:0:808:808:0:0:5601:5601
5f00::1 4000::1 nonsense 1.2.3 1.2.3.4.5 0x7f000001
"""
PRIVATE = "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 fc00::1 fd12:3456::1 ::ffff:10.0.0.1"
OURS = "127.0.0.1 127.255.255.254 ::1 ::ffff:127.0.0.1"
OPEN = "1.1.1.1 8.8.8.8 172.32.0.1 100.128.0.1 2606:4700::1111 2a00::1 64:ff9b::808:808 2002:808:808::1"


@pytest.mark.parametrize("address", FORBIDDEN.split())
def test_forbidden_addresses_are_forbidden_to_everybody(address: str) -> None:
    """Link-local, metadata, reserved, multicast and disguised addresses are never asked, whatever the policy."""
    assert kind(address) == "forbidden"
    assert not allowed(address, frozenset({"public", "private", "loopback"}))


@pytest.mark.parametrize("address", PRIVATE.split())
def test_private_addresses_need_a_name(address: str) -> None:
    """Private networks are told from public ones."""
    assert kind(address) == "private"


@pytest.mark.parametrize("address", OURS.split())
def test_loopback_is_this_machine(address: str) -> None:
    """All of loopback is known, also written as a mapped address."""
    assert kind(address) == "loopback"
    assert is_loopback(address)


@pytest.mark.parametrize("address", OPEN.split())
def test_public_addresses_are_public(address: str) -> None:
    """Ordinary addresses are asked, also through translation to IPv6."""
    assert kind(address) == "public"


@given(st.ip_addresses(v=4))
def test_every_wrapping_of_an_address_is_as_strict(address: IPv4Address) -> None:
    """No way to write an IPv4 address into an IPv6 one makes it more allowed than it is."""
    bits = int(address)
    wrapped = [
        IPv6Address((0x2002 << 112) | (bits << 80)),
        IPv6Address((0x64FF9B << 96) | bits),
        IPv6Address((0x20010000 << 96) | (bits << 64) | (~0x08080808 & 0xFFFFFFFF)),
        IPv6Address((0x20010000 << 96) | (0x08080808 << 64) | (~bits & 0xFFFFFFFF)),
        IPv6Address(bits),
    ]
    mapped = kind(str(IPv6Address((0xFFFF << 32) | bits)))
    assert mapped == kind(str(address))
    for each in wrapped:
        assert kind(str(each)) in (
            {"public", "forbidden"} if kind(str(address)) == "public" else {"forbidden", "loopback"}
        )
    assert kind(str(wrapped[-1])) == ("loopback" if bits == 1 else "forbidden")


@given(st.ip_addresses())
def test_only_global_addresses_are_public(address: IPv4Address | IPv6Address) -> None:
    """Whatever is public here is global to the standard library too (NAT64 and 6to4 aside, which it knows less of)."""
    carriers = [ip_network("64:ff9b::/96"), ip_network("2002::/16")]
    if kind(str(address)) == "public" and not any(address in net for net in carriers if net.version == address.version):
        assert address.is_global
        assert not address.is_multicast


@pytest.mark.parametrize(
    "url",
    [
        "",
        "cdn.example/1.png",
        "//cdn.example/1.png",
        "file:///etc/passwd",
        "ftp://cdn.example/1",
        "gopher://cdn.example/",
        "data:image/png;base64,AA",
        "unix:///run/x",
        "http://cdn.example/1.png",
        "http://127.0.0.1/1.png",
        "https://",
        "https:///1.png",
        "https://user@cdn.example/",
        "https://user:pw@cdn.example/",
        "https://cdn.example@127.0.0.1/",
        "https://cdn.example\\@127.0.0.1/",
        "https://cdn.example\\.evil/",
        "https://cdn.exa\tmple/",
        "https://cdn.example/\r\nHost: x",
        "https://cdn.example/a b",
        " https://cdn.example/",
        "https://cdn.example:22/",
        "https://cdn.example:80/",
        "https://cdn.example:0/",
        "https://cdn.example:65536/",
        "https://cdn.example:/",
        "https://cdn.example:443x/",
        "https://cdn..example/",
        "https://-cdn.example/",
        "https://cdn.example./",
        "https://cd\u0438.example/",
        "https://\u24d4xample.com/",
        "https://cdn%2eexample/",
        "https://[::1/",
        "https://[cdn.example]/",
        "https://" + "a" * 64 + ".example/",
        "https://cdn.example/" + "a" * 9000,
        "https://cdn.example/\x00",
        "https://cdn.example/\x7f",
    ],
)
def test_odd_urls_are_refused(url: str) -> None:
    """Schemes, user names, ports, characters and hosts that have no business in a result URL are refused."""
    with pytest.raises(BadAsset):
        check_url(url)


def test_a_plain_url_is_taken_apart() -> None:
    """Host in lower case, port, path with query; a fragment is dropped and other scripts are quoted."""
    target = check_url("HTTPS://CDN.Example:443/a/\u732b.png?X=1&y=%20#frag")
    assert (target.scheme, target.host, target.port) == ("https", "cdn.example", 443)
    assert target.path == "/a/%E7%8C%AB.png?X=1&y=%20"
    assert target.kinds == PUBLIC_KINDS
    assert check_url("https://cdn.example?x=1").path == "/?x=1"
    assert check_url("https://[2606:4700::1111]/x").host == "2606:4700::1111"


def test_a_provider_on_loopback_may_hand_out_its_own() -> None:
    """With a loopback provider http and any port of loopback are fetched; http elsewhere still is not."""
    target = check_url("http://127.0.0.1:8080/x", HERE)
    assert (target.port, target.kinds) == (8080, frozenset({"loopback"}))
    assert check_url("http://localhost/x", HERE).port == 80
    assert check_url("https://cdn.example/x", HERE).kinds == frozenset({"public", "loopback"})
    for url in ("http://cdn.example/x", "https://cdn.example:8443/x", "http://10.0.0.1/x"):
        with pytest.raises(BadAsset):
            check_url(url, HERE)


def test_named_private_hosts_may_be_asked() -> None:
    """A host that the policy names may lead into a private network, on any port, over https alone."""
    target = check_url("https://MinIO.lan:9000/x", NAMED)
    assert target.kinds == frozenset({"public", "private"})
    assert check_addresses(target, ["10.0.0.1"]) == ("10.0.0.1",)
    for address in ("169.254.169.254", "127.0.0.1", "fd00:ec2::254", "100.100.100.200"):
        with pytest.raises(BadAsset):
            check_addresses(target, [address])
    with pytest.raises(BadAsset):
        check_url("http://minio.lan/x", NAMED)
    assert check_url("https://other.lan/x", NAMED).kinds == PUBLIC_KINDS


def test_every_answer_of_a_resolver_must_be_allowed() -> None:
    """One bad address among good ones refuses them all, and so does none."""
    target = check_url("https://cdn.example/x")
    assert check_addresses(target, ["1.1.1.1", "8.8.8.8", "1.1.1.1"]) == ("1.1.1.1", "8.8.8.8")
    for addresses in ([], ["1.1.1.1", "10.0.0.1"], ["127.0.0.1"], ["::1", "1.1.1.1"]):
        with pytest.raises(BadAsset, match=r"cdn\.example"):
            check_addresses(target, addresses)


@given(st.text(max_size=60) | st.from_regex(r"https?://[a-z0-9@:.\[\]\\/?#%-]{0,30}", fullmatch=True))
def test_whatever_passes_is_plain(url: str) -> None:
    """No text makes the guard crash, and what it lets pass has a plain host, a port and a printable path."""
    try:
        target = check_url(url, PUBLIC)
    except BadAsset:
        return
    assert (target.scheme, target.port) == ("https", 443)
    assert target.host.isascii()
    assert not set(target.host) & set("@/\\?# ")
    assert target.path.startswith("/")
    assert target.path.isascii()
    assert target.path.isprintable()


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "a.localhost", "[::1]", "127.1.2.3"])
def test_hosts_of_this_machine(host: str) -> None:
    """Names and addresses of this machine are known by their text."""
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "localhost.example", "notlocalhost", "10.0.0.1", "::2", "128.0.0.1"])
def test_hosts_elsewhere(host: str) -> None:
    """What only looks like this machine is not taken for it."""
    assert not is_loopback(host)

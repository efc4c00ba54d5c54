"""Whom the pictures are bought from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.manifest.provider import (
    KeyFromEnvironment,
    KeyFromFile,
    Local,
    Remote,
    alias,
    base_url,
    key_source,
    named,
    private_host,
)
from batchgen.terms import XENODIA


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://api.xenodia.xyz", "https://api.xenodia.xyz"),
        ("https://api.xenodia.xyz/", "https://api.xenodia.xyz"),
        ("https://api.xenodia.xyz/v1", "https://api.xenodia.xyz"),
        ("https://API.Xenodia.xyz/v1/", "https://api.xenodia.xyz"),
        ("https://h:443/images/v1", "https://h/images"),
        ("https://h:8443/images//", "https://h:8443/images"),
        ("http://localhost:8787", "http://localhost:8787"),
        ("http://127.0.0.9:80/v1", "http://127.0.0.9"),
        ("http://[::1]:8787/", "http://[::1]:8787"),
        ("HTTPS://h", "https://h"),
    ],
)
def test_base_urls_are_normalised(text: str, url: str) -> None:
    """A slash at the end, `/v1`, the default port and capitals make no other server; doing it twice changes nothing."""
    assert base_url(text) == url
    assert base_url(url) == url


@pytest.mark.parametrize(
    "text",
    [
        *("", "h", "//h", "https://", "ftp://h", "http://example.com", "http://10.0.0.1", "http://localhost.evil.com"),
        *("https://u@h", "https://u:p@h", "https://h?a", "https://h/?", "https://h#", "https://h:0", "https://h:99999"),
        *(
            "https://h h",
            "https://h\\x",
            "https://h/%2e",
            "https://\u00e9.com",
            "https://[::1",
            "https://h/\n",
            "https://-h",
        ),
    ],
)
def test_what_is_no_base_url(text: str) -> None:
    """Anything else is refused, and the sentence does not repeat it."""
    with pytest.raises(ValueError, match=r"URL|https") as caught:
        base_url(text)
    assert len(text) < 9 or text not in str(caught.value)


@given(st.text())
def test_any_text_is_a_base_url_or_refused(text: str) -> None:
    """No text makes it fail in another way."""
    try:
        url = base_url(text)
    except ValueError:
        return
    assert base_url(url) == url


def test_keys_are_named_by_their_place() -> None:
    """A variable or a file is named; a relative file is kept as it is written."""
    assert key_source("env:MY_KEY") == KeyFromEnvironment("MY_KEY")
    assert key_source("file:secrets/key") == KeyFromFile("secrets/key")


@pytest.mark.parametrize(
    "text", ["sk_xeno_0123", "env:", "env:1A", "env:A B", "env", "file:", "file: ", "vault:x", "ENV:A", ""]
)
def test_a_key_itself_is_refused_without_being_shown(text: str) -> None:
    """Whatever is no place is taken for a key and does not appear in the message."""
    with pytest.raises(ValueError, match="a key never stands in a manifest") as caught:
        key_source(text)
    assert "sk_xeno_0123" not in str(caught.value)


def test_the_command_line_names_a_provider() -> None:
    """`local` is the gateway; a URL is a server that promises nothing."""
    assert named("local") == Local()
    assert named("https://h/v1") == Remote("https://h")
    assert Remote("https://h").profile == XENODIA
    with pytest.raises(ValueError, match="absolute"):
        named("remote")


def test_aliases_and_hosts() -> None:
    """Earlier addresses are compared in one form; private hosts are bare names."""
    assert alias("https://old.example.com/v1/") == "https://old.example.com"
    assert alias("local") == "local"
    assert private_host("NAS.lan") == "nas.lan"
    assert private_host("fd00::1") == "fd00::1"

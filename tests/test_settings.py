"""The surroundings: where a credential comes from, and that it is never told."""

from pathlib import Path

import pytest

from batchgen.errors import SettingsError
from batchgen.settings import TRANSPORT, credential, surroundings


def test_the_built_in_places(tmp_path: Path) -> None:
    """Without a source the key stands in XENODIA_API_KEY, else in the file that XENODIA_API_KEY_FILE names."""
    (tmp_path / "key").write_text("from-file\n")
    assert credential(None, tmp_path, {"XENODIA_API_KEY": " from-env\n"}) == "from-env"
    assert credential(None, tmp_path, {"XENODIA_API_KEY_FILE": str(tmp_path / "key")}) == "from-file"
    both = {"XENODIA_API_KEY": "from-env", "XENODIA_API_KEY_FILE": str(tmp_path / "key")}
    assert credential(None, tmp_path, both) == "from-env"


def test_a_named_place(tmp_path: Path) -> None:
    """env:NAME and file:PATH are read where they say, a file from the manifest's folder."""
    (tmp_path / "key").write_text("from-file\n")
    assert credential("env:MINE", tmp_path, {"MINE": "mine"}) == "mine"
    assert credential("file:key", tmp_path, {}) == "from-file"


@pytest.mark.parametrize("value", ["", "  \n", "two words", "naïve", "tab\tbed", "line\nbreak"])
def test_what_cannot_be_a_key(value: str, tmp_path: Path) -> None:
    """An empty or impossible key is refused by its place, and is not repeated."""
    with pytest.raises(SettingsError) as refused:
        credential("env:MINE", tmp_path, {"MINE": value})
    assert "MINE" in str(refused.value)
    assert not value.strip() or value not in str(refused.value)


def test_unreadable_places(tmp_path: Path) -> None:
    """A file that is missing or no text, and a source of no known kind, are named."""
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for source in ("file:nowhere", "file:binary", "vault:x"):
        with pytest.raises(SettingsError):
            credential(source, tmp_path, {})


def test_proxies_and_certificates(tmp_path: Path) -> None:
    """Proxies, their exceptions and a certificate file are read, lower case winning over upper case."""
    (tmp_path / "ca.pem").write_text("x")
    around = surroundings(
        {
            "HTTPS_PROXY": "http://upper",
            "https_proxy": "http://lower",
            "ALL_PROXY": "http://all",
            "HTTP_PROXY": "",
            "NO_PROXY": "a.example, .b.example,",
            "SSL_CERT_FILE": str(tmp_path / "ca.pem"),
        }
    )
    assert around.proxies == {"https": "http://lower", "all": "http://all"}
    assert around.no_proxy == ("a.example", ".b.example")
    assert around.ca_file == str(tmp_path / "ca.pem")


def test_a_missing_certificate_file() -> None:
    """A certificate file that is not there is an error of its own, not a later failure of TLS."""
    with pytest.raises(SettingsError, match="SSL_CERT_FILE"):
        surroundings({"SSL_CERT_FILE": "/nowhere/ca.pem"})


@pytest.mark.parametrize(("named", "taken"), [("own", "own"), (" Stock ", "stock"), ("", TRANSPORT)])
def test_a_transport_may_be_chosen(named: str, taken: str) -> None:
    """Calls are carried by the transport that the environment names."""
    assert surroundings({"BATCHGEN_TRANSPORT": named}).transport == taken
    assert surroundings({}).transport == TRANSPORT


def test_an_unknown_transport() -> None:
    """A transport that does not exist is not silently another one."""
    with pytest.raises(SettingsError, match="own or stock"):
        surroundings({"BATCHGEN_TRANSPORT": "carrier pigeon"})

"""References."""

import hashlib
import os
from pathlib import Path

import pytest

from batchgen.errors import Unfinished
from batchgen.job import FileReference, UrlReference
from batchgen.manifest.provider import Local, Remote
from batchgen.manifest.references import LARGEST, References, read_reference
from tests.manifest.writing import PNG, write

JPEG = b"\xff\xd8\xff\xe0" + bytes(20)
WEBP = b"RIFF\x18\0\0\0WEBPVP8L" + bytes(16)


@pytest.mark.parametrize(("data", "media_type"), [(PNG, "image/png"), (JPEG, "image/jpeg"), (WEBP, "image/webp")])
def test_files_are_known_by_their_bytes(tmp_path: Path, data: bytes, media_type: str) -> None:
    """The kind follows from the bytes, whatever the name says; hash and size are those of the file."""
    write(tmp_path, data, "refs/a.gif")
    reference = References(tmp_path, Remote()).reference("./refs//a.gif")
    assert reference == FileReference("refs/a.gif", hashlib.sha256(data).hexdigest(), len(data), media_type)


def test_the_size_limit_is_exact(tmp_path: Path) -> None:
    """30 MiB are taken, one byte more is not."""
    write(tmp_path, PNG.ljust(LARGEST, b"x"), "a.png")
    write(tmp_path, PNG.ljust(LARGEST + 1, b"x"), "b.png")
    references = References(tmp_path, Remote())
    assert isinstance(references.reference("a.png"), FileReference)
    with pytest.raises(ValueError, match="more than 30 MiB"):
        references.reference("b.png")


def test_files_are_opened_once(tmp_path: Path) -> None:
    """A picture that is gone after the first look is still known, and one that was missing stays missing."""
    path = write(tmp_path, PNG, "a.png")
    references = References(tmp_path, Remote())
    first = references.reference("a.png")
    with pytest.raises(ValueError, match="does not exist"):
        references.reference("b.png")
    path.rename(tmp_path / "b.png")
    assert references.reference("a.png") is first
    with pytest.raises(ValueError, match="does not exist"):
        references.reference("b.png")


def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    """However a look at a file ends, it is closed."""
    write(tmp_path, PNG, "a.png")
    (tmp_path / "folder").mkdir()
    before = os.listdir("/proc/self/fd")
    References(tmp_path, Remote()).reference("a.png")
    with pytest.raises(ValueError, match="is a folder"):
        References(tmp_path, Remote()).reference("folder")
    assert os.listdir("/proc/self/fd") == before


def test_links_are_followed_inside(tmp_path: Path) -> None:
    """A link that ends inside the folder is that picture, also through a folder that is itself a link."""
    write(tmp_path, PNG, "real/deep/a.png")
    (tmp_path / "link.png").symlink_to("real/deep/a.png")
    (tmp_path.parent / f"{tmp_path.name}-link").symlink_to(tmp_path)
    for root in (tmp_path, tmp_path.parent / f"{tmp_path.name}-link"):
        found = References(root, Remote()).reference("link.png")
        assert isinstance(found, FileReference)
        assert read_reference(root, found) == PNG


def test_linked_folders_do_not_lead_out(tmp_path: Path) -> None:
    """A folder that is a link to elsewhere opens nothing."""
    write(tmp_path, PNG, "out/a.png")
    (tmp_path / "work").mkdir()
    (tmp_path / "work/refs").symlink_to(tmp_path / "out")
    with pytest.raises(ValueError, match="ends outside"):
        References(tmp_path / "work", Remote()).reference("refs/a.png")


def test_urls_are_passed_on() -> None:
    """A public URL is a reference as it is."""
    references = References(Path("/nowhere"), Remote())
    url = "https://example.com/a%20b.png?w=1&h=2#x"
    assert references.reference(url) == UrlReference(url)
    assert references.signed_urls == {}


def test_signatures_are_kept_aside() -> None:
    """What is stored lacks the signature; the whole URL is kept for sending, the first one seen."""
    references = References(Path("/nowhere"), Remote())
    bare = UrlReference("https://example.com/a.png?w=1", signed=True)
    assert references.reference("https://example.com/a.png?w=1&Signature=one&Expires=5") == bare
    assert references.reference("https://example.com/a.png?w=1&Signature=two") == bare
    assert references.signed_urls == {bare.url: "https://example.com/a.png?w=1&Signature=one&Expires=5"}


def test_a_local_provider_reaches_this_machine() -> None:
    """A loopback address is of use to a provider on this machine only."""
    url = "http://127.0.0.1:9/x.png"
    for provider in (Local(), Remote("http://localhost:8787")):
        assert References(Path("/nowhere"), provider).reference(url) == UrlReference(url)
    for private in (url, "http://192.168.1.2/x", "http://[::1]/x", "http://169.254.169.254/x"):
        with pytest.raises(ValueError, match="cannot fetch from this address"):
            References(Path("/nowhere"), Remote()).reference(private)


@pytest.mark.parametrize(
    "url", ["https://u:SECRET@h/x", "https://h/x y?sig=SECRET", "http://10.0.0.1/?sig=SECRET", "https://[h/?sig=SECRET"]
)
def test_no_message_holds_a_query(url: str) -> None:
    """A refused URL's secrets are not repeated."""
    with pytest.raises(ValueError, match=r"URL|address") as caught:
        References(Path("/nowhere"), Remote()).reference(url)
    assert "SECRET" not in str(caught.value)


def test_sending_needs_the_planned_bytes(tmp_path: Path) -> None:
    """A file that changed or went after planning leaves the job for the next run."""
    path = write(tmp_path, PNG, "a.png")
    reference = References(tmp_path, Remote()).reference("a.png")
    assert isinstance(reference, FileReference)
    assert read_reference(tmp_path, reference) == PNG
    path.write_bytes(PNG + b"x")
    with pytest.raises(Unfinished, match=r"`a.png` has changed since it was planned; run again"):
        read_reference(tmp_path, reference)
    path.unlink()
    with pytest.raises(Unfinished, match=r"`a.png` does not exist; run again"):
        read_reference(tmp_path, reference)

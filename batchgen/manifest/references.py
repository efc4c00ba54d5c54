"""Reference pictures: files are checked and hashed once each, URLs are passed on and never fetched here."""

import hashlib
import ipaddress
import os
import re
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Final, Self, TypeAlias
from urllib.parse import urlsplit

from batchgen.errors import Unfinished
from batchgen.guard import is_loopback
from batchgen.job import FileReference, Reference, UrlReference, without_signature
from batchgen.manifest.files import contents, matching, pieces
from batchgen.manifest.provider import Provider, Remote
from batchgen.picture import describe, sniff

LARGEST: Final = 30 * 1024 * 1024
"""Bytes of a reference picture; the provider's own limit."""

MOST_MATCHES: Final = 1000
"""Files that one pattern may mean."""

SIDE_BY_SIDE: Final = 8
"""Files that are looked at at one time."""

_REMEMBERED: Final = 20_000
_REMEMBERED_PATTERNS: Final = 100
_HEAD: Final = 256 * 1024
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?!\\|/(?!/))")
_LONGEST_URL: Final = 8192

Look: TypeAlias = Callable[[Path, str], FileReference]


class References:
    """The references of one expansion. What it learnt of a text lately, good or bad, it says again without looking.

    Files that were announced by `begin` are looked at side by side, each once, while other work goes on; a context
    manager, which ends that. `look` makes the reference of a file, or raises ValueError with a sentence.
    """

    def __init__(self, root: Path, provider: Provider, look: Look | None = None) -> None:
        self.signed_urls: dict[str, str] = {}
        """By its bare URL, the whole one of every signed reference that is remembered."""
        self._root = root
        self._far = isinstance(provider, Remote) and not is_loopback(urlsplit(provider.base_url).hostname or "")
        self._known: dict[str, Reference | str] = {}
        self._matches: dict[str, list[str]] = {}
        self._coming: dict[str, Future[Reference | str]] = {}
        self._threads = ThreadPoolExecutor(SIDE_BY_SIDE, "reference")
        self._file = look or look_at

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(cancel_futures=True)

    def begin(self, texts: Iterable[str]) -> None:
        """Announce texts that will be asked for; files among them are looked at from now on."""
        for text in texts:
            if text not in self._known and text not in self._coming and not _SCHEME.match(text):
                self._coming[text] = self._threads.submit(self._look, text)

    def reference(self, text: str) -> Reference:
        """The reference that a text stands for. ValueError with a sentence; no URL's query is in it."""
        found = self._known.get(text)
        if found is None:
            coming = self._coming.pop(text, None)
            found = self._known[text] = self._look(text) if coming is None else coming.result()
        if isinstance(found, str):
            raise ValueError(found)  # noqa: TRY004  # a sentence in the place of a reference
        return found

    def forget(self) -> None:
        """Let go of what was learnt, once it is much."""
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
            self.signed_urls.clear()
        if len(self._coming) >= _REMEMBERED:
            self._coming.clear()
        if len(self._matches) >= _REMEMBERED_PATTERNS:
            self._matches.clear()

    def signed(self, found: Iterable[Reference]) -> dict[str, str]:
        """By its bare URL, the whole one of every signed reference among these."""
        bare = (each.url for each in found if isinstance(each, UrlReference) and each.signed)
        return {url: self.signed_urls[url] for url in bare}

    def exists(self, text: str) -> bool:
        """Whether a reference is there at all, good or bad; a URL always is."""
        return bool(_SCHEME.match(text)) or os.path.lexists(self._root / text)

    def matching(self, pattern: str) -> list[str]:
        """The files below the root that fit a pattern, by name. ValueError with a sentence."""
        names = self._matches.get(pattern)
        if names is None:
            names = self._matches[pattern] = matching(self._root, pattern, most=MOST_MATCHES)
        if len(names) > MOST_MATCHES:
            raise ValueError(f"more than {MOST_MATCHES:,} files fit `{pattern}`")
        return names

    def _look(self, text: str) -> Reference | str:
        try:
            return self._url(text) if _SCHEME.match(text) else self._file(self._root, text)
        except ValueError as error:
            return str(error)

    def _url(self, text: str) -> UrlReference:
        host = _checked_host(text)
        if self._far and not _is_public(host):
            raise ValueError("the provider cannot fetch from this address; write a public URL, or a file")
        bare = without_signature(text)
        if bare != text:
            self.signed_urls.setdefault(bare, text)
        return UrlReference(bare, signed=bare != text)


def read_reference(root: Path, reference: FileReference) -> bytes:
    """The bytes of a reference as it was planned, for sending.

    Raises:
        Unfinished: it is no longer what was planned; the next run plans it again.
    """
    again = "run again, and it is planned as it is now"
    try:
        data = contents(root, reference.path, most=LARGEST)
    except ValueError as error:
        raise Unfinished(f"{error}; {again}") from None
    if hashlib.sha256(data).hexdigest() != reference.sha256:
        raise Unfinished(f"`{reference.path}` has changed since it was planned; {again}")
    return data


def look_at(root: Path, text: str) -> FileReference:
    """Open, sniff, measure and hash a file, without holding all of it. ValueError with a sentence."""
    whole, head, size = hashlib.sha256(), b"", 0
    for piece in pieces(root, text):
        head = head or piece[:_HEAD]
        whole.update(piece)
        size += len(piece)
        if size > LARGEST:
            raise ValueError(f"`{text}` has more than 30 MiB")
    picture = sniff(head)
    if picture is None:
        raise ValueError(f"`{text}` is no jpeg, png or webp picture; it is {describe(head)}")
    return FileReference(PurePosixPath(text).as_posix(), whole.hexdigest(), size, picture.media_type)


def _checked_host(text: str) -> str:
    if re.match(r"(?i)https?://", text) is None:
        raise ValueError(f"a reference is a file or an http(s) URL; `{text.partition(':')[0]}:` is neither")
    if len(text) > _LONGEST_URL or "\\" in text or " " in text or not text.isprintable():
        raise ValueError(f"a URL holds no spaces, backslashes or control characters, and {_LONGEST_URL:,} at most")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("this is no URL; write https://host/path") from None
    if "@" in parts.netloc:
        raise ValueError("a URL holds no user or password")
    if not host:
        raise ValueError("this URL names no host")
    return host


def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return not is_loopback(host)

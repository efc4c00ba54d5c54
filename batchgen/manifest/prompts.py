"""Prompts, from a manifest or from text files, as they are sent and hashed."""

import hashlib
from pathlib import Path
from typing import Final

from batchgen.manifest.files import contents
from batchgen.manifest.schema import PromptFile

LARGEST: Final = 1024 * 1024
"""Bytes of a prompt file."""


class Prompts:
    """The prompts of one expansion; each file is read once."""

    def __init__(self, root: Path) -> None:
        self.files: dict[str, str] = {}
        """By path, the sha256 of the bytes."""
        self._root = root
        self._texts: dict[str, str] = {}

    def text(self, prompt: str | PromptFile) -> str:
        """A prompt with line feeds between its lines and none at its end. ValueError with a sentence."""
        text = prompt if isinstance(prompt, str) else self._read(prompt.file)
        text = text.replace("\r\n", "\n").rstrip("\r\n")
        if not text.strip():
            raise ValueError("the prompt is empty" if isinstance(prompt, str) else f"`{prompt.file}` is empty")
        return text

    def _read(self, path: str) -> str:
        if path not in self._texts:
            raw = contents(self._root, path, most=LARGEST)
            if len(raw) > LARGEST:
                raise ValueError(f"`{path}` has more than 1 MiB")
            self._texts[path] = _decoded(raw, path)
            self.files[path] = hashlib.sha256(raw).hexdigest()
        return self._texts[path]


def _decoded(raw: bytes, path: str) -> str:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ValueError(f"`{path}` is not UTF-8: byte 0x{raw[error.start]:02x} on its line {line}") from None
    if "\0" in text:
        raise ValueError(f"`{path}` holds a NUL character; it is no text")
    return text

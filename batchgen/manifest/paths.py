"""Where a picture goes: from the `output.path` of a manifest to names that are safe on every system."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

COMPONENT: Final = 200
"""Bytes of one part of a path, in UTF-8; what is longer is cut and told apart by a hash."""
WHOLE: Final = 1024
EXTENSIONS: Final = (".png", ".jpg", ".jpeg", ".webp")

_EXTENSION: Final = re.compile(r"\.\{\{\s*ext\s*\}\}\Z")
_FIELD: Final = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_UNSAFE: Final = re.compile(r'[<>:"|?*\\]')
_DEVICE: Final = re.compile(r"(?i)(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[1-9¹²³])\s*(?=\.|$)")
_DEVICES: Final = re.compile(r"(?:^|/)(?i:con|prn|aux|nul|com|lpt)")
_HARMLESS: Final = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?(?:/|\Z))+(?<!/)", re.ASCII)
"""Paths of which every part is safe as it stands, as far as devices are concerned with."""
_RESERVED: Final = {"report.json", "report.html", "report_files"}


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """`output.path` without its extension, not yet held against the names that it uses."""

    text: str


def template(text: str) -> PathTemplate:
    """The template of `output.path`. ValueError with a sentence."""
    ending = _EXTENSION.search(text)
    if not ending:
        raise ValueError("a path ends in .{{ ext }}: png, jpg or webp, whatever the picture is")
    parts = _FIELD.split(text[: ending.start()])
    if any(part.strip() == "ext" for part in parts[1::2]):
        raise ValueError("{{ ext }} stands only at the end of a path")
    for literal in parts[::2]:
        _check_literal(literal)
    bare = "".join(part if index % 2 == 0 else "x" for index, part in enumerate(parts))
    if any(part in {"", ".", ".."} for part in bare.split("/")):
        raise ValueError("a path stays inside the batch folder: no `/` in front, no empty, `.` or `..` part")
    return PathTemplate(text[: ending.start()])


def _check_literal(text: str) -> None:
    if any(mark in text for mark in ("{{", "}}", "{%", "{#")):
        raise ValueError("a path holds texts and {{ fields }}; other template marks have no place in it")
    if "\\" in text or text.startswith("~") or any(unicodedata.category(char)[0] == "C" for char in text):
        raise ValueError("a path is written with `/`, without `~`, backslashes or control characters")


def filed(text: str) -> str:
    """The path of one job, without extension, every part of it safe. ValueError with a sentence."""
    if _HARMLESS.fullmatch(text) and len(text) <= COMPONENT and not _DEVICES.search(text):
        return _checked(text)
    parts = text.split("/")
    if "" in parts:
        raise ValueError("its path has an empty part between slashes")
    return _checked("/".join(safe(part) for part in parts))


def safe(component: str) -> str:
    """One part of a path, NFC, harmless on every file system, at most COMPONENT bytes; the same for the same text."""
    text = unicodedata.normalize("NFC", component)
    text = "".join("_" if _is_unsafe(char) else char for char in text)
    if text.startswith(("-", " ", "~")):
        text = "_" + text[1:]
    text = text.rstrip(". ") + "_" * (len(text) - len(text.rstrip(". ")))
    if _DEVICE.match(text):
        text = "_" + text
    raw = text.encode()
    if len(raw) <= COMPONENT:
        return text
    digest = hashlib.sha256(unicodedata.normalize("NFC", component).encode()).hexdigest()[:8]
    return raw[: COMPONENT - 9].decode(errors="ignore").rstrip(". ") + "-" + digest


def key(path: str) -> str:
    """What two paths have in common when some file system takes them for one."""
    return unicodedata.normalize("NFC", path.casefold())


def _is_unsafe(char: str) -> bool:
    return bool(_UNSAFE.match(char)) or unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def _checked(path: str) -> str:
    parts = key(path).split("/")
    if any(part.startswith(".batchgen") for part in parts) or parts[0] in _RESERVED:
        raise ValueError("its path is one of batchgen's own: .batchgen, report.json, report.html, report_files")
    if len(path.encode()) > WHOLE:
        raise ValueError(f"its path has more than {WHOLE} bytes")
    return path

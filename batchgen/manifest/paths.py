"""Where a picture goes: from the `output.path` of a manifest to names that are safe on every system."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from batchgen.manifest.problems import one_edit_away

COMPONENT: Final = 200
"""Bytes of one part of a path, in UTF-8; what is longer is cut and told apart by a hash."""
WHOLE: Final = 1024
EXTENSIONS: Final = (".png", ".jpg", ".jpeg", ".webp")

_EXTENSION: Final = re.compile(r"\.\{\{\s*ext\s*\}\}\Z")
_FIELD: Final = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_NAMES: Final = ("id", "prompt", "model")
_UNSAFE: Final = re.compile(r'[<>:"|?*\\]')
_DEVICE: Final = re.compile(r"(?i)(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[1-9¹²³])\s*(?=\.|$)")
_RESERVED: Final = {"report.json", "report.html", "report_files"}


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """`output.path` taken apart, without its extension: texts and, at odd places, names of fields."""

    parts: tuple[str, ...]

    @property
    def names(self) -> frozenset[str]:
        """The fields that it uses."""
        return frozenset(self.parts[1::2])

    def filled(self, values: Mapping[str, str]) -> str:
        """The path of one job, without extension, every part of it safe. ValueError with a sentence.

        Slashes in an id make folders; in other values they are replaced.
        """
        texts = (_value(part, values) if index % 2 else part for index, part in enumerate(self.parts))
        return _checked("/".join(safe(component) for component in "".join(texts).split("/")))


def template(text: str) -> PathTemplate:
    """The template of `output.path`. ValueError with a sentence."""
    ending = _EXTENSION.search(text)
    if not ending:
        raise ValueError("a path ends in .{{ ext }}: png, jpg or webp, whatever the picture is")
    parts = _FIELD.split(text[: ending.start()])
    for name in parts[1::2]:
        _check_field(name.strip())
    for literal in parts[::2]:
        _check_literal(literal)
    bare = "".join(part if index % 2 == 0 else "x" for index, part in enumerate(parts))
    if any(part in {"", ".", ".."} for part in bare.split("/")):
        raise ValueError("a path stays inside the batch folder: no `/` in front, no empty, `.` or `..` part")
    return PathTemplate(tuple(part.strip() if index % 2 else part for index, part in enumerate(parts)))


def _check_field(name: str) -> None:
    if name in _NAMES:
        return
    if name == "ext":
        raise ValueError("{{ ext }} stands only at the end of a path")
    if not name.isidentifier():
        raise ValueError("a path knows {{ id }}, {{ prompt }}, {{ model }}; filters and slices are not yet supported")
    near = one_edit_away(name, (*_NAMES, "ext"))
    known = (
        f"did you mean {{{{ {near} }}}}?"
        if near
        else "it knows {{ id }}, {{ prompt }}, {{ model }}; columns are not yet supported"
    )
    raise ValueError(f"a path does not know {{{{ {name} }}}}; {known}")


def _check_literal(text: str) -> None:
    if any(mark in text for mark in ("{{", "}}", "{%", "{#")):
        raise ValueError("a path holds {{ id }}, {{ prompt }}, {{ model }}; other template marks are not yet supported")
    if "\\" in text or text.startswith("~") or any(unicodedata.category(char)[0] == "C" for char in text):
        raise ValueError("a path is written with `/`, without `~`, backslashes or control characters")


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


def _value(name: str, values: Mapping[str, str]) -> str:
    return values[name] if name == "id" else values[name].replace("/", "_")


def _is_unsafe(char: str) -> bool:
    return bool(_UNSAFE.match(char)) or unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def _checked(path: str) -> str:
    parts = key(path).split("/")
    if any(part.startswith(".batchgen") for part in parts) or parts[0] in _RESERVED:
        raise ValueError("its path is one of batchgen's own: .batchgen, report.json, report.html, report_files")
    if len(path.encode()) > WHOLE:
        raise ValueError(f"its path has more than {WHOLE} bytes")
    return path

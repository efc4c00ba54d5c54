"""Contact sheets: thumbnails in rows with their names below, on as many PNG pages as it takes."""

import contextlib
import io
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Final

from batchgen.report.plain import visible
from batchgen.report.thumbnails import Thumbnail

if TYPE_CHECKING:
    from PIL import ImageFont
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

ACROSS: Final = 8
DOWN: Final = 8
"""Pictures on a page; the last page is as high as it needs."""

_CELL: Final = 240
_GAP: Final = 16
_CAPTION: Final = 30
_POINTS: Final = 15
_PAPER: Final = (250, 249, 247)
_INK: Final = (40, 40, 42)
_FAINT: Final = (224, 223, 219)
_FONTS: Final = (
    "NotoSans-Regular.ttf",
    "DejaVuSans.ttf",
    "LiberationSans-Regular.ttf",
    "Arial Unicode.ttf",
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "wqy-microhei.ttc",
    "NotoSansArabic-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "NotoSansThai-Regular.ttf",
    "NotoSansHebrew-Regular.ttf",
)
"""Fonts to look for on this machine; a caption takes the first that has all its letters, or else most of them."""

_NOWHERE: Final = "\U0010ffff"
"""A code point that no font has."""


@dataclass(frozen=True, slots=True)
class Print:
    """One picture of a sheet with the words below it."""

    caption: str
    thumbnail: Thumbnail


def write_sheets(target: str, prints: Iterable[Print]) -> list[str]:
    """Write pages as `target`, or, when there are several, as `target` with -1, -2 and so on before its ending.

    Each is whole under its name or not there. Returns their names.

    Raises:
        OSError: the place could not be written.
    """
    stem, extension = os.path.splitext(target)
    names: list[str] = []
    waiting = _pages(prints)
    page = next(waiting, [])
    following = next(waiting, None)
    if following is None:
        _write(target, page)
        return [target]
    while page:
        names.append(f"{stem}-{len(names) + 1}{extension}")
        _write(names[-1], page)
        page, following = following or [], next(waiting, None)
    return names


def _pages(prints: Iterable[Print]) -> Iterator[list[Print]]:
    rest = iter(prints)
    while page := list(islice(rest, ACROSS * DOWN)):
        yield page


def _write(name: str, page: list[Print]) -> None:
    part = f"{name}.{secrets.token_hex(4)}.part"
    try:
        with open(part, "xb") as file:
            sheet(page).save(file, "PNG", compress_level=4)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, name)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)


def sheet(page: list[Print]) -> "Image":
    """One page."""
    from PIL import Image, ImageDraw  # noqa: PLC0415 - heavy, and only wanted here

    across = min(ACROSS, max(1, len(page)))
    down = max(1, -(-len(page) // ACROSS))
    size = (_GAP + across * (_CELL + _GAP), _GAP + down * (_CELL + _CAPTION + _GAP))
    whole = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(whole)
    for place, each in enumerate(page):
        left = _GAP + place % ACROSS * (_CELL + _GAP)
        top = _GAP + place // ACROSS * (_CELL + _CAPTION + _GAP)
        if each.thumbnail.problem:
            draw.rectangle((left, top, left + _CELL - 1, top + _CELL - 1), outline=_FAINT, width=2)
        else:
            with Image.open(io.BytesIO(each.thumbnail.data), formats=("JPEG",)) as small:
                small.thumbnail((_CELL, _CELL))
                whole.paste(small, (left + (_CELL - small.width) // 2, top + (_CELL - small.height) // 2))
        text = visible(each.caption)
        font = _font(text)
        draw.text((left, top + _CELL + 6), _cut(text, font), _INK, font)
    return whole


def _cut(text: str, font: "FreeTypeFont | ImageFont.ImageFont") -> str:
    """The end of a name says more than its beginning."""
    if font.getlength(text) <= _CELL:
        return text
    low, high = 0, len(text)
    while low < high:  # the fewest letters left out
        middle = (low + high) // 2
        low, high = (low, middle) if font.getlength(f"…{text[middle:]}") <= _CELL else (middle + 1, high)
    return f"…{text[low:]}"


def _font(text: str) -> "FreeTypeFont | ImageFont.ImageFont":
    """The font that can show the most of a text."""
    return min(_fonts(), key=lambda font: sum(not _has(font, each) for each in set(text)))


@cache
def _fonts() -> "tuple[FreeTypeFont | ImageFont.ImageFont, ...]":
    from PIL import ImageFont  # noqa: PLC0415

    found: list[FreeTypeFont | ImageFont.ImageFont] = []
    for name in _FONTS:
        with contextlib.suppress(OSError):
            found.append(ImageFont.truetype(name, _POINTS))
    return (*found, ImageFont.load_default(_POINTS))


@cache
def _has(font: "FreeTypeFont | ImageFont.ImageFont", letter: str) -> bool:
    """Whether a font draws a letter in another way than one that nobody has."""
    if letter.isspace():
        return True
    try:
        return bytes(font.getmask(letter)) != bytes(font.getmask(_NOWHERE))
    except (UnicodeError, ValueError):
        return False

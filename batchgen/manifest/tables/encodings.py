"""The characters of a table: which encodings there are, and what to say when a file is in another one."""

import codecs
import re
from typing import Final

from batchgen.manifest.tables.records import OtherEncoding

DEFAULT: Final = "utf-8-sig"
"""UTF-8, with a byte order mark or without."""

_TEXT: Final = re.compile(
    r"ascii|utf-8(-sig)?|utf-(16|32)(-[lb]e)?|cp\d+|iso8859-\d+|mac-\w+|koi8-\w+|big5(hkscs)?|gb\w+|hz|johab|euc_\w+"
    r"|(iso2022|shift)_\w+|ptcp154|tis-620"
)
_MARKS: Final = (
    (codecs.BOM_UTF8, "UTF-8", "utf-8"),
    (codecs.BOM_UTF32_LE, "UTF-32", "utf-32"),
    (codecs.BOM_UTF32_BE, "UTF-32", "utf-32"),
    (codecs.BOM_UTF16_LE, "UTF-16", "utf-16"),
    (codecs.BOM_UTF16_BE, "UTF-16", "utf-16"),
)


def encoding(text: str) -> str:
    """The name that Python has for an encoding. ValueError with a sentence."""
    try:
        name = codecs.lookup(text.strip()).name
    except (LookupError, ValueError):
        name = ""
    if not _TEXT.fullmatch(name):
        raise ValueError(f"`{text}` is no encoding of text; such are utf-8, utf-16, cp1252, mac-roman, shift_jis")
    return DEFAULT if name == "utf-8" else name


def check_marks(head: bytes, name: str, chosen: str | None) -> None:
    """OtherEncoding when a file's first bytes say another encoding than it is read in."""
    for mark, what, ours in _MARKS:
        if head.startswith(mark):
            if (chosen or DEFAULT).startswith(ours):
                return
            hint = "leave `encoding` away" if ours == "utf-8" else f"write `encoding: {ours}` under `rows`"
            message = f"`{name}` says of itself that it is {what}"
            raise OtherEncoding(message, f"{hint}, or save it as CSV UTF-8", ours)
    wide = head.count(b"\0") * 4 >= len(head) > 0
    if wide and not (chosen or "").startswith(("utf-16", "utf-32")):
        raise OtherEncoding(
            f"`{name}` looks like UTF-16: every other byte is 0",
            "write `encoding: utf-16-le` under `rows`, or save it as CSV UTF-8",
            "utf-16-le",
        )


def is_strange(cell: str) -> bool:
    """Whether a cell, decoded with `surrogateescape`, holds bytes that are not of the encoding."""
    return not cell.isascii() and any("\udc80" <= char <= "\udcff" for char in cell)


def strange(cell: str, place: str, chosen: str) -> OtherEncoding:
    """What to say of such a cell: where it stands, its byte, and how it would read in another encoding."""
    at = next(index for index, char in enumerate(cell) if "\udc80" <= char <= "\udcff")
    start = max(cell.rfind(" ", 0, at) + 1, at - 20)
    around = cell[start : at + 20].split(maxsplit=1)[0]
    byte = ord(cell[at]) - 0xDC00
    shown = "UTF-8" if chosen == DEFAULT else chosen
    told = f"{place}: the byte 0x{byte:02x} is not {shown}"
    try:
        word = around.encode(chosen.removesuffix("-sig"), "surrogateescape").decode("cp1252")
    except UnicodeError:
        return OtherEncoding(told, "save it as CSV UTF-8, or write its `encoding` under `rows`, such as cp1252")
    if chosen != DEFAULT:
        return OtherEncoding(told, "save it as CSV UTF-8 and leave `encoding` away")
    return OtherEncoding(told, f"write `encoding: cp1252` under `rows` if this should read `{word}`", "cp1252")

"""What may be a job's id, a name of the catalogue and the name of a batch."""

import re
import unicodedata
from typing import Final

LONGEST: Final = 200
"""Bytes of an id, in UTF-8."""

_ORDINARY: Final = re.compile(r"\w[\w .+-]*(?:/\w[\w .+-]*)*", re.ASCII)
_BATCH: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")

_AXIS: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TIER: Final = re.compile(r"[1-9]k(?:_[1-9]k)*", re.IGNORECASE)
_TAKEN: Final = frozenset(
    {"id", "row", "ext", "take", "state", "and", "or", "not", "in", "is", "if", "else", "true", "false", "none"}
    | {"aspect_ratio", "resolution", "output_format", "channel_id", "references", "when"}
)
"""Words of templates and expressions, and request fields, which an axis sets only through a template."""


def job_id(text: str) -> str:
    """A job's id as it is. ValueError with a sentence."""
    if _ORDINARY.fullmatch(text) and len(text) <= LONGEST:
        return text
    if not text.strip():
        raise ValueError("an id is not empty")
    if len(text.encode("utf-8", "surrogatepass")) > LONGEST:
        raise ValueError(f"an id has at most {LONGEST} bytes")
    if any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in text):
        raise ValueError("an id holds no control characters and no line ends")
    if any(segment in {"", ".", ".."} for segment in text.split("/")):
        raise ValueError("an id has no `/` at its ends and no empty, `.` or `..` part between slashes")
    return text


def catalogue_name(text: str) -> str:
    """A name under `prompts` or `models`, part of the ids made from it. ValueError with a sentence."""
    if "/" in text:
        raise ValueError("a name of the catalogue holds no `/`: it stands between slashes in the ids of its jobs")
    return job_id(text)


def batch_name(text: str) -> str:
    """The name of a batch, which is also its folder. ValueError with a sentence."""
    if not _BATCH.fullmatch(text):
        raise ValueError("a name has 1 to 64 characters of a-z, 0-9, - and _, and begins with a letter or digit")
    return text


def axis_name(text: str) -> str:
    """The name of an axis, known to templates and expressions. ValueError with a sentence."""
    if not _AXIS.fullmatch(text):
        raise ValueError("the name of an axis is made of letters, digits and _, and begins with a letter")
    if text in _TAKEN:
        raise ValueError(f"no axis can be named `{text}`: the word has a meaning of its own")
    return text


def tier_name(text: str) -> str:
    """A tier of prices: one resolution or several, as `4k` and `1k_2k`. ValueError with a sentence."""
    if not _TIER.fullmatch(text):
        raise ValueError("a price is for resolutions: 1k, 4k, or 1k_2k for both")
    return text

"""What may be a job's id, a name of the catalogue and the name of a batch."""

import re
import unicodedata
from typing import Final

LONGEST: Final = 200
"""Bytes of an id, in UTF-8."""

_BATCH: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def job_id(text: str) -> str:
    """A job's id as it is. ValueError with a sentence."""
    if not text:
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

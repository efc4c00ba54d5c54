"""What a picture says of itself, in it and beside it; pixels are never touched, and nothing here opens a file.

The words in it are for whoever gets the picture: what was asked of which model, in which batch. What it cost and how
often it was tried stands beside it only.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from batchgen.job import Asset, FileReference, Job, Reference, effective
from batchgen.label import jpeg, png, webp
from batchgen.label.xmp import Packets

VERSION: Final = 1
SUFFIX: Final = ".json"
"""What the name of a picture goes on with to be that of its sidecar."""

LONGEST_SIDECAR: Final = 4 * 1024 * 1024
"""Bytes of a sidecar; a larger file is none of ours."""

_CONTAINERS: Final = {"image/png": png.embedded, "image/jpeg": jpeg.embedded, "image/webp": webp.embedded}
_UNSEEN: Final = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
"""Characters that nobody sees, or that no file can hold; JSON has a way to write them."""

_RECORD: Final = re.compile(rb"<batchgen:record>([^<]*)</batchgen:record>")


@dataclass(frozen=True, slots=True)
class Label:
    """What is said of a job's pictures: `facts` wherever it is asked for, `account` in sidecars alone."""

    facts: Mapping[str, Any]
    account: Mapping[str, Any] = field(default_factory=dict)
    embed: bool = False
    sidecar: bool = False


def facts_of(job: Job, batch: str, task_id: str | None) -> dict[str, Any]:
    """What may be known of a picture by everybody who has it."""
    asked = effective(job.request, job.recipe)
    model, prompt = asked.pop("model"), asked.pop("prompt")
    return {
        "batchgen": VERSION,
        "batch": batch,
        "id": job.id,
        "model": model,
        "prompt": prompt,
        "parameters": asked,
        "references": [_reference(each) for each in job.request.references],
        "take": job.request.take,
        "fingerprint": job.fingerprint,
        "task_id": task_id,
    }


def embedded(data: bytes, media_type: str, facts: Mapping[str, Any]) -> tuple[bytes, str]:
    """The file with the facts in it, its pixels and all else as they were; and what could not be said, in words.

    A file that cannot hold them, or is built in a way that we do not know, comes back as it is.
    """
    try:
        return _CONTAINERS[media_type](data, Packets(facts))
    except ValueError as error:
        return data, str(error)


def read(data: bytes) -> dict[str, Any] | None:
    """The facts that stand in a picture, None when there are none. Reads no XML: they are JSON, and ASCII."""
    found = _RECORD.findall(data)
    return _object(_unescaped(found[-1])) if found else None


def sidecar(label: Label, asset: Asset) -> bytes:
    """The text that goes beside a picture."""
    file = {
        "sha256": asset.sha256,
        "sha256_received": asset.sha256_received,
        "bytes": asset.size,
        "media_type": asset.media_type,
        "width": asset.width,
        "height": asset.height,
    }
    text = json.dumps({**label.facts, **label.account, **file}, indent=2, ensure_ascii=False)
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode("utf-8") + b"\n"


def read_sidecar(data: bytes) -> dict[str, Any] | None:
    """What a file beside a picture says, None when it is none of ours."""
    return _object(data)


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and "batchgen" in found and "fingerprint" in found else None


def _unescaped(text: bytes) -> bytes:
    return text.replace(b"&lt;", b"<").replace(b"&gt;", b">").replace(b"&amp;", b"&")


def _reference(reference: Reference) -> dict[str, str]:
    if isinstance(reference, FileReference):
        return {"path": reference.path, "sha256": reference.sha256}
    parts = urlsplit(reference.url)
    return {"url": urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))}

"""The painter: a picture drawn from the words of a request; never fetches, never reads a file.

It stands in for a model in rehearsals: the same request and seed give the same bytes on one platform, another seed
another picture. Importing this module is light; numpy and Pillow come with the first picture, in a worker process.
"""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Upload:
    """A reference picture that came with the request: the bytes of a PNG, JPEG or WebP file."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Sample:
    """A reference that the painter draws itself from the words of its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A reference at an address that is never fetched; a placeholder is drawn from the digest of the address."""

    digest: str


class UnreadableReference(ValueError):
    """A reference is no PNG, JPEG or WebP picture, is cut short, or has more than 64 megapixels."""


Reference: TypeAlias = Upload | Sample | Elsewhere


@dataclass(frozen=True, slots=True)
class PaintRequest:
    """What to paint: the words, the shape by the API's names, and the references in order."""

    prompt: str
    aspect_ratio: str = "1:1"
    resolution: str = "1K"
    output_format: str = "png"
    references: tuple[Reference, ...] = ()


def paint(request: PaintRequest, seed: int) -> bytes:
    """The picture as the bytes of a PNG or JPEG file.

    Raises:
        UnreadableReference: a reference is no picture that can be opened.
    """
    from batchgen.gateway.painter.studio import render  # noqa: PLC0415 - the server itself must not load numpy

    return render(request, seed)

"""A decoded picture made small: upright, opaque, sRGB as it stands, and without any of its metadata."""

import io
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE: Final = 256
"""The longest side of a thumbnail in pixels; a smaller picture keeps its size.

A quarter of what most pictures have: a JPEG decoder that makes nothing else then gives just that, for a third of the
work.
"""

GROUND: Final = (128, 128, 128)
"""What shows through a picture that is not opaque: neither of the two colour schemes."""

_QUALITY: Final = 78
_ORIENTATION: Final = 0x0112


def small(found: "Image") -> bytes:
    """The thumbnail of a picture as JPEG; raises whatever Pillow does."""
    from PIL import Image, ImageOps  # noqa: PLC0415 - only a process that decodes pays for it

    upright = ImageOps.exif_transpose(_opaque(_reduced(found)))
    out = io.BytesIO()
    Image.frombytes("RGB", upright.size, upright.tobytes()).save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def _reduced(found: "Image") -> "Image":
    """At most SIDE on its longest side: whole steps by averaging, the rest by a filter."""
    from PIL.Image import Resampling  # noqa: PLC0415

    if found.mode in {"P", "1", "PA", "I;16"} or "transparency" in found.info:
        kept = found.getexif().get(_ORIENTATION)
        found = found.convert("RGBA")
        if kept:
            found.getexif()[_ORIENTATION] = kept
    found.thumbnail((SIDE, SIDE), Resampling.BILINEAR, reducing_gap=1.0)
    return found


def _opaque(reduced: "Image") -> "Image":
    """On a neutral ground where it is not opaque, keeping its orientation."""
    from PIL import Image  # noqa: PLC0415

    kept = reduced.getexif().get(_ORIENTATION)
    if reduced.mode in {"RGBA", "LA", "La", "RGBa"}:
        over = reduced.convert("RGBA")
        reduced = Image.new("RGB", reduced.size, GROUND)
        reduced.paste(over, mask=over.getchannel("A"))
    reduced = reduced.convert("RGB")
    if kept:
        reduced.getexif()[_ORIENTATION] = kept
    return reduced

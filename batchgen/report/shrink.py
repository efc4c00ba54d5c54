"""Makes one picture small, in a process that may die of it; the metadata of the picture stays behind."""

import io
import json
from typing import TYPE_CHECKING, Final

from batchgen.errors import BadAsset
from batchgen.store.child import main as serve
from batchgen.store.child import refusal, structure

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE: Final = 256
"""The longest side of a thumbnail in pixels; a smaller picture keeps its size.

A quarter of what most pictures have: a JPEG decoder then gives just that, for a third of the work.
"""

GROUND: Final = (128, 128, 128)
"""What shows through a picture that is not opaque: neither of the two colour schemes."""

_QUALITY: Final = 78
_ORIENTATION: Final = 0x0112


def shrink(path: str) -> bytes:
    """The thumbnail of a picture as JPEG: upright, sRGB as it stands, without any metadata. Blocks.

    Raises:
        BadAsset: it is not one whole picture of a kind we take.
        OSError: it could not be read.
    """
    structure(path)
    from PIL import Image, ImageOps  # noqa: PLC0415 - only a process that decodes pays for it

    try:
        with Image.open(path, formats=("PNG", "JPEG", "WEBP")) as found:
            # A JPEG is decoded at half or a quarter of its size where that is enough, for a third of the time.
            found.draft("RGB", (SIDE, SIDE))
            small = ImageOps.exif_transpose(_opaque(_reduced(found)))
            out = io.BytesIO()
            Image.frombytes("RGB", small.size, small.tobytes()).save(out, "JPEG", quality=_QUALITY)
    except OSError as error:
        if error.errno is not None:
            raise
        raise refusal("it does not decode to its end") from error
    except Exception as error:
        raise refusal(f"it does not decode ({type(error).__name__})") from error
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


def _opaque(small: "Image") -> "Image":
    """On a neutral ground where it is not opaque, keeping its orientation."""
    from PIL import Image  # noqa: PLC0415

    kept = small.getexif().get(_ORIENTATION)
    if small.mode in {"RGBA", "LA", "La", "RGBa"}:
        over = small.convert("RGBA")
        small = Image.new("RGB", small.size, GROUND)
        small.paste(over, mask=over.getchannel("A"))
    small = small.convert("RGB")
    if kept:
        small.getexif()[_ORIENTATION] = kept
    return small


def answer(line: bytes) -> bytes:
    """Answer one request, a path as a line of JSON: a line of JSON, and behind it as many bytes as it says."""
    try:
        data = shrink(json.loads(line))
    except BadAsset as error:
        return json.dumps({"bad": str(error)}).encode("ascii") + b"\n"
    except OSError as error:
        return json.dumps({"bad": error.strerror or type(error).__name__}).encode("ascii") + b"\n"
    return json.dumps({"bytes": len(data)}).encode("ascii") + b"\n" + data


def main() -> None:
    """Serve on standard input and output."""
    serve(answer)

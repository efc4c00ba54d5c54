"""Makes one picture small, in a process that may die of it; the metadata of the picture stays behind."""

import json

from batchgen.errors import BadAsset
from batchgen.store.child import main as serve
from batchgen.store.child import refusal, structure
from batchgen.store.small import SIDE, small


def shrink(path: str) -> bytes:
    """The thumbnail of a picture as JPEG: upright, sRGB as it stands, without any metadata. Blocks.

    Raises:
        BadAsset: it is not one whole picture of a kind we take.
        OSError: it could not be read.
    """
    structure(path)
    from PIL import Image  # noqa: PLC0415 - only a process that decodes pays for it

    try:
        with Image.open(path, formats=("PNG", "JPEG", "WEBP")) as found:
            # A JPEG is decoded at half or a quarter of its size where that is enough, for a third of the time.
            found.draft("RGB", (SIDE, SIDE))
            return small(found)
    except OSError as error:
        if error.errno is not None:
            raise
        raise refusal("it does not decode to its end") from error
    except Exception as error:
        raise refusal(f"it does not decode ({type(error).__name__})") from error


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

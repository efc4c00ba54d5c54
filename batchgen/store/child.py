"""The process that decodes: reads a path, answers with what lies there, and may die of it.

Pictures come from outside and decoders have holes, so this runs without the environment of its parent (no
credential), in a session of its own (Ctrl-C is for the parent alone) and under limits on memory and time. It ends
when its input does.
"""

import contextlib
import json
import os
import resource
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from batchgen.errors import BadAsset
from batchgen.picture import HEAD_BYTES, MAX_PIXELS, TAIL_BYTES, Picture, flaw, sniff
from batchgen.store.small import small

if TYPE_CHECKING:
    from PIL.Image import Image

READY: Final = b"ready\n"
_MEMORY_BYTES: Final = 2 * 1024**3
_CPU_SECONDS: Final = 20
_FORMATS: Final = ("PNG", "JPEG", "WEBP")


def structure(path: str) -> Picture:
    """What a file is by its structure alone; does not decode it. Blocks.

    Raises:
        BadAsset: it is not one whole picture of a kind we take.
        OSError: it could not be read.
    """
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(HEAD_BYTES)
        file.seek(max(0, size - TAIL_BYTES))
        tail = file.read()

        def whole() -> bytes:
            file.seek(0)
            return file.read()

        return _judged(head, tail, size, whole)


def structure_of(data: bytes) -> Picture:
    """The same for the bytes of a whole file, which are at hand.

    Raises:
        BadAsset: likewise.
    """
    return _judged(data[:HEAD_BYTES], data[-TAIL_BYTES:], len(data), lambda: data)


def _judged(head: bytes, tail: bytes, size: int, whole: Callable[[], bytes]) -> Picture:
    reason, found = flaw(head, tail, size), sniff(head)
    if found and not found.width:  # more metadata than the head holds
        found = sniff(whole())
    if reason or not found:
        raise refusal(reason or "it is no picture")
    if found.width * found.height > MAX_PIXELS:
        raise refusal(f"it has {found.width} x {found.height} pixels, more than {MAX_PIXELS:,}")
    return found


def decode(path: str) -> Picture:
    """What a file is, after decoding every pixel of it, with its thumbnail. Blocks, and may take a second.

    Raises:
        BadAsset: it is not one whole picture of a kind we take.
        OSError: it could not be read.
    """
    found = structure(path)
    from PIL import Image  # noqa: PLC0415 - only a process that decodes pays for it

    try:
        with Image.open(path, formats=_FORMATS) as image:
            image.load()
            frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)  # MPO: a JPEG with another behind it
            size = image.size
            made = b"" if frames > 1 else _small(image)
    except OSError as error:
        if error.errno is not None:  # of the file; Pillow's own have no number
            raise
        raise refusal("it does not decode to its end") from error
    except Exception as error:
        raise refusal(f"it does not decode ({type(error).__name__})") from error
    if frames > 1:
        raise refusal("it has several frames")
    return Picture(found.media_type, found.extension, *size, made)


def _small(image: "Image") -> bytes:
    """The thumbnail of a decoded picture; empty when it cannot be made, which is no fault of the picture."""
    with contextlib.suppress(Exception):
        return small(image)
    return b""


def refusal(reason: str) -> BadAsset:
    """The error for a file that is refused; `reason` begins with `it`."""
    return BadAsset(f"the download is not a whole picture: {reason}")


def answer(line: bytes, check: Callable[[str], Picture] = decode) -> bytes:
    """Answer one request, a path as a line of JSON: a line of JSON, and behind it a thumbnail of so many bytes."""
    reply: dict[str, Any]
    behind = b""
    try:
        found = check(json.loads(line))
    except BadAsset as error:
        reply = {"bad": str(error)}
    except OSError as error:
        reply = {"errno": error.errno, "text": error.strerror}
    else:
        behind = found.small
        reply = {
            "picture": [found.media_type, found.extension, found.width, found.height],
            "small": len(behind),
        }
    return json.dumps(reply).encode("ascii") + b"\n" + behind


def serve(requests: BinaryIO, replies: BinaryIO, reply: Callable[[bytes], bytes] = answer) -> None:
    """Say that all is loaded, then answer request after request until there are no more."""
    from PIL import Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin  # noqa: F401, PLC0415 - loaded before the first request

    Image.MAX_IMAGE_PIXELS = None  # ours is checked before anything is decoded
    _limit(resource.RLIMIT_AS, _memory_in_use() + _MEMORY_BYTES)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    replies.write(READY)
    replies.flush()
    for line in requests:
        _limit(resource.RLIMIT_CPU, int(sum(os.times()[:2])) + _CPU_SECONDS)
        replies.write(reply(line))
        replies.flush()


def main(reply: Callable[[bytes], bytes] = answer) -> None:
    """Serve on standard input and output, whatever the decoders print."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with contextlib.suppress(BrokenPipeError):
        serve(sys.stdin.buffer, replies, reply)


def _limit(kind: int, most: int) -> None:
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _memory_in_use() -> int:
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[0]) * resource.getpagesize()

"""A tiny local model for tests: one colour, taken from words and seed."""

import hashlib
import io
from dataclasses import replace

from PIL import Image

from batchgen.gateway.painter import PaintRequest

LOADED = Image.new("RGB", (8, 8))
"""Stands for weights that take long to load."""

nothing = 7


def paint(request: PaintRequest, seed: int) -> bytes:
    """A square in the colour of the words."""
    digest = hashlib.sha256(f"{request.prompt}/{seed}".encode()).digest()
    LOADED.paste((digest[0], digest[1], digest[2]), (0, 0, 8, 8))
    file = io.BytesIO()
    LOADED.save(file, {"png": "PNG", "jpg": "JPEG"}[request.output_format])
    return file.getvalue()


def only_png(request: PaintRequest, seed: int) -> bytes:
    """A PNG, whatever was asked for."""
    return paint(replace(request, output_format="png"), seed)


def liar(request: PaintRequest, seed: int) -> bytes:
    """No picture at all."""
    return f"{request.prompt} {seed}".encode()

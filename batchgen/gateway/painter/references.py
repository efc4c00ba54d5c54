"""Reference pictures in a painting: opened, framed as cards with a soft shadow, and asked for their colours."""

import io
from collections.abc import Sequence
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from batchgen.gateway.painter import Elsewhere, UnreadableReference, Upload
from batchgen.gateway.painter.canvas import Canvas
from batchgen.gateway.painter.colour import Colour, from_hue, lifted
from batchgen.gateway.painter.noise import coloured, image, warped
from batchgen.picture import MAX_PIXELS

FORMATS: Final = ("PNG", "JPEG", "WEBP")
_LARGEST: Final = 1400


def opened(reference: Upload | Elsewhere) -> Image.Image:
    """The picture of a reference, at most 1400 pixels on its long side, on white where it is transparent.

    Raises:
        UnreadableReference: its bytes are no picture that we take.
    """
    match reference:
        case Upload(data):
            return _decoded(data)
        case Elsewhere(digest):
            return _placeholder(digest)


def colour_of(picture: Image.Image) -> Colour:
    """The picture's strongest colour, made bright enough to be a canvas: a dark picture gives no dark canvas."""
    small = np.asarray(picture.resize((24, 24)), np.float32).reshape(-1, 3)
    strength = small.max(-1) - small.min(-1) + 12
    mean = (small * strength[:, None]).sum(0) / strength.sum()
    return lifted((int(mean[0]), int(mean[1]), int(mean[2])), 0.6)


def arrange(canvas: Canvas, pictures: Sequence[Image.Image], ground: float, rng: np.random.Generator) -> None:
    """Set the pictures side by side as cards that stand on the ground, a few degrees off straight."""
    count = len(pictures)
    columns = min(count, 4 if canvas.width >= canvas.height else 2)
    rows = -(-count // columns)
    wide = canvas.width * 0.86 / (columns + 0.12)
    high = canvas.height * (ground - 0.1) / rows
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        in_row = min(columns, count - row * columns)
        x = canvas.width / 2 + (column - (in_row - 1) / 2) * wide
        y = canvas.height * (ground + 0.02) - (rows - 1 - row) * high
        _card(canvas, picture, (x, y, wide * 0.88, high * 0.9), float(rng.uniform(-3, 3)))


def _card(canvas: Canvas, picture: Image.Image, place: tuple[float, float, float, float], tilt: float) -> None:
    x, foot, wide, high = place
    scale = min(wide / picture.width, high / picture.height)
    size = max(8, round(picture.width * scale)), max(8, round(picture.height * scale))
    rim = max(2, round(min(size) * 0.035))
    card = Image.new("RGBA", (size[0] + 2 * rim, size[1] + 2 * rim))
    draw = ImageDraw.Draw(card)
    draw.rounded_rectangle((0, 0, card.width - 1, card.height - 1), rim * 1.4, fill=(252, 250, 246, 255))
    card.paste(picture.resize(size, Image.Resampling.BICUBIC), (rim, rim))
    card = card.rotate(tilt, Image.Resampling.BICUBIC, expand=True)
    left, top = round(x - card.width / 2), round(foot - card.height)
    canvas.soft((x, foot), (card.width * 0.66, card.height * 0.09), (14, 10, 26), 0.6)
    _drop_shadow(canvas, card, (left, top))
    canvas.image.paste(card, (left, top), card)


def _drop_shadow(canvas: Canvas, card: Image.Image, place: tuple[int, int]) -> None:
    soft = max(2, min(card.size) // 24)
    shade = Image.new("L", (card.width // 4 + 2 * soft, card.height // 4 + 2 * soft))
    shade.paste(card.getchannel("A").reduce(4), (soft, soft))
    shade = shade.filter(ImageFilter.GaussianBlur(soft / 2)).point([round(value * 0.42) for value in range(256)])
    shade = shade.resize((shade.width * 4, shade.height * 4))
    canvas.image.paste((14, 10, 26), (place[0] - 4 * soft + soft, place[1] - 4 * soft + 2 * soft), shade)


def _decoded(data: bytes) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            if picture.width * picture.height <= MAX_PIXELS:
                picture.draft("RGB", (_LARGEST, _LARGEST))
                return _flat(picture.convert("RGBA"))
    except Exception as error:  # Pillow raises whatever a broken file makes it raise
        raise UnreadableReference from error
    raise UnreadableReference


def _flat(whole: Image.Image) -> Image.Image:
    whole.thumbnail((_LARGEST, _LARGEST))
    paper = Image.new("RGB", whole.size, (250, 250, 250))
    paper.paste(whole, (0, 0), whole)
    return paper


def _placeholder(digest: str) -> Image.Image:
    rng = np.random.default_rng(list(digest.encode()))
    hue = float(rng.random())
    stops = tuple(from_hue(hue + 0.09 * step, 0.55, 0.3 + 0.14 * step) for step in range(4))
    return image(coloured(warped(rng, 512, 384, cells=2, strength=0.5), stops))

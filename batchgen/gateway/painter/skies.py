"""Skies: the light of an hour, clouds, stars, and the body that gives the light."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from batchgen.gateway.painter.canvas import Canvas
from batchgen.gateway.painter.colour import Colour, lighter, mix
from batchgen.gateway.painter.noise import coloured, fractal, image, smooth


@dataclass(frozen=True, slots=True)
class Light:
    """The light of an hour: sky from top to horizon, the shining body, what shade and clouds look like."""

    sky: tuple[Colour, ...]
    body: Colour
    shade: Colour
    cloud: Colour
    clouds: float = 0.5
    stars: bool = False
    shining: bool = True


LIGHTS: Final[dict[str, Light]] = {
    "dawn": Light(((86, 104, 170), (214, 158, 178), (255, 210, 168)),
          (255, 238, 206), (66, 66, 112), (255, 214, 200), 0.4),
    "day": Light(((54, 122, 204), (124, 182, 234), (216, 236, 246)),
          (255, 252, 236), (58, 84, 120), (255, 255, 255), 0.55),
    "sunset": Light(((52, 40, 98), (200, 84, 92), (255, 182, 98)),
          (255, 226, 160), (62, 38, 70), (255, 150, 110), 0.5),
    "dusk": Light(((26, 28, 76), (92, 68, 132), (232, 144, 136)),
          (255, 214, 186), (34, 28, 66), (150, 100, 150), 0.4),
    "night": Light(((6, 10, 32), (18, 28, 72), (52, 66, 122)),
          (240, 240, 226), (8, 12, 34), (70, 84, 130), 0.3, stars=True),
    "neon": Light(((12, 6, 38), (66, 14, 96), (228, 58, 148)),
          (255, 120, 190), (14, 8, 40), (150, 40, 140), 0.45, stars=True),
    "storm": Light(((44, 52, 68), (92, 102, 118), (166, 172, 176)),
          (226, 226, 220), (36, 42, 56), (70, 78, 92), 0.95),
    "mist": Light(((166, 184, 196), (202, 214, 218), (240, 238, 228)),
          (255, 252, 240), (84, 104, 116), (250, 250, 248), 0.5),
    "winter": Light(((132, 172, 212), (190, 212, 234), (242, 240, 244)),
          (255, 252, 244), (88, 112, 150), (255, 255, 255), 0.45),
}  # fmt: skip
"""The hours that words can name."""

_COARSE: Final = 320


def sky(canvas: Canvas, light: Light, rng: np.random.Generator, *, horizon: float = 1.0) -> None:
    """The whole canvas becomes sky, its lowest colour reached at `horizon` (a share of the height)."""
    scale = _COARSE / max(canvas.width, canvas.height)
    width, height = max(8, round(canvas.width * scale)), max(8, round(canvas.height * scale))
    down = np.linspace(0, 1 / horizon, height, dtype=np.float32)[:, None].repeat(width, 1)
    picture = coloured(np.clip(down, 0, 1), light.sky)
    flat = fractal(rng, width, height * 3, cells=4, octaves=5)[::3]
    cover = smooth(0.78 - 0.36 * light.clouds, 1.02 - 0.16 * light.clouds, flat) * smooth(1.05, 0.35, down)
    bright = np.clip(flat * 1.4 - 0.25, 0, 1)
    cloud = coloured(
        np.asarray(bright, np.float32), (mix(light.cloud, light.shade, 0.45), light.cloud, lighter(light.cloud, 0.4))
    )
    picture += (cloud - picture) * (cover * 0.85)[:, :, None]
    canvas.image.paste(image(picture).resize((canvas.width, canvas.height), Image.Resampling.BILINEAR))
    if light.stars:
        stars(canvas, rng, horizon * 0.8)


def stars(canvas: Canvas, rng: np.random.Generator, lowest: float) -> None:
    """Points of light above `lowest`, a share of the height."""
    size = canvas.unit / 1000
    for faint in (0.35, 0.6, 1.0):
        marks = []
        for _ in range(60):
            x, y = rng.random() * canvas.width, rng.random() ** 1.4 * canvas.height * lowest
            reach = size * (0.8 + 1.1 * faint * rng.random())
            marks.append([(x - reach, y), (x, y - reach), (x + reach, y), (x, y + reach)])
        canvas.specks(marks, (250, 248, 255), faint)


def body(canvas: Canvas, light: Light, place: tuple[float, float], reach: float) -> None:
    """The sun or the moon, with its glow; place in shares of the canvas, reach in shares of the short side."""
    if not light.shining:
        return
    centre, radius = (place[0] * canvas.width, place[1] * canvas.height), reach * canvas.unit
    canvas.glow(centre, radius * 7, light.body, 0.5)
    canvas.glow(centre, radius * 2.6, light.body, 0.6)
    canvas.soft(centre, (radius * 1.5, radius * 1.5), light.body, 0.9)
    canvas.soft(centre, (radius * 1.25, radius * 1.25), lighter(light.body, 0.7), 1.0)

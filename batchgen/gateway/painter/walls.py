"""A brick wall with a pavement before it; says how high the ground lies."""

import numpy as np

from batchgen.gateway.painter.canvas import Canvas, Point
from batchgen.gateway.painter.colour import Colour, Down, darker, lighter, mix
from batchgen.gateway.painter.skies import Light

_FOOT = 0.78


def wall(canvas: Canvas, light: Light, rng: np.random.Generator, tint: Colour | None) -> float:
    """Rows of bricks in three tones, shaded towards the pavement."""
    brick = mix(tint or (168, 92, 74), light.shade, 0.15)
    across, down = canvas.width, canvas.height
    mortar = mix(lighter(brick, 0.4), (190, 184, 178), 0.5)
    canvas.fill(_box(-2, -2, across + 2, down + 2), mortar)
    tones: list[list[list[Point]]] = [[], [], []]
    high, wide, gap = canvas.unit * 0.062, canvas.unit * 0.15, canvas.unit * 0.008
    for row in range(int(down * _FOOT / high) + 1):
        y = down * _FOOT - (row + 1) * high
        for column in range(-1, int(across / wide) + 2):
            x = column * wide + (wide / 2 if row % 2 else 0)
            tones[int(rng.integers(3))].append(_box(x + gap, y + gap, x + wide - gap, y + high - gap))
    for tone, bricks in zip((brick, lighter(brick, 0.14), darker(brick, 0.14)), tones, strict=True):
        canvas.specks(bricks, tone)
    stone = mix((150, 148, 150), light.shade, 0.2)
    canvas.fill(_box(-2, down * _FOOT, across + 2, down + 2), Down((darker(stone, 0.2), stone, lighter(stone, 0.25))))
    canvas.soft((across / 2, down * _FOOT), (across * 0.8, down * 0.06), (30, 24, 30), 0.5)
    canvas.glow((across * 0.3, down * 0.2), canvas.unit * 0.7, light.body, 0.22)
    return 0.88


def _box(left: float, top: float, right: float, low: float) -> list[Point]:
    return [(left, top), (right, top), (right, low), (left, low)]

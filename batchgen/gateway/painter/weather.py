"""Weather that stands before or behind a subject: rainbow, rain, snow, lightning."""

import math
from typing import Final

import numpy as np

from batchgen.gateway.painter.canvas import Canvas, Pen, Point
from batchgen.gateway.painter.colour import Colour

_BANDS: Final[tuple[Colour, ...]] = (
    (226, 58, 56), (244, 142, 46), (250, 220, 74), (92, 186, 92), (66, 128, 216), (122, 82, 186),
)  # fmt: skip


def rainbow(pen: Pen, colour: Colour) -> None:  # noqa: ARG001 - it has colours of its own
    """A wide bow, its feet below the horizon."""
    for step, band in enumerate(_BANDS):
        outer, inner = 1.5 - 0.085 * step, 1.5 - 0.085 * (step + 1)
        turns = [math.pi + math.pi * each / 60 for each in range(61)]
        outline = [(outer * math.cos(turn), 0.9 + outer * math.sin(turn)) for turn in turns]
        outline += [(inner * math.cos(turn), 0.9 + inner * math.sin(turn)) for turn in reversed(turns)]
        pen.shape(outline, band, 0.72)


def rain(canvas: Canvas, rng: np.random.Generator) -> None:
    """Slanting streaks over everything."""
    for opacity, length, count in ((0.22, 0.05, 90), (0.34, 0.09, 60)):
        streaks = []
        for _ in range(count):
            x, y = rng.random() * canvas.width * 1.1, rng.random() * canvas.height
            reach, thick = canvas.unit * length * (0.6 + 0.8 * rng.random()), canvas.unit * 0.0016
            end = (x - reach * 0.28, y + reach)
            streaks.append([(x - thick, y), (x + thick, y), (end[0] + thick, end[1]), (end[0] - thick, end[1])])
        canvas.specks(streaks, (214, 226, 240), opacity)


def snowfall(canvas: Canvas, rng: np.random.Generator) -> None:
    """Flakes over everything."""
    for _ in range(90):
        reach = canvas.unit * (0.004 + 0.008 * rng.random() ** 2)
        centre = (rng.random() * canvas.width, rng.random() * canvas.height)
        canvas.soft(centre, (reach, reach), (255, 255, 255), 0.9)


def lightning(canvas: Canvas, rng: np.random.Generator) -> None:
    """A forked bolt from the clouds, lighting up the sky around it."""
    x = canvas.width * (0.16 + 0.16 * float(rng.random()) + (0.52 if rng.random() < 0.5 else 0.0))
    canvas.glow((x, canvas.height * 0.2), canvas.unit * 0.6, (190, 200, 255), 0.7)
    main = _bolt(rng, (x, -2.0), canvas.height * 0.62, canvas.unit)
    fork = _bolt(rng, main[4], canvas.height * 0.26, canvas.unit * 1.6)
    for points, wide in ((main, 0.011), (fork, 0.006)):
        for spread, tone, opacity in ((3.4, (150, 170, 255), 0.3), (1.0, (250, 250, 255), 1.0)):
            canvas.fill(_ribbon(points, canvas.unit * wide * spread), tone, opacity)


def _bolt(rng: np.random.Generator, start: Point, reach: float, unit: float) -> list[Point]:
    points = [start]
    for _ in range(9):
        before = points[-1]
        points.append((before[0] + unit * 0.09 * float(rng.uniform(-1, 1)), before[1] + reach / 9))
    return points


def _ribbon(points: list[Point], wide: float) -> list[Point]:
    last = len(points) - 1
    left = [(x - wide * (1 - index / last), y) for index, (x, y) in enumerate(points)]
    right = [(x + wide * (1 - index / last), y) for index, (x, y) in enumerate(points)]
    return [*left, *reversed(right)]

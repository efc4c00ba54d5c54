"""Outdoor backdrops: each paints the whole canvas and says how high the ground lies under a subject."""

import math

import numpy as np

from batchgen.gateway.painter.canvas import Canvas, Point
from batchgen.gateway.painter.colour import Colour, Down, darker, lighter, mix
from batchgen.gateway.painter.noise import dune, ridge
from batchgen.gateway.painter.skies import Light, body, sky, stars
from batchgen.gateway.painter.terrain import conifers, heaps, land, lee, shafts, summits, water


def mountain(canvas: Canvas, light: Light, rng: np.random.Generator, tint: Colour | None) -> float:
    """Ranges behind ranges in haze, the farthest with lit snow on their left sides."""
    sky(canvas, light, rng, horizon=0.72)
    body(canvas, light, (0.2 + 0.6 * rng.random(), 0.2 + 0.12 * rng.random()), 0.045)
    haze, near = light.sky[-1], tint or mix((44, 74, 72), light.shade, 0.55)
    high = 0.24 + 0.08 * rng.random()
    summits(canvas, light, rng, high)
    for layer in range(4):
        share = (layer + 1.2) / 5
        top = mix(mix(light.sky[-2], haze, 0.3), darker(near, 0.35), share)
        start = high + 0.2 + 0.125 * layer
        land(
            canvas,
            ridge(rng, rough=0.46, peaks=3 + layer),
            (start, start + 0.15),
            Down((top, mix(top, haze, 0.75 - 0.6 * share))),
        )
    conifers(canvas, rng, 0.93, (0.13, darker(near, 0.72)), 46)
    return 0.86


def forest(canvas: Canvas, light: Light, rng: np.random.Generator, tint: Colour | None) -> float:
    """Rows of conifers, pale behind and dark in front, with light falling between them."""
    sky(canvas, light, rng, horizon=0.6)
    haze, green = lighter(light.sky[-1], 0.25), tint or mix((40, 92, 62), light.shade, 0.3)
    sun = (0.3 + 0.4 * rng.random(), 0.26)
    body(canvas, light, sun, 0.05)
    for layer in range(4):
        share = (layer + 0.6) / 4.4
        colour = mix(haze, darker(green, 0.55), share)
        land(canvas, dune(rng), (0.52 + 0.1 * layer, 0.56 + 0.1 * layer), Down((colour, mix(colour, haze, 0.45))))
        conifers(canvas, rng, 0.58 + 0.1 * layer, (0.2 + 0.09 * layer, colour), 30 - 5 * layer)
        centre = (canvas.width * sun[0], canvas.height * (0.62 + 0.1 * layer))
        canvas.soft(centre, (canvas.width * 0.8, canvas.height * 0.1), haze, 0.42 - 0.09 * layer)
    shafts(canvas, rng, sun, light.body)
    land(canvas, dune(rng), (0.84, 0.88), Down((mix(green, light.body, 0.18), darker(green, 0.6))))
    return 0.93


def desert(canvas: Canvas, light: Light, rng: np.random.Generator, tint: Colour | None) -> float:
    """Dunes under a low sun, each with a lit and a shaded side."""
    sky(canvas, light, rng, horizon=0.62)
    body(canvas, light, (0.16 + 0.68 * rng.random(), 0.3 + 0.1 * rng.random()), 0.06)
    sand = tint or mix((228, 160, 88), light.sky[-1], 0.08)
    for layer in range(4):
        share = layer / 3
        lit = mix(mix(sand, light.sky[-1], 0.45), sand, share)
        span = (0.52 + 0.115 * layer, 0.62 + 0.13 * layer)
        line = dune(rng, waves=1.1 + 0.25 * rng.random())
        edge = land(canvas, line, span, Down((lighter(lit, 0.22), lit, mix(lit, light.shade, 0.3))))
        lee(canvas, edge, mix(lit, light.shade, 0.3 + 0.25 * share))
    return 0.87


def ocean(canvas: Canvas, light: Light, rng: np.random.Generator, tint: Colour | None) -> float:
    """Open water under a wide sky, with the sun's road on it."""
    horizon = 0.5 + 0.04 * rng.random()
    sky(canvas, light, rng, horizon=horizon)
    sun = (0.25 + 0.5 * rng.random(), horizon - 0.1 - 0.08 * rng.random())
    body(canvas, light, sun, 0.05)
    water(canvas, light, rng, (horizon, sun[0], tint))
    return 0.8


def beach(canvas: Canvas, light: Light, rng: np.random.Generator, tint: Colour | None) -> float:
    """A strip of sea, foam, and sand in front."""
    sky(canvas, light, rng, horizon=0.45)
    sun = (0.25 + 0.5 * rng.random(), 0.2)
    body(canvas, light, sun, 0.05)
    water(canvas, light, rng, (0.44, sun[0], (40, 150, 170)))
    sand = tint or mix((238, 214, 170), light.sky[-1], 0.15)
    line = dune(rng, waves=0.7)
    land(canvas, line, (0.625, 0.675), lighter(light.sky[-1], 0.8))
    land(canvas, line, (0.645, 0.695), Down((mix(sand, light.shade, 0.25), sand, mix(sand, light.shade, 0.12))))
    return 0.88


def heaven(canvas: Canvas, light: Light, rng: np.random.Generator, tint: Colour | None) -> float:
    """Nothing but sky and heaps of cloud."""
    sky(canvas, light, rng, horizon=1.05)
    body(canvas, light, (0.15 + 0.7 * rng.random(), 0.18 + 0.1 * rng.random()), 0.05)
    white = mix(tint or light.cloud, WARM, 0.35)
    for layer in range(3):
        shade = mix(light.sky[1], light.sky[-1], 0.6)
        heaps(canvas, rng, 0.86 + 0.07 * layer, (lighter(white, 0.2 + 0.2 * layer), mix(white, shade, 0.65)))
    return 0.78


def space(canvas: Canvas, light: Light, rng: np.random.Generator, tint: Colour | None) -> float:
    """A nebula and its stars."""
    glow = tint or ((90, 70, 200), (190, 60, 130), (40, 130, 170))[int(rng.integers(3))]
    deep = Light(
        ((6, 6, 22), (14, 12, 44), darker(glow, 0.72)), light.body, (4, 4, 16), darker(glow, 0.25), clouds=0.85
    )
    sky(canvas, deep, rng, horizon=1.6)
    for _ in range(3):
        centre = (rng.random() * canvas.width, rng.random() * canvas.height)
        canvas.glow(centre, canvas.unit * (0.5 + 0.4 * rng.random()), glow, 0.3)
    stars(canvas, rng, 1.2)
    for _ in range(7):
        canvas.glow(
            (rng.random() * canvas.width, rng.random() * canvas.height), canvas.unit * 0.025, (230, 236, 255), 1.0
        )
    return 0.8


def snow(canvas: Canvas, light: Light, rng: np.random.Generator, tint: Colour | None) -> float:
    """White hills, firs, falling flakes."""
    sky(canvas, light, rng, horizon=0.6)
    body(canvas, light, (0.2 + 0.6 * rng.random(), 0.24), 0.045)
    white = mix(tint or (246, 248, 252), light.body, 0.08)
    for layer in range(3):
        shade = mix(white, mix(light.sky[0], light.shade, 0.3), 0.46 - 0.1 * layer)
        span = (0.5 + 0.13 * layer, 0.6 + 0.13 * layer)
        land(canvas, dune(rng, waves=0.9), span, Down((mix(white, shade, 0.4 - 0.2 * layer), shade)))
        if layer < 2:
            conifers(
                canvas, rng, span[1] + 0.02, (0.1 + 0.06 * layer, mix((52, 84, 92), shade, 0.55 - 0.3 * layer)), 16
            )
    for _ in range(70):
        centre = (rng.random() * canvas.width, rng.random() * canvas.height)
        reach = canvas.unit * (0.004 + 0.008 * rng.random() ** 2)
        canvas.soft(centre, (reach, reach), (255, 255, 255), 0.9)
    return 0.88


def meadow(canvas: Canvas, light: Light, rng: np.random.Generator, tint: Colour | None) -> float:
    """Rolling green with flowers in front."""
    sky(canvas, light, rng, horizon=0.6)
    body(canvas, light, (0.15 + 0.7 * rng.random(), 0.2), 0.045)
    green = mix(tint or (116, 176, 84), light.shade, 0.12)
    for layer in range(4):
        colour = mix(mix(green, light.sky[-1], 0.6), darker(green, 0.18), layer / 3)
        span = (0.5 + 0.1 * layer, 0.6 + 0.1 * layer)
        land(
            canvas, dune(rng, waves=0.9 + 0.2 * layer), span, Down((lighter(colour, 0.22), colour, darker(colour, 0.2)))
        )
    petals = ((250, 250, 244), (252, 214, 90), (236, 120, 150), (170, 130, 220))
    for petal in petals:
        spots = [(rng.random(), 0.88 + 0.12 * rng.random()) for _ in range(26)]
        canvas.fill_all(
            [_dot(canvas, x, y, 0.004 + 0.03 * (y - 0.86)) for x, y in spots], mix(petal, light.shade, 0.15)
        )
    return 0.88


def savanna(canvas: Canvas, light: Light, rng: np.random.Generator, tint: Colour | None) -> float:
    """Dry grass and a few flat-topped trees far away."""
    ground = meadow(canvas, light, rng, tint or (214, 178, 92))
    bark = mix((52, 50, 40), light.shade, 0.3)
    for _ in range(3):
        x, y = canvas.width * (0.06 + 0.88 * float(rng.random())), canvas.height * 0.66
        size = canvas.height * (0.1 + 0.06 * float(rng.random()))
        trunk = [(x - size * 0.05, y), (x + size * 0.05, y), (x + size * 0.02, y - size), (x - size * 0.02, y - size)]
        canvas.fill(trunk, bark)
        for rise, reach in ((0.86, 0.8), (1.0, 0.55)):
            canvas.fill(
                [
                    (x + size * reach * math.cos(turn), y - size * rise + size * 0.14 * math.sin(turn))
                    for turn in np.linspace(0, 6.2, 40)
                ],
                mix(bark, (92, 110, 58), 0.4),
            )
    return ground


WARM: Colour = (255, 252, 246)


def _dot(canvas: Canvas, x: float, y: float, reach: float) -> list[Point]:
    centre, size = (x * canvas.width, y * canvas.height), reach * canvas.unit
    return [
        (centre[0] + size * math.cos(turn), centre[1] + size * 0.8 * math.sin(turn)) for turn in np.linspace(0, 5.5, 9)
    ]

"""Pieces of landscape: layers of ground, peaks, dunes, trees, water and heaps of cloud."""

import math

import numpy as np

from batchgen.gateway.painter.canvas import Canvas, Point
from batchgen.gateway.painter.colour import Colour, Down, darker, lighter, mix
from batchgen.gateway.painter.noise import Field, dune
from batchgen.gateway.painter.skies import Light


def land(canvas: Canvas, line: Field, span: tuple[float, float], paint: Down | Colour) -> list[Point]:
    """One layer of ground below a line; `span` is where the line's 1 and 0 lie, in shares of the height."""
    high, low = span
    edge = contour(canvas, line, high, low)
    floor = canvas.height + 2
    canvas.fill([(-2, floor), *edge, (canvas.width + 2, floor)], paint)
    return edge


def contour(canvas: Canvas, line: Field, high: float, low: float) -> list[Point]:
    """A line as points across the canvas; `high` and `low` are where its 1 and 0 lie."""
    step = (canvas.width + 4) / (len(line) - 1)
    return [(index * step - 2, canvas.height * (low + (high - low) * float(value))) for index, value in enumerate(line)]


def summits(canvas: Canvas, light: Light, rng: np.random.Generator, high: float) -> None:
    """The farthest peaks, each with a lit and a shaded side."""
    rock = mix(light.sky[0], light.shade, 0.5)
    peaks = 4 if canvas.width > canvas.height else 3
    for index in rng.permutation(peaks):
        x = (index + 0.2 + 0.6 * rng.random()) / peaks * canvas.width
        top = (high + 0.1 * rng.random()) * canvas.height
        foot, wide = canvas.height * 0.66, canvas.height * 0.36
        lit = mix(light.sky[-1], (255, 255, 255), 0.35)
        spine = [
            (x + (0.5 - rng.random()) * wide * 0.12 + share * wide * 0.16, top + share * (foot - top))
            for share in (0.2, 0.4, 0.62, 1)
        ]
        left = [(x, top), *spine, (x - wide, foot)]
        right = [(x, top), *spine, (x + wide * 1.05, foot)]
        canvas.fill(left, Down((lit, mix(rock, light.sky[-1], 0.45), light.sky[-1])))
        canvas.fill(right, Down((mix(lit, rock, 0.62), rock, light.sky[-1])))


def conifers(canvas: Canvas, rng: np.random.Generator, foot: float, look: tuple[float, Colour], count: int) -> None:
    """A row of conifers; `look` is their size as a share of the height, and their colour."""
    size, colour = look
    outlines = []
    count = max(6, round(count * canvas.width / canvas.height / 1.5))
    for index in range(count):
        x = (index + rng.random()) / count * canvas.width
        height = canvas.height * size * (0.55 + 0.6 * rng.random())
        base = canvas.height * (foot + 0.02 * rng.random())
        outlines.append(fir_outline((x, base), height))
    canvas.fill_all(outlines, Down((lighter(colour, 0.1), colour)))


def fir_outline(foot: Point, height: float) -> list[Point]:
    """The jagged outline of a conifer standing on a point, in pixels."""
    x, base = foot
    left, right = [], []
    for tier in range(6):
        wide = height * (0.05 + 0.045 * tier)
        y = base - height * (1 - (tier + 1) / 6.4)
        right += [(x + wide, y), (x + wide * 0.45, y - height * 0.012)]
        left += [(x - wide, y), (x - wide * 0.45, y - height * 0.012)]
    trunk = [(x + height * 0.02, base - height * 0.06), (x + height * 0.02, base + height * 0.05)]
    mirrored = [(2 * x - px, py) for px, py in reversed(trunk)]
    return [(x, base - height), *right, *trunk, *mirrored, *reversed(left)]


def shafts(canvas: Canvas, rng: np.random.Generator, sun: tuple[float, float], colour: Colour) -> None:
    """Rays from the sun."""
    source = (sun[0] * canvas.width, sun[1] * canvas.height)
    for _ in range(6):
        turn = math.pi * (0.18 + 0.64 * rng.random())
        reach, wide = canvas.height * 1.2, 0.03 + 0.04 * rng.random()
        ends = [
            (source[0] + reach * math.cos(turn + off), source[1] + reach * math.sin(turn + off))
            for off in (-wide, wide)
        ]
        canvas.fill([source, *ends], colour, 0.07)


def lee(canvas: Canvas, edge: list[Point], shade: Colour) -> None:
    """The shaded sides of dunes, from each crest down."""
    crests = [i for i in range(6, len(edge) - 6) if edge[i][1] < edge[i - 6][1] and edge[i][1] <= edge[i + 6][1]]
    starts = [i for i in crests if i - 1 not in crests]
    for start in starts:
        end = start
        while end + 1 < len(edge) and edge[end + 1][1] >= edge[end][1]:
            end += 1
        if end - start < 8:
            continue
        drop, run = edge[end][1] - edge[start][1], edge[end][0] - edge[start][0]
        foot = [
            (
                edge[start][0] + run * (0.75 * t + 0.16 * math.sin(t * 6)),
                edge[start][1] + (drop * 1.1 + canvas.height * 0.05) * t,
            )
            for t in np.linspace(0, 1, 24)
        ]
        canvas.fill([*edge[start : end + 1], *reversed(foot)], Down((shade, mix(shade, lighter(shade), 0.3))))


def water(canvas: Canvas, light: Light, rng: np.random.Generator, where: tuple[float, float, Colour | None]) -> None:
    """The sea from the horizon down; `where` is the horizon, the place of the sun across, and a tint."""
    horizon, sun, tint = where
    deep = mix(tint or (24, 84, 126), light.sky[0], 0.45)
    top = canvas.height * horizon
    paint = Down((mix(light.sky[-1], deep, 0.35), mix(light.sky[1], deep, 0.6), darker(deep, 0.35)))
    canvas.fill(
        [(-2, top), (canvas.width + 2, top), (canvas.width + 2, canvas.height + 2), (-2, canvas.height + 2)], paint
    )
    for layer in range(7):
        share = (layer + 1) / 8
        y = horizon + (1 - horizon) * share**1.6
        rise = 0.012 + 0.045 * share
        colour = mix(mix(light.sky[1], deep, 0.4 + 0.5 * share), light.sky[-1], 0.16)
        line = dune(rng, waves=6 - 3.6 * share)
        edge = contour(canvas, line, y - rise, y)
        canvas.fill(
            [(-2, canvas.height * (y + rise * 2.2)), *edge, (canvas.width + 2, canvas.height * (y + rise * 2.2))],
            Down((lighter(colour, 0.3), colour, darker(deep, 0.25 + 0.2 * share))),
            0.62,
        )
    glints: list[list[Point]] = []
    for _ in range(150):
        share = rng.random() ** 1.3
        y = top + (canvas.height - top) * share
        x = canvas.width * sun + canvas.unit * (0.03 + 0.16 * share) * float(rng.normal())
        glints.append(
            _dash((x, y), canvas.unit * (0.008 + 0.035 * share * rng.random()), canvas.unit * (0.0012 + 0.0028 * share))
        )
    canvas.fill_all(glints, lighter(light.body, 0.4), 0.75)


def _dash(centre: Point, reach: float, thick: float) -> list[Point]:
    x, y = centre
    return [(x - reach, y), (x - reach / 3, y - thick), (x + reach / 3, y - thick), (x + reach, y), (x, y + thick)]


def heaps(canvas: Canvas, rng: np.random.Generator, foot: float, look: tuple[Colour, Colour]) -> None:
    """A bank of heaped clouds; `look` is their light and their shade."""
    count = max(5, round(9 * canvas.width / canvas.height))
    for index in range(count):
        x = (index + rng.random()) / count * canvas.width
        reach = canvas.height * (0.09 + 0.09 * rng.random())
        y = canvas.height * foot + reach * 0.4
        canvas.soft((x, y), (reach * 2.1, reach * 1.9), look[0], 0.92)
        canvas.soft((x + reach * 0.3, y + reach * 0.8), (reach * 1.8, reach * 1.2), look[1], 0.55)

"""A canvas with soft edges: shapes become masks, larger than needed and then reduced, and ramps shine through them."""

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFont

from batchgen.gateway.painter.colour import Across, Ball, Colour, Down, Paint

Point: TypeAlias = tuple[float, float]
Box: TypeAlias = tuple[int, int, int, int]
_Whole: TypeAlias = tuple[float, float, float, float]

_FINE: Final = 256
"""As many steps as a colour has levels: stretching them needs no smoothing, and runs of equal pixels pack well."""


class Canvas:
    """A picture in the making; coordinates in pixels, the origin at the upper left."""

    def __init__(self, image: Image.Image, *, fine: int | None = None) -> None:
        self.image = image
        self.width, self.height = image.size
        self._oversample = fine or (3 if max(image.size) <= 1024 else 2)

    @property
    def unit(self) -> int:
        """The short side, in pixels."""
        return min(self.width, self.height)

    def fill(self, outline: Sequence[Point], paint: Paint, opacity: float = 1.0) -> None:
        """One closed shape."""
        self.fill_all([outline], paint, opacity)

    def fill_all(self, outlines: Sequence[Sequence[Point]], paint: Paint, opacity: float = 1.0) -> None:
        """Several shapes in one go; the ramp spans the box around them all."""
        whole = _around(outlines)
        box = self._within(whole)
        if box is None:
            return
        fine, level = self._oversample, round(255 * opacity)
        mask = Image.new("L", ((box[2] - box[0]) * fine, (box[3] - box[1]) * fine))
        draw = ImageDraw.Draw(mask)
        for outline in outlines:
            draw.polygon([((x - box[0]) * fine, (y - box[1]) * fine) for x, y in outline], fill=level)
        self._lay(paint, whole, box, mask.reduce(fine))

    def specks(self, outlines: Iterable[Sequence[Point]], colour: Colour, opacity: float = 1.0) -> None:
        """Many small shapes spread over all of the picture, quick and without soft edges."""
        draw, fill = ImageDraw.Draw(self.image, "RGBA"), (*colour, round(255 * opacity))
        for outline in outlines:
            draw.polygon(outline, fill=fill)

    def write(self, text: str, centre: Point, room: Point, colour: Colour) -> None:
        """One line of lettering, as large as fits into a room of this width and height."""
        if not text.strip():
            return
        size = room[1]
        left, top, right, low = ImageFont.load_default(size).getbbox(text)
        size *= min(room[0] / max(right - left, 1), room[1] / max(low - top, 1), 1.0)
        font = ImageFont.load_default(max(size, 6))
        ImageDraw.Draw(self.image).text(centre, text, colour, font, anchor="mm")

    def soft(self, centre: Point, reach: Point, colour: Colour, opacity: float) -> None:
        """A patch that fades out to all sides: shadow, or haze."""
        whole, box = self._patch(centre, reach)
        if box is not None:
            mask = _stretch(_puff(), whole, box).point([round(value * opacity) for value in range(256)])
            self.image.paste(colour, box, mask)

    def glow(self, centre: Point, reach: float, colour: Colour, opacity: float) -> None:
        """Light that is added to what is there."""
        whole, box = self._patch(centre, (reach, reach))
        if box is not None:
            light = _stretch(_shine(colour, round(opacity, 2)), whole, box)
            self.image.paste(ImageChops.screen(self.image.crop(box), light), box[:2])

    def _patch(self, centre: Point, reach: Point) -> tuple[_Whole, Box | None]:
        whole = (centre[0] - reach[0], centre[1] - reach[1], centre[0] + reach[0], centre[1] + reach[1])
        return whole, self._within(whole)

    def _lay(self, paint: Paint, whole: _Whole, box: Box, mask: Image.Image) -> None:
        match paint:
            case Down() | Across() | Ball():
                self.image.paste(_stretch(_texture(paint), whole, box), box[:2], mask)
            case colour:
                self.image.paste(colour, box, mask)

    def _within(self, whole: _Whole) -> Box | None:
        box = (
            max(0, math.floor(whole[0])),
            max(0, math.floor(whole[1])),
            min(self.width, math.ceil(whole[2])),
            min(self.height, math.ceil(whole[3])),
        )
        return box if box[0] < box[2] and box[1] < box[3] else None


class Pen:
    """Draws in a subject's own coordinates: x and y in -1..1, y downwards, the ground at y = 1.

    Names of shapes take centres and reaches in those units; `flip` -1 mirrors the subject, never its light.
    """

    def __init__(self, canvas: Canvas, centre: Point, scale: float, *, flip: int = 1, fall: int = 1) -> None:
        self.canvas, self.centre, self.scale, self.flip, self.fall = canvas, centre, scale, flip, fall

    def at(self, x: float, y: float) -> Point:
        """Where a point of the subject lies on the canvas, in pixels."""
        down = (y - 1) * self.fall + 1
        return self.centre[0] + x * self.scale * self.flip, self.centre[1] + down * self.scale

    def shape(self, points: Iterable[Point], paint: Paint, opacity: float = 1.0) -> None:
        """Straight edges between the points."""
        self.canvas.fill([self.at(x, y) for x, y in points], paint, opacity)

    def shapes(self, outlines: Iterable[Iterable[Point]], paint: Paint, opacity: float = 1.0) -> None:
        """Several shapes under one ramp."""
        self.canvas.fill_all([[self.at(x, y) for x, y in outline] for outline in outlines], paint, opacity)

    def smooth(self, points: Sequence[Point], paint: Paint, opacity: float = 1.0) -> None:
        """A soft closed curve through the points."""
        self.shape(curve(points), paint, opacity)

    def oval(self, centre: Point, reach: Point, paint: Paint, opacity: float = 1.0) -> None:
        """An ellipse."""
        self.shape(ellipse(centre, reach), paint, opacity)

    def box(self, first: Point, last: Point, paint: Paint, radius: float = 0.0) -> None:
        """A rectangle between two corners, round at its corners by `radius`."""
        self.shape(rounded(first, last, radius), paint)

    def line(self, points: Sequence[Point], width: float, paint: Paint, opacity: float = 1.0) -> None:
        """A stroke with round ends."""
        pieces = [_bar(a, b, width) for a, b in pairwise(points)]
        joints = [ellipse(point, (width / 2, width / 2), 20) for point in points]
        self.shapes([*pieces, *joints], paint, opacity)

    def glow(self, centre: Point, reach: float, colour: Colour, opacity: float) -> None:
        """Added light."""
        self.canvas.glow(self.at(*centre), reach * self.scale, colour, opacity)

    def write(self, text: str, centre: Point, room: Point, colour: Colour) -> None:
        """One line of lettering within a room of this width and height."""
        self.canvas.write(text, self.at(*centre), (room[0] * self.scale, room[1] * self.scale), colour)

    def shadow(self, centre: Point, reach: Point, opacity: float) -> None:
        """A soft dark patch."""
        self.canvas.soft(self.at(*centre), (reach[0] * self.scale, reach[1] * self.scale), (14, 10, 26), opacity)

    def part(self, centre: Point, share: float, *, flip: int = 1) -> "Pen":
        """A smaller pen around a point of this subject, for a thing within the thing."""
        return Pen(self.canvas, self.at(*centre), self.scale * share, flip=self.flip * flip, fall=self.fall)


def ellipse(centre: Point, reach: Point, points: int = 72) -> list[Point]:
    """The outline of an ellipse."""
    turns = [2 * math.pi * step / points for step in range(points)]
    return [(centre[0] + reach[0] * math.cos(turn), centre[1] + reach[1] * math.sin(turn)) for turn in turns]


def rounded(first: Point, last: Point, radius: float) -> list[Point]:
    """The outline of a rectangle with round corners."""
    if radius <= 0:
        return [first, (last[0], first[1]), last, (first[0], last[1])]
    left, right = sorted((first[0], last[0]))
    top, bottom = sorted((first[1], last[1]))
    radius = min(radius, (right - left) / 2, (bottom - top) / 2)
    corners = ((right, bottom, -1, -1), (left, bottom, 1, -1), (left, top, 1, 1), (right, top, -1, 1))
    outline = []
    for quarter, (x, y, inwards, upwards) in enumerate(corners):
        for step in range(9):
            turn = math.pi / 2 * (quarter + step / 8)
            outline.append(
                (x + inwards * radius + radius * math.cos(turn), y + upwards * radius + radius * math.sin(turn))
            )
    return outline


def curve(points: Sequence[Point], steps: int = 10) -> list[Point]:
    """A closed Catmull-Rom curve through the points."""
    count = len(points)
    outline = []
    for index in range(count):
        before, start, end, after = (points[(index + offset) % count] for offset in (-1, 0, 1, 2))
        for step in range(steps):
            t = step / steps
            outline.append(
                (_through(before[0], start[0], end[0], after[0], t), _through(before[1], start[1], end[1], after[1], t))
            )
    return outline


def _through(before: float, start: float, end: float, after: float, t: float) -> float:
    return 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )


def _bar(first: Point, last: Point, width: float) -> list[Point]:
    dx, dy = last[0] - first[0], last[1] - first[1]
    length = math.hypot(dx, dy) or 1.0
    nx, ny = -dy / length * width / 2, dx / length * width / 2
    return [
        (first[0] + nx, first[1] + ny),
        (last[0] + nx, last[1] + ny),
        (last[0] - nx, last[1] - ny),
        (first[0] - nx, first[1] - ny),
    ]


def _around(outlines: Sequence[Sequence[Point]]) -> _Whole:
    across = [x for outline in outlines for x, _ in outline]
    down = [y for outline in outlines for _, y in outline]
    return min(across), min(down), max(across), max(down)


def _stretch(texture: Image.Image, whole: _Whole, box: Box) -> Image.Image:
    """The part of a texture over `whole` that lies in `box`, at the size of the box."""
    across = texture.width / max(whole[2] - whole[0], 1e-6)
    down = texture.height / max(whole[3] - whole[1], 1e-6)
    part = (
        max(0.0, (box[0] - whole[0]) * across),
        max(0.0, (box[1] - whole[1]) * down),
        min(float(texture.width), (box[2] - whole[0]) * across),
        min(float(texture.height), (box[3] - whole[1]) * down),
    )
    return texture.resize((box[2] - box[0], box[3] - box[1]), Image.Resampling.NEAREST, box=part)


@lru_cache(maxsize=512)
def _texture(paint: Down | Across | Ball) -> Image.Image:
    match paint:
        case Down(stops):
            return _ramp(np.linspace(0, 1, _FINE)[:, None], stops)
        case Across(stops):
            return _ramp(np.linspace(0, 1, _FINE)[None, :], stops)
        case Ball(stops, x, y):
            rows, columns = np.mgrid[0 : 1 : _FINE * 1j, 0 : 1 : _FINE * 1j]
            far = math.hypot(max(x, 1 - x), max(y, 1 - y)) * 0.86
            return _ramp(np.hypot(columns - x, rows - y) / far, stops)


def _ramp(places: np.ndarray, stops: tuple[Colour, ...]) -> Image.Image:
    knots = np.linspace(0, 1, len(stops))
    parts = [np.interp(places, knots, [stop[part] for stop in stops]) for part in range(3)]
    return Image.fromarray(np.stack(parts, -1).round().astype(np.uint8))


@lru_cache(maxsize=1)
def _puff() -> Image.Image:
    rows, columns = np.mgrid[-1 : 1 : _FINE * 1j, -1 : 1 : _FINE * 1j]
    fade = np.clip(1 - np.hypot(columns, rows), 0, 1)
    return Image.fromarray((255 * fade * fade * (3 - 2 * fade)).astype(np.uint8))


@lru_cache(maxsize=128)
def _shine(colour: Colour, opacity: float) -> Image.Image:
    light = Image.new("RGB", (_FINE, _FINE))
    light.paste(colour, (0, 0), _puff().point([round(value * opacity) for value in range(256)]))
    return light

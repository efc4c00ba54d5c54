"""Backdrops made by people: studio, desk, room, street, and pure pattern; each says how high the ground lies."""

import numpy as np
from PIL import Image, ImageFilter

from batchgen.gateway.painter.canvas import Canvas, Point
from batchgen.gateway.painter.colour import Colour, Down, darker, lighter, luminance, mix, turned
from batchgen.gateway.painter.noise import coloured, dune, fractal, image, smooth, warped
from batchgen.gateway.painter.skies import Light, sky
from batchgen.gateway.painter.terrain import land

_COARSE = 288


def studio(canvas: Canvas, light: Light, rng: np.random.Generator, tint: Colour | None) -> float:
    """A seamless sweep of paper with a pool of light."""
    paper = tint or (214, 218, 226)
    paper = mix(paper, light.sky[1], 0.25) if light.stars else paper
    dark = luminance(paper) < 0.35
    width, height = _coarse(canvas)
    rows, columns = _places(width, height)
    lamp = 0.34 + 0.3 * rng.random()
    pool = np.exp(-(((columns - lamp) / 0.5) ** 2 + ((rows - 0.36) / 0.42) ** 2))
    floor = smooth(0.58, 0.8, rows) * np.exp(-(((columns - 0.5) / 0.62) ** 2))
    shine = 0.72 * pool + 0.42 * floor + 0.05 * fractal(rng, width, height, cells=2, octaves=3)
    stops = (darker(paper, 0.5), paper, lighter(paper, 0.5 if dark else 0.78), lighter(paper, 0.6 if dark else 0.95))
    canvas.image.paste(
        image(coloured(np.asarray(shine * 0.95 + 0.12, np.float32), stops)).resize(
            canvas.image.size, Image.Resampling.BILINEAR
        )
    )
    return 0.8


def desk(canvas: Canvas, light: Light, rng: np.random.Generator, tint: Colour | None) -> float:
    """A table top before a room out of focus."""
    table = tint or (176, 124, 82)
    wall = mix(light.sky[1], turned(lighter(table, 0.35), 0.05), 0.55)
    width, height = _coarse(canvas)
    rows, columns = _places(width, height)
    blur = fractal(rng, width, height, cells=2.2, octaves=2)
    window = np.exp(-(((columns - 0.22 - 0.5 * rng.random()) / 0.3) ** 2 + ((rows - 0.2) / 0.34) ** 2))
    shine = np.asarray(0.62 * blur * (1 - 0.4 * rows) + 0.6 * window, np.float32)
    stops = (darker(wall, 0.55), wall, lighter(wall, 0.55), lighter(light.body, 0.5))
    canvas.image.paste(image(coloured(shine, stops)).resize(canvas.image.size, Image.Resampling.BILINEAR))
    for _ in range(9):
        centre = (rng.random() * canvas.width, rng.random() * canvas.height * 0.55)
        reach = canvas.unit * (0.05 + 0.06 * rng.random())
        canvas.glow(centre, reach, light.body, 0.3)
        canvas.fill(_disc(centre, reach * 0.5), light.body, 0.13)
    _table_top(canvas, rng, table)
    return 0.84


def interior(canvas: Canvas, light: Light, rng: np.random.Generator, tint: Colour | None) -> float:
    """A quiet room: wall, floor, and the light of a window on both."""
    wall = mix(tint or (222, 208, 192), light.sky[1], 0.22)
    width, height = _coarse(canvas)
    rows, columns = _places(width, height)
    shine = 0.5 + 0.42 * np.exp(-(((columns - 0.15) / 0.7) ** 2 + ((rows - 0.25) / 0.6) ** 2)) - 0.2 * columns
    canvas.image.paste(
        image(coloured(np.asarray(shine, np.float32), (darker(wall, 0.5), wall, lighter(wall, 0.7)))).resize(
            canvas.image.size
        )
    )
    across, down = canvas.width, canvas.height
    start = (0.5 + 0.2 * rng.random()) * across
    for pane in range(2):
        for row in range(2):
            x, y = start + pane * 0.11 * across, (0.1 + row * 0.2) * down + pane * 0.02 * down
            canvas.fill(
                [
                    (x, y),
                    (x + 0.1 * across, y + 0.02 * down),
                    (x + 0.08 * across, y + 0.2 * down),
                    (x - 0.02 * across, y + 0.18 * down),
                ],
                lighter(light.body, 0.2),
                0.42,
            )
    wood = mix((166, 116, 78), light.shade, 0.15)
    top = 0.72 * down
    canvas.fill(
        [(-2, top), (across + 2, top), (across + 2, down + 2), (-2, down + 2)],
        Down((darker(wood, 0.22), wood, lighter(wood, 0.15))),
    )
    for plank in range(-9, 10):
        x, far = across * (0.5 + plank * 0.075), across * (0.5 + plank * 0.19)
        canvas.fill(
            [(x, top), (x + 1.2, top), (far + canvas.unit * 0.004, down + 2), (far, down + 2)], darker(wood, 0.5), 0.4
        )
    canvas.fill(
        [(-2, top - 0.022 * down), (across + 2, top - 0.022 * down), (across + 2, top), (-2, top)], lighter(wall, 0.65)
    )
    canvas.soft((across * 0.45, down * 0.9), (across * 0.42, down * 0.1), lighter(light.body, 0.1), 0.4)
    return 0.87


def city(canvas: Canvas, light: Light, rng: np.random.Generator, tint: Colour | None) -> float:
    """Towers in three depths with lit windows, mirrored in a wet street."""
    sky(canvas, light, rng, horizon=0.8)
    canvas.glow(
        (canvas.width * (0.3 + 0.4 * rng.random()), canvas.height * 0.62), canvas.unit * 0.75, light.sky[-1], 0.6
    )
    stone = mix(tint or (72, 84, 116), light.shade, 0.5)
    street = 0.76
    for layer in range(3):
        share = (layer + 0.5) / 3
        near = mix(light.sky[-1], darker(stone, 0.25), 0.3 + 0.7 * share)
        _towers(canvas, rng, (street, 0.62 - 0.15 * layer), (near, light, share))
        canvas.soft(
            (canvas.width / 2, canvas.height * street),
            (canvas.width, canvas.height * 0.2),
            light.sky[-1],
            0.3 - 0.1 * layer,
        )
    mirror(canvas, street, mix(stone, light.shade, 0.5))
    return 0.9


def underwater(canvas: Canvas, light: Light, rng: np.random.Generator, tint: Colour | None) -> float:
    """Blue depth with light from above, bubbles and a sandy bed."""
    blue = mix(tint or (24, 132, 176), light.shade, 0.12)
    deep = Light(
        (lighter(blue, 0.62), blue, darker(blue, 0.6)), light.body, darker(blue), lighter(blue, 0.45), clouds=0.35
    )
    sky(canvas, deep, rng)
    for _ in range(8):
        x, wide, lean = rng.random() * canvas.width, canvas.width * (0.02 + 0.05 * rng.random()), canvas.width * 0.16
        canvas.fill(
            [(x, -2), (x + wide, -2), (x + wide * 2.4 + lean, canvas.height), (x - wide + lean, canvas.height)],
            lighter(blue, 0.75),
            0.07,
        )
    for layer in range(2):
        bed = mix(mix(blue, (226, 206, 160), 0.4 + 0.2 * layer), light.shade, 0.2)
        land(canvas, dune(rng), (0.83 + 0.07 * layer, 0.88 + 0.07 * layer), Down((lighter(bed, 0.2), darker(bed, 0.4))))
    for _ in range(26):
        centre = (rng.random() * canvas.width, rng.random() * canvas.height * 0.9)
        reach = canvas.unit * (0.004 + 0.014 * rng.random() ** 2)
        canvas.fill(_disc(centre, reach), lighter(blue, 0.7), 0.35)
        canvas.fill(_disc((centre[0] - reach * 0.3, centre[1] - reach * 0.3), reach * 0.35), (255, 255, 255), 0.8)
    return 0.72


def abstract(canvas: Canvas, light: Light, rng: np.random.Generator, tint: Colour | None) -> float:
    """Folded colour: marbled noise under ribbons of light."""
    first = tint or light.sky[0]
    stops = (
        darker(first, 0.6),
        first,
        turned(first, 0.1),
        lighter(turned(first, 0.22), 0.3),
        lighter(turned(first, 0.45), 0.55),
    )
    width, height = _coarse(canvas)
    field = warped(rng, width, height, cells=1.6, strength=0.7)
    canvas.image.paste(
        image(coloured(field, stops))
        .resize(canvas.image.size, Image.Resampling.BICUBIC)
        .filter(ImageFilter.BoxBlur(canvas.unit / 200))
    )
    for layer in range(5):
        line = dune(rng, waves=0.8)
        edge = stops[1 + layer % 4]
        middle = 0.3 + 0.15 * layer
        land(canvas, line, (middle, middle + 0.26), Down((lighter(edge, 0.45), edge, darker(edge, 0.42))))
        canvas.soft(
            (canvas.width * rng.random(), canvas.height * (middle + 0.3)),
            (canvas.width * 0.6, canvas.height * 0.3),
            darker(edge, 0.5),
            0.3,
        )
    return 0.8


def _coarse(canvas: Canvas) -> tuple[int, int]:
    scale = _COARSE / max(canvas.width, canvas.height)
    return max(8, round(canvas.width * scale)), max(8, round(canvas.height * scale))


def _places(width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    return rows.astype(np.float32), columns.astype(np.float32)


def _disc(centre: Point, reach: float) -> list[Point]:
    return [
        (centre[0] + reach * float(np.cos(turn)), centre[1] + reach * float(np.sin(turn)))
        for turn in np.linspace(0, 6.1, 36)
    ]


def _table_top(canvas: Canvas, rng: np.random.Generator, table: Colour) -> None:
    top, across, down = 0.66 * canvas.height, canvas.width, canvas.height
    pale = lighter(table, 0.32)
    canvas.fill(
        [(-2, top), (across + 2, top), (across + 2, down + 2), (-2, down + 2)], Down((pale, table, darker(table, 0.25)))
    )
    canvas.soft((across * 0.35, top + down * 0.08), (across * 0.5, down * 0.12), lighter(pale, 0.6), 0.5)
    if luminance(table) > 0.75:
        return
    for _ in range(26):
        y = top + (down - top) * rng.random() ** 0.8
        x, reach = rng.random() * across, across * (0.15 + 0.3 * rng.random())
        thick = canvas.unit * 0.0022
        canvas.fill([(x - reach, y), (x, y - thick), (x + reach, y), (x, y + thick)], darker(table, 0.5), 0.22)


def _towers(
    canvas: Canvas, rng: np.random.Generator, span: tuple[float, float], look: tuple[Colour, Light, float]
) -> None:
    foot, tall = span[0] * canvas.height, span[1]
    colour, light, share = look
    bodies: list[list[Point]] = []
    windows: list[list[Point]] = []
    x = -0.02 * canvas.width
    while x < canvas.width:
        wide = canvas.height * (0.05 + 0.07 * rng.random()) * (0.7 + 0.5 * share)
        high = canvas.height * tall * (0.35 + 0.65 * rng.random() ** 1.5)
        top = foot - high
        bodies.append([(x, foot), (x, top), (x + wide, top), (x + wide, foot)])
        if rng.random() < 0.3:
            middle, spire = x + wide / 2, high * 0.16
            bodies.append([(middle - wide * 0.06, top), (middle, top - spire), (middle + wide * 0.06, top)])
        windows += _windows(rng, (x, top, wide, high), canvas.height * (0.007 + 0.006 * share))
        x += wide * (1.0 + 0.25 * rng.random())
    canvas.fill_all(bodies, Down((lighter(colour, 0.08), darker(colour, 0.25))))
    glass = (255, 214, 130) if light.stars else lighter(light.sky[-1], 0.3)
    canvas.specks([each for index, each in enumerate(windows) if index % 5], glass, 0.3 + 0.55 * share)
    if light.stars:
        canvas.specks(windows[::5], (110, 226, 255), 0.35 + 0.5 * share)


def _windows(rng: np.random.Generator, place: tuple[float, float, float, float], size: float) -> list[list[Point]]:
    x, top, wide, high = place
    panes: list[list[Point]] = []
    columns, rows = int((wide - size) / (size * 1.9)), int((high - size) / (size * 2.3))
    lit = rng.random((max(rows, 0), max(columns, 0))) < 0.42
    for row, column in zip(*np.nonzero(lit), strict=True):
        left, up = x + size * (0.8 + 1.9 * float(column)), top + size * (1.2 + 2.3 * float(row))
        panes.append([(left, up), (left + size, up), (left + size, up + size * 1.3), (left, up + size * 1.3)])
    return panes


def mirror(canvas: Canvas, street: float, wet: Colour) -> None:
    """Still water or a wet street from `street` (a share of the height) down."""
    top = round(street * canvas.height)
    deep = canvas.height - top
    small = canvas.image.crop((0, top - deep, canvas.width, top)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    small = small.resize((max(1, canvas.width // 4), max(1, deep // 16))).resize(
        (canvas.width, deep), Image.Resampling.BICUBIC
    )
    canvas.image.paste(Image.blend(small, Image.new("RGB", small.size, wet), 0.45), (0, top))

"""Plants; every subject takes a pen and its colour, and stands on y = 1."""

import math

from batchgen.gateway.painter.canvas import Pen, Point
from batchgen.gateway.painter.colour import Ball, Colour, Down, darker, globe, lighter, mix, slope, tube
from batchgen.gateway.painter.terrain import fir_outline

_LEAF: Colour = (84, 150, 82)


def flower(pen: Pen, colour: Colour) -> None:
    """A full blossom on its stem."""
    pen.line([(0.06, 1), (0.02, 0.5), (0, -0.1)], 0.06, darker(_LEAF, 0.15))
    pen.smooth([(0.03, 0.8), (0.3, 0.42), (0.66, 0.36), (0.42, 0.7)], slope(_LEAF))
    pen.smooth([(0.02, 0.92), (-0.26, 0.6), (-0.6, 0.58), (-0.36, 0.86)], slope(darker(_LEAF, 0.1)))
    for ring, (count, reach, wide) in enumerate(((9, 0.6, 0.17), (8, 0.46, 0.15), (6, 0.3, 0.11))):
        tone = lighter(colour, 0.18 * ring)
        for step in range(count):
            pen.smooth(
                _petal((0, -0.34), 2 * math.pi * (step + 0.5 * ring) / count, (reach, wide)),
                Ball((lighter(tone, 0.3), tone, darker(tone, 0.35)), 0.5, 0.5),
            )
    pen.oval((0, -0.34), (0.13, 0.13), globe((244, 196, 74)))


def plant(pen: Pen, colour: Colour) -> None:
    """Broad leaves in a clay pot."""
    for index, (x, y) in enumerate(
        ((-0.7, -0.3), (0.72, -0.24), (-0.44, -0.72), (0.46, -0.7), (0, -0.92), (-0.66, 0.12), (0.64, 0.14))
    ):
        tone = mix(colour, darker(colour, 0.3), (index % 3) / 2)
        side = (-y * 0.26 - 0.08, x * 0.26)
        pen.smooth(
            [
                (0, 0.4),
                (x * 0.55 + side[0], 0.4 + (y - 0.4) * 0.55 + side[1]),
                (x, y),
                (x * 0.55 - side[0], 0.4 + (y - 0.4) * 0.55 - side[1]),
            ],
            slope(tone),
        )
        pen.line([(0, 0.4), (x * 0.94, 0.4 + (y - 0.4) * 0.94)], 0.014, lighter(tone, 0.5), 0.7)
    pen.shape([(-0.38, 0.38), (0.38, 0.38), (0.28, 1), (-0.28, 1)], tube((204, 124, 90)))
    pen.box((-0.44, 0.3), (0.44, 0.46), tube((216, 138, 104)), 0.03)


def cactus(pen: Pen, colour: Colour) -> None:
    """A tall cactus with two arms."""
    for side, start, top in ((-1, 0.34, -0.3), (1, 0.1, -0.52)):
        pen.line([(0, start), (side * 0.48, start), (side * 0.52, top)], 0.26, tube(darker(colour, 0.12)))
    pen.box((-0.24, -0.9), (0.24, 1), tube(colour), 0.24)
    for x in (-0.13, -0.02, 0.1):
        pen.line([(x, -0.76), (x, 0.96)], 0.014, darker(colour, 0.5), 0.5)
    pen.oval((0, -0.92), (0.1, 0.08), globe((236, 96, 130)))
    pen.oval((-0.5, -0.42), (0.07, 0.06), globe((236, 96, 130)))


def tree(pen: Pen, colour: Colour) -> None:
    """A broad tree, its crown built of light and dark."""
    pen.smooth([(-0.12, 0.1), (0.12, 0.1), (0.11, 0.7), (0.26, 1), (-0.26, 1), (-0.11, 0.7)], tube((116, 82, 60)))
    pen.line([(0, 0.3), (-0.34, -0.1)], 0.08, (100, 70, 52))
    pen.line([(0, 0.24), (0.34, -0.14)], 0.08, (100, 70, 52))
    clumps = (
        (-0.5, -0.02, 0.4),
        (0.52, -0.02, 0.4),
        (0, 0.06, 0.42),
        (-0.34, -0.42, 0.42),
        (0.38, -0.4, 0.42),
        (0, -0.62, 0.4),
    )
    for x, y, reach in clumps:
        pen.oval((x, y), (reach, reach * 0.86), globe(darker(colour, 0.12)))
    for index in range(34):
        turn, far = index * 2.4, 0.78 * math.sqrt(index / 34)
        x, y = far * math.cos(turn) * 0.98, -0.3 + far * math.sin(turn) * 0.66
        tone = lighter(colour, max(0.0, 0.3 - 0.4 * (x + y + 0.3)))
        pen.oval((x, y), (0.15, 0.11), tone, 0.2)


def fir(pen: Pen, colour: Colour) -> None:
    """A conifer."""
    outline = fir_outline((0, 1), 1.96)
    pen.shape(outline, Down((lighter(colour, 0.35), colour, darker(colour, 0.35))))
    pen.shape([(max(x, 0.0), y) for x, y in outline], darker(colour, 0.5), 0.4)


def palm(pen: Pen, colour: Colour) -> None:
    """A leaning palm."""
    pen.smooth([(-0.1, 1), (0.02, 0.3), (0.2, -0.4), (0.28, -0.36), (0.16, 0.3), (0.12, 1)], slope((158, 118, 84)))
    for turn in (-2.9, -2.4, -1.9, -1.3, -0.8, -0.3, 0.25, 2.8):
        tip = (0.24 + 0.8 * math.cos(turn), -0.36 + 0.44 * math.sin(turn) + 0.26)
        middle = (0.24 + 0.46 * math.cos(turn), -0.42 + 0.5 * math.sin(turn))
        pen.smooth(
            [(0.24, -0.38), (middle[0], middle[1] - 0.07), tip, (middle[0], middle[1] + 0.09)],
            slope(mix(colour, darker(colour, 0.3), (turn + 3) / 6)),
        )
    for x in (0.18, 0.28):
        pen.oval((x, -0.3), (0.07, 0.07), globe((112, 78, 54)))


def mushroom(pen: Pen, colour: Colour) -> None:
    """A spotted cap on a pale stem."""
    pen.smooth([(-0.2, 0.0), (0.2, 0.0), (0.24, 0.6), (0.34, 1), (-0.34, 1), (-0.24, 0.6)], tube((240, 230, 210)))
    pen.oval((0, 0.1), (0.78, 0.16), (214, 196, 168))
    pen.smooth(
        [
            (-0.92, 0.1),
            (-0.76, -0.5),
            (-0.3, -0.86),
            (0.3, -0.86),
            (0.76, -0.5),
            (0.92, 0.1),
            (0.4, 0.04),
            (-0.4, 0.04),
        ],
        globe(colour),
    )
    for x, y, reach in (
        (-0.5, -0.34, 0.13),
        (0, -0.6, 0.15),
        (0.46, -0.36, 0.12),
        (0.1, -0.2, 0.1),
        (-0.24, -0.1, 0.08),
        (0.7, -0.08, 0.07),
        (-0.74, -0.08, 0.07),
    ):
        pen.oval((x, y), (reach, reach * 0.8), (252, 248, 238), 0.95)


def _petal(centre: Point, turn: float, size: Point) -> list[Point]:
    reach, wide = size
    along, side = (math.cos(turn), math.sin(turn)), (-math.sin(turn), math.cos(turn))

    def at(far: float, off: float) -> Point:
        return centre[0] + along[0] * far + side[0] * off, centre[1] + along[1] * far + side[1] * off

    return [
        at(0.02, 0),
        at(reach * 0.55, wide),
        at(reach, wide * 0.35),
        at(reach, -wide * 0.35),
        at(reach * 0.55, -wide),
    ]

"""Simple bodies and fruit; every subject takes a pen and its colour, and stands on y = 1."""

import math
from itertools import pairwise

from batchgen.gateway.painter.canvas import Pen, ellipse
from batchgen.gateway.painter.colour import LIGHT, Ball, Colour, Down, darker, globe, lighter, mix, slope, turned


def cube(pen: Pen, colour: Colour) -> None:
    """A cube seen from a corner, its edges catching the light."""
    top, left, right = (0, -0.72), (-0.86, -0.3), (0.86, -0.3)
    near, low, left_low, right_low = (0, 0.16), (0, 1.0), (-0.86, 0.52), (0.86, 0.52)
    pen.shape([left, near, low, left_low], Down((colour, darker(colour, 0.18), darker(colour, 0.4))))
    pen.shape([near, right, right_low, low], Down((darker(colour, 0.34), darker(colour, 0.52), darker(colour, 0.64))))
    pen.shape([top, right, near, left], Down((lighter(colour, 0.5), lighter(colour, 0.22))))
    edge = lighter(colour, 0.8)
    for line in ([left, near], [near, right], [near, low]):
        pen.line(line, 0.014, edge, 0.75)
    pen.smooth([(-0.7, -0.1), (-0.5, 0.02), (-0.5, 0.5), (-0.7, 0.38)], lighter(colour, 0.6), 0.16)


def sphere(pen: Pen, colour: Colour) -> None:
    """A polished ball with a window's reflection."""
    pen.oval((0, 0.1), (0.9, 0.9), globe(colour))
    pen.oval((0.16, 0.72), (0.5, 0.2), lighter(colour, 0.4), 0.16)
    pen.oval((-0.34, -0.34), (0.2, 0.13), LIGHT, 0.75)
    pen.glow((-0.34, -0.34), 0.5, LIGHT, 0.45)


def planet(pen: Pen, colour: Colour) -> None:
    """A banded planet within its ring."""
    ring = lighter(colour, 0.45)
    outer, inner = ellipse((0, 0.1), (1.25, 0.3), 96), ellipse((0, 0.1), (0.98, 0.2), 96)
    half = len(outer) // 2
    pen.shape([*outer[half:], outer[0], inner[0], *reversed(inner[half:])], mix(ring, colour, 0.4), 0.85)
    pen.oval((0, 0.1), (0.78, 0.78), globe(colour))
    for y, reach in ((-0.3, 0.62), (-0.08, 0.74), (0.16, 0.76), (0.42, 0.66)):
        pen.oval((0, y), (reach, 0.06), darker(colour, 0.3), 0.28)
    pen.shape([*outer[: half + 1], *reversed(inner[: half + 1])], Down((ring, mix(ring, colour, 0.5))), 0.92)


def pyramid(pen: Pen, colour: Colour) -> None:
    """Two faces, one in the sun."""
    pen.shape([(0, -0.7), (-1.0, 0.82), (0.24, 1.0)], Down((lighter(colour, 0.55), lighter(colour, 0.2), colour)))
    pen.shape([(0, -0.7), (0.24, 1.0), (0.98, 0.72)], Down((darker(colour, 0.25), darker(colour, 0.55))))
    for step in range(1, 9):
        y = step / 9
        pen.line([(-y, -0.7 + 1.52 * y), (0.24 * y, -0.7 + 1.7 * y)], 0.008, darker(colour, 0.5), 0.3)


def gem(pen: Pen, colour: Colour) -> None:
    """A cut stone."""
    crown = [(-0.95, -0.12), (-0.55, -0.55), (0.55, -0.55), (0.95, -0.12)]
    tones = (lighter(colour, 0.75), lighter(colour, 0.35), colour, darker(colour, 0.25), darker(colour, 0.5))
    marks = [(-0.95, -0.12), (-0.42, -0.12), (0.0, -0.12), (0.42, -0.12), (0.95, -0.12)]
    for index, (a, b) in enumerate(pairwise(marks)):
        pen.shape([a, b, (0, 1)], Down((tones[(index * 2) % 5], tones[(index * 2 + 2) % 5])))
    pen.shape(crown, Down((lighter(colour, 0.85), lighter(colour, 0.25))))
    pen.shape([(-0.55, -0.55), (-0.95, -0.12), (-0.42, -0.12)], tones[1], 0.85)
    pen.shape([(-0.55, -0.55), (-0.42, -0.12), (0, -0.55)], tones[3], 0.5)
    pen.shape([(0.55, -0.55), (0.42, -0.12), (0.95, -0.12)], tones[3], 0.85)
    pen.shape([(0, -0.55), (-0.42, -0.12), (0.42, -0.12)], tones[0], 0.8)
    pen.glow((-0.4, -0.4), 0.5, LIGHT, 0.8)


def heart(pen: Pen, colour: Colour) -> None:
    """A glossy heart."""
    points = []
    for step in range(90):
        turn = 2 * math.pi * step / 90
        down = 13 * math.cos(turn) - 5 * math.cos(2 * turn) - 2 * math.cos(3 * turn) - math.cos(4 * turn)
        points.append((0.93 * math.sin(turn) ** 3, 0.06 - down / 17.5))
    pen.shape(points, globe(colour))
    pen.smooth([(-0.62, -0.3), (-0.5, -0.56), (-0.28, -0.58), (-0.44, -0.4)], LIGHT, 0.65)


def crown(pen: Pen, colour: Colour) -> None:
    """Five points with stones."""
    points = [(-0.95, -0.2), (-0.5, 0.3), (-0.45, -0.45), (-0.18, 0.22), (0, -0.62), (0.18, 0.22),
        (0.45, -0.45), (0.5, 0.3), (0.95, -0.2), (0.75, 1), (-0.75, 1)]  # fmt: skip
    pen.shape(points, Down((lighter(colour, 0.6), colour, darker(colour, 0.35))))
    pen.box((-0.77, 0.7), (0.77, 1.0), Down((lighter(colour, 0.4), darker(colour, 0.3))), 0.05)
    for x, y in ((-0.95, -0.25), (-0.45, -0.5), (0, -0.68), (0.45, -0.5), (0.95, -0.25)):
        pen.oval((x, y), (0.08, 0.08), globe(lighter(colour, 0.4)))
    for index, x in enumerate((-0.5, -0.25, 0, 0.25, 0.5)):
        pen.oval((x, 0.85), (0.08, 0.08), globe(turned(colour, 0.5 + 0.12 * (index % 2))))


def apple(pen: Pen, colour: Colour) -> None:
    """Round, with a stalk and a leaf."""
    pen.smooth([(0, -0.42), (0.4, -0.6), (0.85, -0.3), (0.86, 0.3), (0.5, 0.92), (0.14, 0.97), (0, 0.93),
        (-0.14, 0.97), (-0.5, 0.92), (-0.86, 0.3), (-0.85, -0.3), (-0.4, -0.6)], globe(colour))  # fmt: skip
    pen.oval((0, -0.42), (0.26, 0.08), darker(colour, 0.55), 0.6)
    pen.line([(0, -0.42), (0.05, -0.7), (0.14, -0.9)], 0.06, (92, 62, 42))
    pen.smooth([(0.08, -0.66), (0.3, -0.92), (0.66, -0.88), (0.42, -0.62)], slope((96, 160, 70)))
    pen.smooth([(-0.6, -0.2), (-0.46, -0.4), (-0.34, -0.34), (-0.5, 0.1)], LIGHT, 0.55)


def pear(pen: Pen, colour: Colour) -> None:
    """Slim above, full below."""
    pen.smooth([(0, -0.75), (0.26, -0.6), (0.36, -0.15), (0.7, 0.35), (0.55, 0.88), (0, 1), (-0.55, 0.88),
        (-0.7, 0.35), (-0.36, -0.15), (-0.26, -0.6)], globe(colour))  # fmt: skip
    pen.line([(0, -0.72), (0.04, -0.98)], 0.06, (92, 62, 42))
    pen.smooth([(0.05, -0.82), (0.3, -1.02), (0.5, -0.92), (0.3, -0.78)], slope((96, 150, 70)))
    pen.smooth([(-0.42, 0.2), (-0.28, 0.05), (-0.24, 0.4), (-0.4, 0.5)], LIGHT, 0.5)


def citrus(pen: Pen, colour: Colour) -> None:
    """One fruit and its half."""
    pen.oval((-0.3, 0.36), (0.64, 0.64), globe(colour))
    pen.smooth([(-0.34, -0.26), (-0.1, -0.6), (0.3, -0.62), (0.02, -0.32)], slope((86, 150, 70)))
    pen.oval((0.5, 0.52), (0.48, 0.48), globe(darker(colour, 0.06)))
    pen.oval((0.46, 0.52), (0.42, 0.44), (252, 244, 222))
    for step in range(8):
        turn = 2 * math.pi * step / 8 + 0.2
        x, y = 0.46 + 0.21 * math.cos(turn), 0.52 + 0.22 * math.sin(turn)
        side = (0.075 * math.sin(turn), -0.075 * math.cos(turn))
        end = (0.46 + 0.39 * math.cos(turn), 0.52 + 0.41 * math.sin(turn))
        near = (0.46 + 0.04 * math.cos(turn), 0.52 + 0.04 * math.sin(turn))
        outline = [near, (x + side[0], y + side[1]), end, (x - side[0], y - side[1])]
        pen.smooth(outline, Ball((lighter(colour, 0.5), colour)))


def pumpkin(pen: Pen, colour: Colour) -> None:
    """Ribs and a stalk."""
    pen.smooth([(-0.06, -0.3), (-0.1, -0.62), (0.06, -0.78), (0.16, -0.7), (0.08, -0.3)], slope((98, 128, 66)))
    for x, wide in ((-0.6, 0.36), (0.6, 0.36), (-0.34, 0.4), (0.34, 0.4), (0, 0.38)):
        pen.oval((x, 0.35), (wide, 0.64), globe(darker(colour, abs(x) * 0.2)))


def moon(pen: Pen, colour: Colour) -> None:
    """A full moon with seas."""
    pen.glow((0, 0), 2.2, colour, 0.55)
    pen.oval((0, 0), (0.8, 0.8), Ball((lighter(colour, 0.6), colour, darker(colour, 0.18), darker(colour, 0.4))))
    for x, y, reach in (
        (-0.3, -0.3, 0.2),
        (0.24, -0.06, 0.26),
        (-0.16, 0.34, 0.16),
        (0.36, 0.4, 0.1),
        (0.1, -0.5, 0.09),
    ):
        pen.oval((x, y), (reach, reach * 0.85), darker(colour, 0.4), 0.28)


def sun(pen: Pen, colour: Colour) -> None:
    """A blazing disc with rays."""
    pen.glow((0, 0), 2.6, colour, 0.9)
    for step in range(16):
        turn = 2 * math.pi * step / 16
        far = 1.25 if step % 2 else 1.05
        ends = [(0.8 * math.cos(turn + off), 0.8 * math.sin(turn + off)) for off in (-0.09, 0.09)]
        pen.shape([ends[0], (far * math.cos(turn), far * math.sin(turn)), ends[1]], lighter(colour, 0.25), 0.7)
    pen.oval((0, 0), (0.72, 0.72), Ball((lighter(colour, 0.8), lighter(colour, 0.3), colour), 0.5, 0.5))

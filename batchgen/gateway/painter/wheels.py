"""What rolls; every subject takes a pen and its colour, and stands on y = 1."""

import math

from batchgen.gateway.painter.canvas import Pen, Point, ellipse
from batchgen.gateway.painter.colour import INK, LIGHT, WHITE, Colour, Down, darker, globe, lighter, slope, tube

_GLASS = Down(((214, 236, 246), (110, 150, 184)))


def bicycle(pen: Pen, colour: Colour) -> None:
    """A bicycle from the side."""
    for x in (-0.66, 0.66):
        _spoked(pen, (x, 0.56), 0.44)
    rear, front, crank, seat, head = (-0.66, 0.56), (0.66, 0.56), (-0.06, 0.6), (-0.26, -0.06), (0.46, -0.06)
    for line in ([rear, crank], [rear, seat], [crank, (-0.3, -0.2)], [seat, head], [crank, head]):
        pen.line(line, 0.07, slope(colour))
    pen.line([(0.4, -0.34), head, front], 0.06, slope(darker(colour, 0.15)))
    pen.line([(0.24, -0.4), (0.4, -0.36), (0.58, -0.44), (0.56, -0.56)], 0.05, INK)
    pen.smooth([(-0.52, -0.26), (-0.3, -0.3), (-0.08, -0.24), (-0.28, -0.18)], (86, 56, 42))
    pen.oval(crank, (0.12, 0.12), globe((150, 156, 168)))
    pen.line([(-0.02, 0.5), (0.04, 0.8)], 0.035, (90, 94, 104))
    pen.box((-0.06, 0.79), (0.16, 0.84), INK, 0.01)


def train(pen: Pen, colour: Colour) -> None:
    """A steam engine with a carriage, its smoke blown back."""
    for step in range(7):
        place = (-0.86 + 0.22 * step, -0.86 - 0.07 * step + 0.05 * (step % 2))
        pen.oval(place, (0.13 + 0.035 * step, 0.11 + 0.03 * step), (236, 236, 240), 0.62 - 0.07 * step)
    pen.box((-1.7, 0.97), (1.9, 1.0), (120, 110, 110))
    for step in range(19):
        pen.box((-1.7 + 0.2 * step, 1.0), (-1.6 + 0.2 * step, 1.05), (96, 72, 56))
    pen.box((0.62, -0.3), (1.66, 0.78), Down((lighter(colour, 0.3), colour, darker(colour, 0.3))), 0.05)
    pen.box((0.56, -0.4), (1.72, -0.28), slope((70, 66, 74)), 0.04)
    for x in (0.76, 1.08, 1.4):
        pen.box((x, -0.14), (x + 0.2, 0.22), _GLASS, 0.03)
    pen.line([(0.5, 0.74), (0.64, 0.74)], 0.06, INK)
    pen.box((0.06, -0.46), (0.52, 0.74), Down((lighter(colour, 0.2), darker(colour, 0.25))), 0.04)
    pen.box((0.0, -0.58), (0.58, -0.44), slope((60, 58, 66)), 0.04)
    pen.box((0.16, -0.34), (0.42, -0.02), _GLASS, 0.03)
    pen.box((-0.9, -0.16), (0.1, 0.5), Down(((110, 112, 124), (62, 64, 76), (34, 36, 46))), 0.14)
    for x in (-0.62, -0.3):
        pen.box((x, -0.17), (x + 0.05, 0.51), (214, 172, 84))
    pen.shape([(-0.82, -0.14), (-0.6, -0.14), (-0.64, -0.5), (-0.56, -0.68), (-0.86, -0.68), (-0.78, -0.5)],
        slope((52, 54, 64)))  # fmt: skip
    pen.oval((-0.22, -0.18), (0.13, 0.14), globe((214, 172, 84)))
    pen.oval((-0.9, 0.17), (0.07, 0.3), globe((80, 84, 96)))
    pen.glow((-1.0, -0.08), 0.34, LIGHT, 0.8)
    pen.oval((-0.96, -0.08), (0.07, 0.09), globe((255, 236, 170)))
    pen.shape([(-0.94, 0.6), (-0.9, 0.5), (0.5, 0.5), (0.5, 0.78), (-0.94, 0.78)], slope(darker(colour, 0.2)))
    pen.shape([(-0.94, 0.6), (-1.18, 0.96), (-0.8, 0.96)], slope(darker(colour, 0.35)))
    for x, reach in ((-0.66, 0.2), (-0.22, 0.24), (0.28, 0.24), (0.86, 0.17), (1.42, 0.17)):
        pen.oval((x, 0.96 - reach), (reach, reach), globe((52, 50, 58)))
        pen.oval((x, 0.96 - reach), (reach * 0.72, reach * 0.72), globe(lighter(colour, 0.1)))
        pen.oval((x, 0.96 - reach), (reach * 0.2, reach * 0.2), (230, 230, 236))
    pen.line([(-0.66, 0.8), (0.28, 0.76)], 0.05, (196, 200, 210))


def bus(pen: Pen, colour: Colour) -> None:
    """A bus from the side."""
    pen.box((-1.2, -0.5), (1.2, 0.8), Down((lighter(colour, 0.4), colour, darker(colour, 0.3))), 0.12)
    for step in range(5):
        pen.box((-1.1 + 0.38 * step, -0.32), (-0.78 + 0.38 * step, 0.16), _GLASS, 0.04)
    pen.box((0.8, -0.32), (1.1, 0.72), _GLASS, 0.04)
    pen.line([(0.95, -0.3), (0.95, 0.7)], 0.02, darker(colour, 0.4))
    pen.box((-1.2, 0.3), (0.76, 0.38), WHITE)
    pen.oval((1.18, 0.6), (0.05, 0.07), LIGHT)
    for x in (-0.7, 0.54):
        pen.oval((x, 0.78), (0.22, 0.22), globe((46, 46, 54)))
        pen.oval((x, 0.78), (0.11, 0.11), globe((206, 210, 218)))


def _spoked(pen: Pen, centre: Point, reach: float) -> None:
    outer, inner = ellipse(centre, (reach, reach), 96), ellipse(centre, (reach * 0.87, reach * 0.87), 96)
    pen.shape([*outer, outer[0], inner[0], *reversed(inner)], (40, 40, 48))
    for step in range(12):
        turn = math.pi * step / 6
        end = (centre[0] + reach * 0.9 * math.cos(turn), centre[1] + reach * 0.9 * math.sin(turn))
        pen.line([centre, end], 0.012, (120, 124, 134))
    pen.oval(centre, (0.06, 0.06), tube((150, 156, 168)))

"""Furniture, and a sign with words on it; every subject takes a pen and its colour, and stands on y = 1."""

from batchgen.gateway.painter.canvas import Pen
from batchgen.gateway.painter.colour import WHITE, Colour, Down, darker, lighter, luminance, mix, slope, tube

_WOOD: Colour = (134, 90, 60)


def bed(pen: Pen, colour: Colour) -> None:
    """A made bed, seen from its foot."""
    pen.box((-0.94, -0.62), (0.94, 0.5), Down((lighter(_WOOD, 0.25), _WOOD, darker(_WOOD, 0.2))), 0.12)
    pen.box((-0.8, -0.48), (0.8, 0.2), slope(darker(_WOOD, 0.25)), 0.08)
    for x in (-1.0, 1.0):
        pen.box((x - 0.07, 0.6), (x + 0.07, 1.0), tube(_WOOD), 0.02)
    pen.smooth([(-0.8, 0.02), (0.8, 0.02), (1.06, 0.62), (1.06, 0.84), (-1.06, 0.84), (-1.06, 0.62)],
        Down((WHITE, (222, 224, 232))))  # fmt: skip
    for x in (-0.4, 0.4):
        pen.smooth([(x - 0.34, -0.06), (x, -0.2), (x + 0.34, -0.06), (x + 0.36, 0.16), (x, 0.22), (x - 0.36, 0.16)],
            Down((WHITE, (206, 210, 222))))  # fmt: skip
    pen.smooth([(-0.9, 0.3), (0, 0.24), (0.9, 0.3), (1.1, 0.66), (1.1, 0.88), (0, 0.94), (-1.1, 0.88), (-1.1, 0.66)],
        Down((lighter(colour, 0.4), colour, darker(colour, 0.3))))  # fmt: skip
    pen.smooth([(-0.9, 0.28), (0, 0.22), (0.9, 0.28), (0.95, 0.38), (0, 0.33), (-0.95, 0.38)], lighter(colour, 0.7))
    for x in (-0.5, 0.1, 0.6):
        pen.line([(x * 0.9, 0.42), (x, 0.86)], 0.012, darker(colour, 0.4), 0.4)


def sign(pen: Pen, colour: Colour, text: str = "") -> None:
    """A board on two posts; words are lettered on it as large as they fit."""
    for x in (-0.66, 0.66):
        pen.box((x - 0.07, -0.4), (x + 0.07, 1.0), tube(darker(colour, 0.35)), 0.01)
    pen.box((-1.16, -0.76), (1.16, 0.26), Down((lighter(colour, 0.3), colour, darker(colour, 0.25))), 0.06)
    for y in (-0.42, -0.08):
        pen.line([(-1.14, y), (1.14, y)], 0.012, darker(colour, 0.45), 0.5)
    ink = WHITE if luminance(colour) < 0.62 else mix(darker(colour, 0.8), (40, 28, 24), 0.5)
    pen.write(text, (0, -0.25), (2.1, 0.78), ink)
    for x in (-1.04, 1.04):
        for y in (-0.64, 0.14):
            pen.oval((x, y), (0.03, 0.03), (70, 66, 70))

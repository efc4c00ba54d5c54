"""Houses, vehicles and what flies; every subject takes a pen and its colour, and stands on y = 1."""

from batchgen.gateway.painter.canvas import Pen, ellipse
from batchgen.gateway.painter.colour import (
    INK,
    LIGHT,
    WHITE,
    Across,
    Colour,
    Down,
    darker,
    globe,
    lighter,
    mix,
    slope,
    tube,
    turned,
)

_GLASS = Down(((214, 236, 246), (96, 140, 176)))
_LIT = Down(((255, 236, 176), (250, 186, 96)))


def car(pen: Pen, colour: Colour) -> None:
    """A small car from the side."""
    pen.smooth(
        [(-0.62, 0.3), (-0.44, -0.14), (-0.2, -0.26), (0.24, -0.26), (0.46, -0.1), (0.68, 0.3)],
        slope(lighter(colour, 0.1)),
    )
    pen.shape([(-0.5, 0.26), (-0.36, -0.1), (-0.04, -0.17), (-0.04, 0.26)], _GLASS)
    pen.shape([(0.03, 0.26), (0.03, -0.17), (0.26, -0.16), (0.42, -0.02), (0.56, 0.26)], _GLASS)
    pen.smooth([(-1.08, 0.5), (-0.98, 0.3), (-0.5, 0.2), (0.6, 0.22), (1.0, 0.36), (1.1, 0.56), (1.06, 0.82),
        (-1.06, 0.82)], Down((lighter(colour, 0.55), colour, darker(colour, 0.4))))  # fmt: skip
    pen.line([(-0.96, 0.5), (1.0, 0.52)], 0.016, lighter(colour, 0.7), 0.8)
    pen.line([(0, 0.26), (0, 0.76)], 0.012, darker(colour, 0.5), 0.7)
    pen.line([(0.1, 0.42), (0.2, 0.42)], 0.03, WHITE)
    pen.oval((1.0, 0.5), (0.08, 0.07), LIGHT)
    pen.glow((1.04, 0.5), 0.4, LIGHT, 0.6)
    pen.oval((-1.03, 0.5), (0.05, 0.07), (230, 60, 50))
    for x in (-0.58, 0.6):
        pen.oval((x, 0.78), (0.25, 0.25), darker(colour, 0.75))
        pen.oval((x, 0.78), (0.22, 0.22), globe((46, 46, 54)))
        pen.oval((x, 0.78), (0.12, 0.12), globe((206, 210, 218)))
        pen.oval((x, 0.78), (0.04, 0.04), (90, 94, 104))


def house(pen: Pen, colour: Colour) -> None:
    """A house with a chimney and lit windows."""
    roof = mix(turned(darker(colour, 0.2), 0.03), (156, 68, 58), 0.65)
    pen.box((0.36, -0.86), (0.54, -0.3), tube((150, 96, 82)))
    for step in range(3):
        pen.glow((0.48 + 0.06 * step, -0.98 - 0.15 * step), 0.2, WHITE, 0.3 - 0.07 * step)
    pen.box((-0.74, -0.06), (0.74, 1.0), Across((lighter(colour, 0.45), colour, darker(colour, 0.22))))
    pen.shape([(-0.96, 0.02), (0, -0.86), (0.96, 0.02)], Down((lighter(roof, 0.25), roof, darker(roof, 0.2))))
    pen.box((-0.74, 0.02), (0.74, 0.1), darker(colour, 0.45), 0.0)
    pen.box((-0.15, 0.44), (0.15, 1.0), slope((118, 78, 58)), 0.02)
    pen.oval((0.1, 0.74), (0.025, 0.025), (240, 200, 100))
    for x in (-0.46, 0.46):
        pen.box((x - 0.18, 0.3), (x + 0.18, 0.68), WHITE, 0.01)
        pen.box((x - 0.15, 0.33), (x + 0.15, 0.65), _LIT)
        pen.line([(x, 0.33), (x, 0.65)], 0.024, WHITE)
        pen.line([(x - 0.15, 0.49), (x + 0.15, 0.49)], 0.024, WHITE)
        pen.glow((x, 0.5), 0.36, (255, 206, 120), 0.35)
    pen.oval((0, -0.3), (0.13, 0.13), WHITE)
    pen.oval((0, -0.3), (0.1, 0.1), _LIT)


def rocket(pen: Pen, colour: Colour) -> None:
    """A rocket on its flame."""
    accent = (222, 74, 66) if max(colour) - min(colour) < 40 else darker(colour, 0.35)
    pen.glow((0, 0.86), 1.0, (255, 170, 80), 0.9)
    pen.smooth(
        [(-0.17, 0.55), (0.17, 0.55), (0.2, 0.8), (0, 1.3), (-0.2, 0.8)],
        Down(((255, 236, 160), (250, 160, 60), (226, 76, 50))),
    )
    pen.smooth([(-0.08, 0.55), (0.08, 0.55), (0, 0.96)], LIGHT)
    for side in (-1, 1):
        pen.smooth([(side * 0.24, 0.16), (side * 0.6, 0.5), (side * 0.58, 0.8), (side * 0.24, 0.5)], slope(accent))
    pen.smooth(
        [(0, -1.1), (0.24, -0.66), (0.3, -0.1), (0.22, 0.56), (-0.22, 0.56), (-0.3, -0.1), (-0.24, -0.66)], tube(colour)
    )
    pen.smooth([(0, -1.1), (0.2, -0.76), (0.22, -0.66), (-0.22, -0.66), (-0.2, -0.76)], tube(accent))
    pen.oval((0, -0.3), (0.16, 0.16), accent)
    pen.oval((0, -0.3), (0.115, 0.115), globe((120, 196, 230)))
    pen.box((-0.26, 0.2), (0.26, 0.27), tube(accent))
    pen.smooth([(-0.05, 0.1), (0.05, 0.1), (0.05, 0.72), (-0.05, 0.72)], slope(accent))


def boat(pen: Pen, colour: Colour) -> None:
    """A sailing boat on the water."""
    pen.line([(0, -1.02), (0, 0.6)], 0.04, (116, 80, 58))
    pen.smooth(
        [(0.05, -0.95), (0.3, -0.4), (0.74, 0.38), (0.4, 0.44), (0.05, 0.42)],
        Across(((252, 248, 238), (222, 216, 206))),
    )
    pen.smooth(
        [(-0.05, -0.8), (-0.3, -0.2), (-0.62, 0.36), (-0.3, 0.42), (-0.05, 0.4)],
        Across(((206, 198, 190), (246, 240, 230))),
    )
    pen.shape([(0, -1.02), (0.26, -0.96), (0, -0.88)], colour)
    pen.smooth([(-0.92, 0.52), (-0.4, 0.58), (0.4, 0.58), (1.0, 0.46), (0.78, 0.86), (0.5, 0.98),
        (-0.6, 0.98), (-0.8, 0.84)], Down((lighter(colour, 0.45), colour, darker(colour, 0.42))))  # fmt: skip
    pen.line([(-0.84, 0.66), (0.88, 0.62)], 0.04, WHITE, 0.9)
    for step in range(5):
        pen.oval((-0.7 + step * 0.34, 1.0 + 0.02 * (step % 2)), (0.26, 0.03), LIGHT, 0.4)


def bridge(pen: Pen, colour: Colour) -> None:
    """A suspension bridge."""
    for x in (-0.62, 0.62):
        pen.box((x - 0.07, -0.86), (x + 0.07, 1.0), tube(colour), 0.01)
        for y in (-0.6, -0.24):
            pen.box((x - 0.12, y), (x + 0.12, y + 0.06), slope(colour))
    cable = (
        [(-1.6, 0.3)]
        + [(x / 20, -0.8 + 1.0 * (1 - abs(abs(x / 20) - 0.0) ** 2 / 0.38)) for x in range(-12, 13)]
        + [(1.6, 0.3)]
    )
    pen.line(cable, 0.03, darker(colour, 0.1))
    for step in range(-11, 12):
        x = step / 20
        y = -0.8 + 1.0 * (1 - x**2 / 0.38)
        pen.line([(x, min(y, 0.3)), (x, 0.34)], 0.009, darker(colour, 0.25), 0.9)
    for side in (-1, 1):
        for step in range(1, 9):
            x = 0.62 + step * 0.11
            pen.line([(side * x, -0.72 + 1.04 * (x - 0.62) / 0.98), (side * x, 0.34)], 0.009, darker(colour, 0.25), 0.9)
    pen.box((-1.7, 0.32), (1.7, 0.44), Down((lighter(colour, 0.35), darker(colour, 0.45))))


def castle(pen: Pen, colour: Colour) -> None:
    """Towers with pointed roofs and flags."""
    roof = (86, 104, 150)
    for x, wide, top in ((-0.4, 0.17, -0.36), (0.4, 0.17, -0.36), (0, 0.2, -0.62)):
        pen.box((x - wide, top), (x + wide, 1.0), tube(darker(colour, 0.1)))
        pen.shape(
            [(x - wide * 1.25, top), (x, top - 0.4), (x + wide * 1.25, top)],
            Across((lighter(roof, 0.35), roof, darker(roof, 0.4))),
        )
        pen.line([(x, top - 0.38), (x, top - 0.56)], 0.014, INK)
        pen.shape([(x, top - 0.56), (x + 0.17, top - 0.51), (x, top - 0.45)], (214, 60, 66))
        pen.box((x - 0.04, top + 0.14), (x + 0.04, top + 0.3), _LIT, 0.04)
    pen.box((-0.72, 0.24), (0.72, 1.0), Across((lighter(colour, 0.35), colour, darker(colour, 0.25))))
    for step in range(7):
        pen.box((-0.72 + step * 0.22, 0.14), (-0.6 + step * 0.22, 0.26), slope(colour))
    for x in (-0.82, 0.82):
        pen.box((x - 0.19, -0.06), (x + 0.19, 1.0), tube(colour))
        for step in range(3):
            pen.box((x - 0.21 + step * 0.155, -0.18), (x - 0.11 + step * 0.155, -0.04), tube(colour))
        pen.box((x - 0.04, 0.2), (x + 0.04, 0.38), darker(colour, 0.75), 0.04)
    pen.smooth(
        [(-0.17, 1.02), (-0.17, 0.66), (0, 0.5), (0.17, 0.66), (0.17, 1.02)], Down((darker(colour, 0.8), (92, 64, 50)))
    )
    for x in (-0.4, 0.4):
        pen.box((x - 0.05, 0.5), (x + 0.05, 0.7), _LIT, 0.05)


def balloon(pen: Pen, colour: Colour) -> None:
    """A hot-air balloon in stripes."""
    pen.line([(-0.3, 0.24), (-0.12, 0.74)], 0.014, (110, 84, 64))
    pen.line([(0.3, 0.24), (0.12, 0.74)], 0.014, (110, 84, 64))
    pale = lighter(turned(colour, 0.06), 0.78)
    outline = [
        (0, -1.0),
        (0.5, -0.86),
        (0.78, -0.36),
        (0.6, 0.08),
        (0.26, 0.4),
        (-0.26, 0.4),
        (-0.6, 0.08),
        (-0.78, -0.36),
        (-0.5, -0.86),
    ]
    for index, share in enumerate((1.0, 0.74, 0.44, 0.15)):
        tone = pale if index % 2 else colour
        pen.smooth([(x * share, y) for x, y in outline], globe(tone))
    pen.box((-0.15, 0.74), (0.15, 1.0), tube((150, 104, 66)), 0.04)
    pen.box((-0.17, 0.72), (0.17, 0.78), slope((118, 80, 54)), 0.02)
    pen.glow((-0.3, -0.5), 0.6, LIGHT, 0.4)


def lighthouse(pen: Pen, colour: Colour) -> None:
    """A striped tower with its beam."""
    for side in (-1, 1):
        pen.shape([(0, -0.72), (side * 2.6, -1.1), (side * 2.6, -0.36)], (255, 240, 190), 0.16)
    pen.smooth([(-0.8, 1.02), (-0.5, 0.86), (0.5, 0.84), (0.86, 1.02)], slope((110, 104, 108)))
    for step in range(6):
        low, high = step / 6, (step + 1) / 6
        wide, narrow = 0.3 - 0.12 * low, 0.3 - 0.12 * high
        tone = (206, 58, 56) if step % 2 else colour
        pen.shape(
            [
                (-wide, 0.9 - 1.4 * low),
                (wide, 0.9 - 1.4 * low),
                (narrow, 0.9 - 1.4 * high),
                (-narrow, 0.9 - 1.4 * high),
            ],
            tube(tone),
        )
    pen.box((-0.26, -0.58), (0.26, -0.5), slope((70, 74, 86)), 0.02)
    pen.box((-0.14, -0.84), (0.14, -0.58), _LIT)
    pen.glow((0, -0.72), 0.8, (255, 230, 160), 0.9)
    pen.shape([(-0.2, -0.84), (0, -1.06), (0.2, -0.84)], slope((196, 60, 56)))
    dome = ellipse((0, -1.06), (0.03, 0.05), 16)
    pen.shape(dome, INK)
    pen.smooth([(-0.08, 0.9), (-0.08, 0.66), (0, 0.56), (0.08, 0.66), (0.08, 0.9)], darker(colour, 0.75))

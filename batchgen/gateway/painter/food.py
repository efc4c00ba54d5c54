"""Food and what it is served in; every subject takes a pen and its colour, and stands on y = 1."""

import math

from batchgen.gateway.painter.canvas import Pen, ellipse
from batchgen.gateway.painter.colour import (
    LIGHT,
    WHITE,
    Ball,
    Colour,
    Down,
    darker,
    globe,
    lighter,
    slope,
    tube,
    turned,
)

_BUN: Colour = (222, 150, 80)


def burger(pen: Pen, colour: Colour) -> None:
    """A hamburger: bun, lettuce, tomato, cheese, meat, bun, on a plate."""
    pen.oval((0, 0.9), (1.16, 0.14), slope((236, 238, 244)))
    pen.oval((0, 0.87), (0.9, 0.08), (206, 210, 220), 0.8)
    pen.smooth([(-0.8, 0.56), (0.8, 0.56), (0.82, 0.74), (0.6, 0.88), (-0.6, 0.88), (-0.82, 0.74)], slope(_BUN))
    pen.box((-0.88, 0.34), (0.88, 0.6), slope(colour), 0.12)
    pen.shape([(-0.84, 0.3), (0.84, 0.3), (0.62, 0.4), (0.46, 0.58), (0.26, 0.38), (-0.3, 0.38), (-0.5, 0.54),
        (-0.66, 0.38)], Down(((255, 214, 92), (244, 176, 50))))  # fmt: skip
    pen.box((-0.8, 0.16), (0.8, 0.32), Down(((232, 84, 66), (184, 44, 40))), 0.07)
    frill = [(-0.94 + 0.094 * step, 0.2 - 0.1 * (step % 2)) for step in range(21)]
    pen.smooth([*frill, (0.9, 0.02), (-0.9, 0.02)], Down(((150, 206, 92), (86, 152, 60))))
    pen.smooth([(-0.86, 0.08), (-0.84, -0.2), (-0.5, -0.58), (0, -0.68), (0.5, -0.58), (0.84, -0.2), (0.86, 0.08)],
        Ball((lighter(_BUN, 0.6), _BUN, darker(_BUN, 0.3))))  # fmt: skip
    for step in range(16):
        x, y = 0.62 * math.sin(step * 2.4), -0.34 + 0.2 * math.cos(step * 1.7) + 0.12 * (step % 3 - 1)
        pen.oval((x, y), (0.045, 0.026), (252, 240, 206))


def icecream(pen: Pen, colour: Colour) -> None:
    """Two scoops and a cherry on a waffle cone."""
    pen.shape([(-0.42, 0.1), (0.42, 0.1), (0, 1.05)], Down(((232, 178, 104), (198, 132, 66))))
    for step in range(5):
        far = 0.42 - 0.17 * step
        pen.line([(far, 0.12), (far / 2 - 0.21, 0.12 + (0.42 + far) * 1.1)], 0.018, (150, 94, 48), 0.55)
        pen.line([(-far, 0.12), (0.21 - far / 2, 0.12 + (0.42 + far) * 1.1)], 0.018, (150, 94, 48), 0.55)
    second = turned(lighter(colour, 0.25), 0.45)
    for x, y, reach, tone in ((-0.2, -0.08, 0.36, colour), (0.22, -0.06, 0.36, second), (0, -0.5, 0.38, WHITE)):
        pen.oval((x, y), (reach, reach), globe(tone))
        pen.oval((x - reach * 0.35, y - reach * 0.4), (0.08, 0.05), LIGHT, 0.6)
    drips = [(-0.52, 0.08), (0.52, 0.08)]
    low = [(0.46 - 0.115 * step, 0.18 + 0.1 * (step % 2)) for step in range(9)]
    pen.smooth([*drips, *low], slope(lighter(colour, 0.2)))
    pen.line([(0.02, -0.92), (0.1, -1.1)], 0.025, (96, 120, 60))
    pen.oval((0.02, -0.87), (0.12, 0.12), globe((206, 36, 52)))


def pizza(pen: Pen, colour: Colour) -> None:
    """A whole pizza from above, one slice pulled out."""
    pen.oval((0, 0.16), (1.0, 0.86), globe((206, 144, 78)))
    pen.oval((0, 0.16), (0.87, 0.74), Ball((lighter(colour, 0.1), colour, darker(colour, 0.15))))
    pen.oval((0, 0.16), (0.82, 0.69), Ball(((255, 226, 130), (248, 196, 86), (230, 156, 60))))
    for step in range(11):
        far = 0.24 + 0.4 * (step % 2)
        x, y = far * math.cos(step * 1.15) * 1.1, 0.16 + far * math.sin(step * 1.15) * 0.9
        pen.oval((x, y), (0.13, 0.11), globe((196, 52, 42)))
        pen.oval((x - 0.03, y - 0.03), (0.05, 0.04), (232, 110, 90), 0.6)
    for step in range(9):
        x, y = 0.46 * math.cos(step * 0.7 + 0.4), 0.16 + 0.46 * math.sin(step * 0.7 + 0.4) * 0.86
        pen.smooth([(x - 0.08, y), (x, y - 0.05), (x + 0.08, y), (x, y + 0.04)], (86, 150, 62))
    for turn in (0.3, 1.35, 2.4):
        ends = [
            (0.98 * math.cos(turn), 0.16 + 0.84 * math.sin(turn)),
            (-0.98 * math.cos(turn), 0.16 - 0.84 * math.sin(turn)),
        ]
        pen.line(ends, 0.02, (168, 108, 56), 0.8)


def teapot(pen: Pen, colour: Colour) -> None:
    """A round pot with spout, handle and lid, and steam above."""
    ring, hole = ellipse((0.78, 0.2), (0.36, 0.42)), ellipse((0.78, 0.2), (0.23, 0.28))
    pen.shape([*ring, ring[0], hole[0], *reversed(hole)], slope(darker(colour, 0.12)))
    pen.smooth([(-0.5, 0.5), (-0.84, 0.3), (-0.92, -0.16), (-1.16, -0.34), (-1.0, -0.44), (-0.78, -0.24), (-0.66, 0.06),
        (-0.44, 0.12)], slope(darker(colour, 0.08)))  # fmt: skip
    pen.smooth([(-0.36, -0.44), (0.36, -0.44), (0.74, -0.06), (0.76, 0.5), (0.42, 0.96), (-0.42, 0.96), (-0.76, 0.5),
        (-0.74, -0.06)], globe(colour))  # fmt: skip
    pen.box((-0.34, 0.9), (0.34, 1.0), tube(darker(colour, 0.3)), 0.04)
    pen.smooth(
        [(-0.42, -0.4), (-0.3, -0.6), (0, -0.68), (0.3, -0.6), (0.42, -0.4), (0, -0.34)], slope(lighter(colour, 0.1))
    )
    pen.oval((0, -0.74), (0.1, 0.1), globe(colour))
    pen.box((-0.77, 0.3), (0.77, 0.4), tube(lighter(colour, 0.7)), 0.03)
    pen.smooth([(-0.5, -0.1), (-0.36, -0.26), (-0.26, -0.2), (-0.46, 0.16)], LIGHT, 0.55)
    for step in range(5):
        pen.glow((-1.1 + 0.06 * math.sin(step * 1.8), -0.58 - 0.13 * step), 0.2, LIGHT, 0.34 - 0.05 * step)

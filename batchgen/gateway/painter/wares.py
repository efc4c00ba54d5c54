"""Things that people make and use; every subject takes a pen and its colour, and stands on y = 1."""

import math
from itertools import pairwise

from batchgen.gateway.painter.canvas import Pen, ellipse
from batchgen.gateway.painter.colour import (
    DEEP,
    INK,
    LIGHT,
    WHITE,
    Across,
    Colour,
    Down,
    darker,
    globe,
    lighter,
    luminance,
    mix,
    slope,
    tube,
    turned,
)


def bottle(pen: Pen, colour: Colour) -> None:
    """A bottle with a label and a long highlight."""
    pen.smooth([(-0.13, -0.9), (0.13, -0.9), (0.14, -0.5), (0.4, -0.14), (0.42, 0.3), (0.4, 0.94), (0.2, 1),
        (-0.2, 1), (-0.4, 0.94), (-0.42, 0.3), (-0.4, -0.14), (-0.14, -0.5)], tube(colour))  # fmt: skip
    pen.box((-0.16, -1.0), (0.16, -0.72), tube(mix(darker(colour, 0.5), (190, 150, 90), 0.5)), 0.03)
    pen.box((-0.405, 0.14), (0.405, 0.68), tube((240, 234, 220)), 0.01)
    pen.box((-0.2, 0.28), (0.2, 0.31), darker(colour, 0.3))
    pen.oval((0, 0.46), (0.09, 0.09), colour)
    pen.smooth([(-0.3, -0.1), (-0.25, -0.12), (-0.25, 0.1), (-0.3, 0.1)], LIGHT, 0.7)
    pen.line([(-0.27, 0.74), (-0.27, 0.9)], 0.045, LIGHT, 0.5)


def vase(pen: Pen, colour: Colour) -> None:
    """A full-bellied vase with a glazed band."""
    pen.smooth([(-0.28, -0.8), (0.28, -0.8), (0.2, -0.5), (0.56, 0.0), (0.56, 0.46), (0.3, 1), (-0.3, 1),
        (-0.56, 0.46), (-0.56, 0.0), (-0.2, -0.5)], tube(colour))  # fmt: skip
    pen.oval((0, -0.79), (0.29, 0.07), tube(lighter(colour, 0.2)))
    pen.oval((0, -0.785), (0.22, 0.045), darker(colour, 0.7))
    pen.box((-0.575, 0.14), (0.575, 0.3), tube(lighter(colour, 0.6)), 0.02)
    pen.line([(-0.36, -0.05), (-0.4, 0.08)], 0.06, LIGHT, 0.55)


def shoe(pen: Pen, colour: Colour) -> None:
    """A sneaker from the side."""
    pen.smooth(
        [(-0.98, 0.8), (-0.9, 0.62), (0.9, 0.66), (1.04, 0.82), (0.96, 1), (-0.92, 1)], Down((WHITE, (214, 216, 222)))
    )
    pen.smooth([(-0.92, 0.74), (-0.96, 0.1), (-0.86, -0.3), (-0.62, -0.26), (-0.44, -0.02), (-0.12, -0.12),
        (0.1, 0.06), (0.34, 0.3), (0.74, 0.42), (0.98, 0.6),
        (0.99, 0.76)], Down((lighter(colour, 0.42), colour, darker(colour, 0.3))))  # fmt: skip
    pen.smooth(
        [(0.5, 0.36), (0.78, 0.42), (0.99, 0.62), (0.98, 0.76), (0.6, 0.77), (0.48, 0.56)],
        Down((lighter(colour, 0.6), lighter(colour, 0.2))),
    )
    pen.smooth([(-0.92, 0.72), (-0.95, 0.2), (-0.72, 0.3), (-0.6, 0.74)], darker(colour, 0.36))
    pen.smooth([(-0.84, -0.28), (-0.64, -0.26), (-0.46, -0.04), (-0.68, 0.04)], darker(colour, 0.66))
    pen.smooth([(-0.5, 0.62), (-0.1, 0.42), (0.3, 0.3), (0.02, 0.56), (-0.3, 0.7)], WHITE, 0.95)
    for step in range(5):
        x, y = -0.2 + step * 0.14, -0.05 + step * 0.1
        pen.line([(x - 0.1, y + 0.13), (x + 0.07, y)], 0.05, WHITE)
    pen.line([(-0.9, 0.86), (0.98, 0.86)], 0.025, colour)


def mug(pen: Pen, colour: Colour) -> None:
    """A mug of coffee with rising steam."""
    ring, hole = ellipse((0.62, 0.26), (0.36, 0.38)), ellipse((0.62, 0.26), (0.21, 0.23))
    pen.shape([*ring, ring[0], hole[0], *reversed(hole)], slope(darker(colour, 0.12)))
    pen.smooth(
        [(-0.64, -0.36), (0.64, -0.36), (0.64, 0.2), (0.56, 0.86), (0.3, 1), (-0.3, 1), (-0.56, 0.86), (-0.64, 0.2)],
        tube(colour),
    )
    pen.oval((0, -0.36), (0.66, 0.16), tube(lighter(colour, 0.35)))
    pen.oval((0, -0.35), (0.57, 0.12), Down(((48, 26, 18), (118, 72, 44))))
    pen.oval((-0.12, -0.33), (0.26, 0.04), (196, 144, 98), 0.6)
    for x in (-0.2, 0.05, 0.28):
        for step in range(4):
            place = (x + 0.07 * math.sin(step * 1.7 + x * 9), -0.52 - 0.15 * step)
            pen.glow(place, 0.2, LIGHT, 0.26 - 0.04 * step)


def chair(pen: Pen, colour: Colour) -> None:
    """An easy chair on wooden legs."""
    for x, lean in ((-0.55, -0.12), (0.55, 0.12), (-0.36, -0.04), (0.36, 0.04)):
        pen.line([(x, 0.5), (x + lean, 0.98)], 0.07, (122, 82, 54))
    pen.smooth(
        [(-0.62, -0.8), (0, -0.98), (0.62, -0.8), (0.7, 0.3), (-0.7, 0.3)],
        Down((lighter(colour, 0.35), colour, darker(colour, 0.3))),
    )
    pen.smooth(
        [(-0.66, 0.2), (0, 0.08), (0.66, 0.2), (0.68, 0.5), (0, 0.6), (-0.68, 0.5)],
        Down((lighter(colour, 0.5), colour)),
    )
    for side in (-1, 1):
        pen.smooth(
            [(side * 0.62, -0.12), (side * 0.84, -0.16), (side * 0.9, 0.1), (side * 0.84, 0.56), (side * 0.6, 0.56)],
            Down((lighter(colour, 0.4), darker(colour, 0.2))),
        )
    for x in (-0.25, 0.25):
        pen.oval((x, -0.42), (0.035, 0.035), darker(colour, 0.45))


def lamp(pen: Pen, colour: Colour) -> None:
    """A shaded lamp, switched on."""
    pen.glow((0, -0.2), 1.9, (255, 220, 150), 0.6)
    pen.line([(0, -0.2), (0, 0.9)], 0.06, (150, 124, 84))
    pen.oval((0, 0.93), (0.36, 0.08), slope((160, 130, 86)))
    pen.shape(
        [(-0.34, -0.86), (0.34, -0.86), (0.66, -0.06), (-0.66, -0.06)],
        Across((mix(colour, DEEP, 0.12), lighter(colour, 0.7), colour, darker(colour, 0.22))),
    )
    pen.oval((0, -0.06), (0.66, 0.1), lighter(colour, 0.85))
    pen.glow((0, 0.05), 0.8, (255, 230, 170), 0.7)


def book(pen: Pen, colour: Colour) -> None:
    """A closed book leaning on its pages, with a mark."""
    pen.shape(
        [(-0.9, 0.5), (0.24, 0.74), (0.96, 0.32), (0.96, 0.54), (0.24, 1.0), (-0.9, 0.74)],
        Down(((248, 240, 222), (206, 192, 164))),
    )
    for step in range(5):
        pen.line([(-0.88, 0.56 + step * 0.036), (0.24, 0.8 + step * 0.036)], 0.006, (176, 160, 130), 0.7)
    pen.shape([(-0.9, 0.74), (0.24, 1.0), (0.96, 0.54), (0.98, 0.58), (0.24, 1.05), (-0.93, 0.78)], darker(colour, 0.4))
    pen.shape([(-0.92, 0.46), (-0.2, 0.04), (1.0, 0.28), (0.24, 0.72)], Down((lighter(colour, 0.35), colour)))
    pen.smooth(
        [(-0.92, 0.46), (-0.99, 0.62), (-0.93, 0.79), (-0.88, 0.74), (-0.93, 0.62), (-0.86, 0.48)], darker(colour, 0.25)
    )
    pen.shape([(-0.52, 0.44), (-0.14, 0.22), (0.6, 0.36), (0.2, 0.6)], lighter(colour, 0.7), 0.25)
    pen.line([(-0.3, 0.42), (0.18, 0.52)], 0.035, (232, 196, 110))
    pen.line([(-0.14, 0.34), (0.3, 0.43)], 0.02, (232, 196, 110))
    pen.shape([(0.5, 0.58), (0.58, 0.54), (0.58, 0.92), (0.54, 0.86), (0.5, 0.96)], (206, 60, 60))


def laptop(pen: Pen, colour: Colour) -> None:
    """A laptop with a dashboard of charts."""
    pen.box((-0.78, -0.62), (0.78, 0.56), Down((lighter(colour, 0.3), darker(colour, 0.25))), 0.06)
    pen.box((-0.72, -0.56), (0.72, 0.48), Down(((34, 40, 66), (20, 24, 44))), 0.03)
    accent = colour if luminance(colour) < 0.62 and max(colour) - min(colour) > 60 else (86, 150, 250)
    pen.box((-0.66, -0.5), (-0.46, 0.42), (44, 52, 82), 0.03)
    for step in range(5):
        pen.box((-0.62, -0.44 + step * 0.12), (-0.5, -0.41 + step * 0.12), (96, 108, 150), 0.015)
    for step, x in enumerate((-0.4, -0.03, 0.34)):
        pen.box((x, -0.5), (x + 0.32, -0.26), turned(accent, step * 0.12), 0.03)
        pen.box((x + 0.04, -0.44), (x + 0.16, -0.4), WHITE, 0.02)
    pen.box((-0.4, -0.2), (0.16, 0.42), (44, 52, 82), 0.03)
    line = [(-0.36, 0.3), (-0.24, 0.16), (-0.12, 0.22), (0.0, 0.0), (0.12, -0.08)]
    pen.shape([*line, (0.12, 0.38), (-0.36, 0.38)], Down((accent, (44, 52, 82))), 0.6)
    pen.line(line, 0.02, lighter(accent, 0.5))
    for step, high in enumerate((0.2, 0.34, 0.26, 0.44)):
        pen.box((0.25 + step * 0.1, 0.4 - high), (0.31 + step * 0.1, 0.4), turned(accent, 0.3 + step * 0.06), 0.01)
    pen.shape(
        [(-0.8, 0.58), (0.8, 0.58), (1.02, 0.92), (-1.02, 0.92)], Down((darker(colour, 0.1), lighter(colour, 0.35)))
    )
    pen.shape([(-0.72, 0.63), (0.72, 0.63), (0.82, 0.79), (-0.82, 0.79)], darker(colour, 0.6), 0.75)
    pen.shape([(-0.24, 0.82), (0.24, 0.82), (0.27, 0.9), (-0.27, 0.9)], darker(colour, 0.15))
    pen.box((-1.02, 0.92), (1.02, 0.98), Down((lighter(colour, 0.2), darker(colour, 0.4))), 0.03)


def phone(pen: Pen, colour: Colour) -> None:
    """A phone with rows of small tiles."""
    pen.box((-0.5, -1.0), (0.5, 1.0), Across((darker(colour, 0.4), lighter(colour, 0.35), darker(colour, 0.3))), 0.14)
    pen.box((-0.45, -0.95), (0.45, 0.95), Down(((74, 66, 170), (196, 84, 150), (250, 166, 110))), 0.11)
    pen.box((-0.14, -0.9), (0.14, -0.84), INK, 0.03)
    for row in range(4):
        for column in range(3):
            x, y = -0.3 + column * 0.3, -0.5 + row * 0.32
            pen.box(
                (x - 0.1, y - 0.1), (x + 0.1, y + 0.1), slope(turned((90, 170, 240), 0.17 * (row * 3 + column))), 0.045
            )
    pen.shape([(-0.45, -0.8), (-0.1, -0.95), (0.2, -0.95), (-0.45, 0.5)], WHITE, 0.08)


def cake(pen: Pen, colour: Colour) -> None:
    """Two tiers, icing that runs, and candles."""
    pen.oval((0, 0.93), (0.98, 0.12), slope((226, 228, 236)))
    for wide, top, foot in ((0.76, 0.22, 0.9), (0.5, -0.3, 0.24)):
        pen.box((-wide, top), (wide, foot), tube(colour), 0.05)
        drips = [(-wide, top - 0.02), (wide, top - 0.02)]
        low = [(wide - step * wide / 4, top + 0.1 + 0.1 * (step % 2) + 0.04 * (step % 3)) for step in range(9)]
        pen.smooth([*drips, *low], slope(lighter(turned(colour, -0.04), 0.72)))
        pen.oval((0, top), (wide, 0.08), lighter(colour, 0.85))
    for x in (-0.26, 0, 0.26):
        pen.box((x - 0.03, -0.66), (x + 0.03, -0.3), tube(turned(mix(colour, (230, 80, 110), 0.6), x)), 0.01)
        pen.glow((x, -0.74), 0.26, (255, 200, 90), 0.9)
        pen.smooth([(x, -0.86), (x + 0.04, -0.74), (x, -0.67), (x - 0.04, -0.74)], Down((LIGHT, (250, 150, 50))))
    for step in range(9):
        pen.oval((-0.66 + step * 0.165, 0.84), (0.06, 0.06), globe(lighter(colour, 0.6)))


def clock(pen: Pen, colour: Colour) -> None:
    """A round clock, ten past ten."""
    for side in (-1, 1):
        pen.line([(side * 0.45, 0.7), (side * 0.6, 0.98)], 0.1, darker(colour, 0.3))
        pen.oval((side * 0.42, -0.74), (0.24, 0.2), globe(colour))
    pen.oval((0, 0.08), (0.86, 0.86), globe(colour))
    pen.oval((0, 0.08), (0.72, 0.72), Down(((236, 232, 224), (252, 250, 244))))
    for step in range(12):
        turn = math.pi * step / 6
        near, far = (0.6, 0.67) if step % 3 else (0.54, 0.67)
        pen.line(
            [
                (near * math.sin(turn), 0.08 - near * math.cos(turn)),
                (far * math.sin(turn), 0.08 - far * math.cos(turn)),
            ],
            0.03,
            INK,
        )
    pen.line([(0, 0.08), (-0.3, -0.16)], 0.055, INK)
    pen.line([(0, 0.08), (0.36, -0.36)], 0.04, INK)
    pen.oval((0, 0.08), (0.05, 0.05), (206, 60, 50))


def headphones(pen: Pen, colour: Colour) -> None:
    """A band and two cushions."""
    outer = ellipse((0, 0.1), (0.8, 0.95), 96)[48:]
    inner = ellipse((0, 0.1), (0.68, 0.8), 96)[48:]
    pen.shape([*outer, *reversed(inner)], Down((lighter(colour, 0.5), colour)))
    for side in (-1, 1):
        pen.oval((side * 0.64, 0.48), (0.24, 0.46), globe(darker(colour, 0.35)))
        pen.oval((side * 0.8, 0.48), (0.2, 0.42), globe(lighter(colour, 0.12)))
        pen.oval((side * 0.84, 0.48), (0.09, 0.2), lighter(colour, 0.4), 0.5)


def candle(pen: Pen, colour: Colour) -> None:
    """A burning candle."""
    pen.glow((0, -0.5), 1.8, (255, 190, 90), 0.6)
    pen.oval((0, 0.92), (0.56, 0.1), slope((186, 150, 90)))
    pen.box((-0.28, -0.2), (0.28, 0.92), tube(colour), 0.05)
    pen.oval((0, -0.19), (0.28, 0.07), lighter(colour, 0.7))
    pen.smooth([(0.18, -0.2), (0.28, -0.18), (0.27, 0.2), (0.2, 0.24)], lighter(colour, 0.55))
    pen.line([(0, -0.2), (0, -0.34)], 0.03, INK)
    pen.smooth(
        [(0, -0.92), (0.12, -0.55), (0.07, -0.34), (-0.07, -0.34), (-0.12, -0.55)],
        Down(((255, 236, 170), (255, 190, 80), (244, 120, 40))),
    )
    pen.smooth([(0, -0.66), (0.05, -0.48), (0, -0.38), (-0.05, -0.48)], LIGHT)


def umbrella(pen: Pen, colour: Colour) -> None:
    """An open umbrella."""
    pen.line([(0, -0.3), (0, 0.84), (0.06, 0.95), (0.17, 0.95), (0.22, 0.84)], 0.05, (110, 76, 54))
    pen.line([(0, -0.9), (0, -0.72)], 0.03, (110, 76, 54))
    marks = (-0.98, -0.58, -0.2, 0.2, 0.58, 0.98)
    for index, (a, b) in enumerate(pairwise(marks)):
        tone = (lighter(colour, 0.35), lighter(colour, 0.12), colour, darker(colour, 0.18), darker(colour, 0.38))[index]
        middle = ((a + b) / 2, -0.02)
        pen.smooth([(0, -0.8), (a * 0.66, -0.6), (a, 0.1), middle, (b, 0.1), (b * 0.66, -0.6)], slope(tone, 0.6))


def guitar(pen: Pen, colour: Colour) -> None:
    """An acoustic guitar, leaning a little."""
    pen.shape([(-0.05, 0.1), (0.07, 0.1), (0.13, -0.84), (0.02, -0.84)], Across(((98, 62, 42), (136, 92, 62))))
    pen.box((-0.01, -1.0), (0.17, -0.8), slope(darker(colour, 0.4)), 0.03)
    pen.smooth([(0, -0.08), (0.34, 0.02), (0.3, 0.3), (0.52, 0.62), (0.36, 0.95), (0, 1), (-0.38, 0.95),
        (-0.54, 0.62), (-0.32, 0.3), (-0.34, 0.02)], globe(colour))  # fmt: skip
    pen.oval((0, 0.36), (0.15, 0.15), DEEP)
    pen.box((-0.18, 0.72), (0.18, 0.77), darker(colour, 0.6), 0.02)
    for step in range(4):
        x = -0.04 + step * 0.03
        pen.line([(x, 0.74), (x + 0.09, -0.84)], 0.006, LIGHT, 0.8)


def camera(pen: Pen, colour: Colour) -> None:
    """A camera with a large lens."""
    pen.smooth([(-0.36, -0.3), (-0.24, -0.62), (0.24, -0.62), (0.36, -0.3)], slope(lighter(colour, 0.1)))
    pen.box((-0.95, -0.36), (0.95, 0.94), Down((lighter(colour, 0.3), colour, darker(colour, 0.4))), 0.14)
    pen.box((-0.95, -0.12), (0.95, 0.62), darker(colour, 0.3))
    for reach, tone in (
        (0.58, lighter(colour, 0.35)),
        (0.5, darker(colour, 0.6)),
        (0.4, (38, 46, 84)),
        (0.26, (70, 60, 140)),
    ):
        pen.oval((0, 0.28), (reach, reach), globe(tone))
    pen.oval((-0.14, 0.12), (0.12, 0.08), LIGHT, 0.75)
    pen.box((-0.82, -0.5), (-0.56, -0.36), slope(lighter(colour, 0.2)), 0.03)
    pen.oval((0.72, -0.22), (0.07, 0.07), globe((220, 60, 50)))

"""Animals; every subject takes a pen and its colour, and stands on y = 1."""

from batchgen.gateway.painter.canvas import Pen, Point
from batchgen.gateway.painter.colour import INK, LIGHT, WHITE, Colour, Down, darker, globe, lighter, slope, turned


def cat(pen: Pen, colour: Colour) -> None:
    """A sitting cat."""
    pen.line([(0.4, 0.9), (0.78, 0.8), (0.88, 0.42), (0.72, 0.2)], 0.15, darker(colour, 0.16))
    pen.smooth([(0, -0.24), (0.34, 0.1), (0.54, 0.7), (0.44, 1), (-0.44, 1), (-0.54, 0.7), (-0.34, 0.1)], globe(colour))
    pen.smooth([(0, 0.06), (0.2, 0.3), (0.16, 0.84), (-0.16, 0.84), (-0.2, 0.3)], lighter(colour, 0.65), 0.85)
    for side in (-1, 1):
        pen.oval((side * 0.2, 0.93), (0.17, 0.09), lighter(colour, 0.45))
    _head(pen, colour, (0, -0.42), 0.5)


def dog(pen: Pen, colour: Colour) -> None:
    """A sitting dog with hanging ears."""
    pen.line([(0.4, 0.84), (0.72, 0.66), (0.8, 0.44)], 0.13, darker(colour, 0.1))
    pen.smooth(
        [(0, -0.3), (0.38, 0.06), (0.56, 0.7), (0.46, 1), (-0.46, 1), (-0.56, 0.7), (-0.38, 0.06)], globe(colour)
    )
    pen.smooth([(0, 0.02), (0.24, 0.3), (0.18, 0.8), (-0.18, 0.8), (-0.24, 0.3)], lighter(colour, 0.7), 0.9)
    for side in (-1, 1):
        pen.oval((side * 0.24, 0.93), (0.19, 0.1), lighter(colour, 0.5))
    pen.smooth(
        [(-0.42, -0.6), (0, -0.92), (0.42, -0.6), (0.4, -0.2), (0, 0.02), (-0.4, -0.2)], globe(lighter(colour, 0.08))
    )
    for side in (-1, 1):
        pen.smooth(
            [(side * 0.3, -0.8), (side * 0.54, -0.72), (side * 0.6, -0.24), (side * 0.42, -0.1), (side * 0.36, -0.5)],
            slope(darker(colour, 0.36)),
        )
        eye(pen, (side * 0.17, -0.5), 0.065)
    pen.oval((0, -0.2), (0.24, 0.2), lighter(colour, 0.72))
    pen.oval((0, -0.3), (0.1, 0.07), globe(INK))
    pen.line([(0, -0.26), (0, -0.16), (-0.1, -0.1)], 0.022, INK)
    pen.line([(0, -0.16), (0.1, -0.1)], 0.022, INK)
    pen.box((-0.32, 0.02), (0.32, 0.1), slope((206, 60, 60)), 0.04)
    pen.oval((0, 0.14), (0.07, 0.07), globe((238, 196, 84)))


def fox(pen: Pen, colour: Colour) -> None:
    """A sitting fox with a white-tipped tail."""
    pen.smooth([(0.3, 0.96), (0.7, 0.94), (1.02, 0.6), (0.96, 0.1), (0.72, 0.3), (0.6, 0.66)], slope(colour))
    pen.smooth([(1.01, 0.5), (0.96, 0.1), (0.72, 0.3), (0.8, 0.5)], WHITE)
    pen.smooth([(0, -0.24), (0.32, 0.1), (0.48, 0.7), (0.38, 1), (-0.38, 1), (-0.48, 0.7), (-0.32, 0.1)], globe(colour))
    pen.smooth([(0, 0.0), (0.22, 0.2), (0.12, 0.7), (-0.12, 0.7), (-0.22, 0.2)], WHITE, 0.92)
    for side in (-1, 1):
        pen.oval((side * 0.18, 0.93), (0.15, 0.09), darker(colour, 0.7))
        pen.shape([(side * 0.14, -0.62), (side * 0.42, -1.0), (side * 0.5, -0.5)], slope(colour))
        pen.shape([(side * 0.24, -0.64), (side * 0.4, -0.88), (side * 0.44, -0.56)], darker(colour, 0.65))
    pen.smooth(
        [(0, -0.72), (0.46, -0.52), (0.44, -0.3), (0.1, 0.06), (-0.1, 0.06), (-0.44, -0.3), (-0.46, -0.52)],
        globe(colour),
    )
    for side in (-1, 1):
        pen.smooth([(side * 0.46, -0.34), (side * 0.2, -0.3), (side * 0.04, 0.0), (side * 0.1, 0.06)], WHITE)
        eye(pen, (side * 0.18, -0.36), 0.055)
    pen.oval((0, 0.0), (0.08, 0.06), globe(INK))


def bird(pen: Pen, colour: Colour) -> None:
    """A bird on a branch."""
    pen.line([(-1.1, 0.94), (0.1, 0.86), (1.1, 0.92)], 0.09, (110, 80, 60))
    pen.smooth([(0.36, 0.4), (0.98, 0.78), (1.06, 0.96), (0.5, 0.74)], slope(darker(colour, 0.3)))
    pen.smooth(
        [(-0.5, -0.2), (-0.2, -0.5), (0.2, -0.1), (0.56, 0.4), (0.4, 0.74), (0, 0.84), (-0.38, 0.6), (-0.54, 0.2)],
        globe(colour),
    )
    pen.smooth([(-0.5, 0.1), (-0.3, -0.02), (-0.04, 0.3), (0.02, 0.76), (-0.3, 0.64)], lighter(colour, 0.72), 0.9)
    pen.smooth(
        [(-0.02, 0.04), (0.3, 0.1), (0.7, 0.66), (0.3, 0.6), (0.02, 0.4)],
        Down((darker(colour, 0.12), darker(colour, 0.5))),
    )
    pen.oval((-0.3, -0.34), (0.36, 0.34), globe(lighter(colour, 0.1)))
    pen.shape([(-0.62, -0.4), (-0.98, -0.26), (-0.6, -0.2)], slope((244, 174, 62)))
    eye(pen, (-0.4, -0.4), 0.07)
    for x in (-0.08, 0.12):
        pen.line([(x, 0.78), (x, 0.9)], 0.03, (214, 140, 60))


def fish(pen: Pen, colour: Colour) -> None:
    """A fish with wide fins."""
    pen.smooth([(0.5, 0), (1.05, -0.5), (0.94, 0.0), (1.05, 0.5)], slope(lighter(colour, 0.15)), 0.92)
    pen.smooth([(-0.3, -0.34), (0.06, -0.8), (0.42, -0.62), (0.36, -0.2)], slope(darker(colour, 0.12)), 0.9)
    pen.smooth([(-0.1, 0.3), (0.1, 0.72), (0.3, 0.6), (0.22, 0.24)], slope(darker(colour, 0.2)), 0.9)
    pen.smooth(
        [(-0.98, 0.02), (-0.6, -0.36), (0, -0.46), (0.6, -0.1), (0.66, 0.02), (0.5, 0.18), (0, 0.46), (-0.6, 0.34)],
        globe(colour),
    )
    for x in (-0.3, 0.12):
        pen.smooth(
            [(x, -0.42), (x + 0.16, -0.4), (x + 0.2, 0), (x + 0.14, 0.38), (x - 0.02, 0.42), (x + 0.05, 0)], WHITE, 0.85
        )
    pen.smooth([(-0.2, 0.04), (0.14, -0.04), (0.2, 0.16), (-0.02, 0.24)], lighter(colour, 0.5), 0.85)
    pen.oval((-0.66, -0.06), (0.11, 0.11), WHITE)
    eye(pen, (-0.68, -0.06), 0.065)


def whale(pen: Pen, colour: Colour) -> None:
    """A whale with a fountain."""
    for side in (-1, 1):
        pen.line(
            [(-0.36, -0.3), (-0.36 + side * 0.06, -0.62), (-0.36 + side * 0.26, -0.74), (-0.36 + side * 0.36, -0.6)],
            0.06,
            LIGHT,
            0.7,
        )
    pen.smooth(
        [(0.7, 0.2), (0.9, -0.2), (0.66, -0.5), (1.0, -0.36), (1.28, -0.52), (1.1, -0.1), (0.92, 0.4)], slope(colour)
    )
    pen.smooth(
        [
            (-1.0, 0.3),
            (-0.84, -0.12),
            (-0.3, -0.3),
            (0.3, -0.1),
            (0.8, 0.14),
            (0.92, 0.4),
            (0.4, 0.84),
            (-0.4, 0.92),
            (-0.9, 0.7),
        ],
        globe(colour),
    )
    pen.smooth(
        [(-0.96, 0.52), (-0.2, 0.6), (0.5, 0.62), (0.3, 0.86), (-0.4, 0.92), (-0.88, 0.72)], lighter(colour, 0.75), 0.9
    )
    pen.smooth([(-0.3, 0.5), (0.1, 0.6), (0.06, 0.98), (-0.16, 0.8)], slope(darker(colour, 0.25)))
    eye(pen, (-0.66, 0.3), 0.06)


def butterfly(pen: Pen, colour: Colour) -> None:
    """Four wings with dark rims."""
    for side in (-1, 1):
        for outline, tone in (
            ([(0, -0.1), (0.3, -0.8), (0.9, -0.86), (0.98, -0.3), (0.5, 0.06)], colour),
            ([(0, 0.02), (0.5, 0.1), (0.76, 0.46), (0.48, 0.9), (0.14, 0.6)], turned(colour, 0.04)),
        ):
            wing = [(side * x, y) for x, y in outline]
            pen.smooth(wing, darker(tone, 0.78))
            middle = (sum(x for x, _ in wing) / 5, sum(y for _, y in wing) / 5)
            pen.smooth(
                [(middle[0] + (x - middle[0]) * 0.8, middle[1] + (y - middle[1]) * 0.8) for x, y in wing], globe(tone)
            )
        for x, y in ((0.78, -0.66), (0.86, -0.44), (0.54, 0.64)):
            pen.oval((side * x, y), (0.05, 0.05), WHITE)
        pen.line([(0, -0.34), (side * 0.12, -0.6), (side * 0.24, -0.7)], 0.022, INK)
    pen.oval((0, 0.06), (0.07, 0.44), globe((66, 48, 46)))


def _head(pen: Pen, colour: Colour, centre: Point, reach: float) -> None:
    head = pen.part(centre, reach)
    for side in (-1, 1):
        head.shape([(side * 0.2, -0.6), (side * 0.72, -1.16), (side * 0.9, -0.2)], slope(colour))
        head.shape([(side * 0.36, -0.62), (side * 0.68, -0.96), (side * 0.78, -0.4)], (238, 164, 158))
    head.smooth(
        [(0, -0.8), (0.72, -0.58), (0.94, 0.0), (0.6, 0.6), (0, 0.76), (-0.6, 0.6), (-0.94, 0.0), (-0.72, -0.58)],
        globe(lighter(colour, 0.06)),
    )
    for x, lean in ((-0.22, -0.05), (0, 0), (0.22, 0.05)):
        head.line([(x, -0.74), (x + lean, -0.46)], 0.08, darker(colour, 0.36), 0.75)
    for side in (-1, 1):
        head.oval((side * 0.36, -0.08), (0.18, 0.2), (168, 206, 92))
        head.oval((side * 0.36, -0.08), (0.075, 0.19), INK)
        head.oval((side * 0.32, -0.15), (0.05, 0.05), WHITE)
        head.oval((side * 0.18, 0.34), (0.22, 0.17), lighter(colour, 0.72))
        for lift in (-0.06, 0.06):
            head.line([(side * 0.3, 0.32 + lift / 2), (side * 1.1, 0.3 + lift * 2)], 0.016, WHITE, 0.8)
    head.shape([(-0.1, 0.16), (0.1, 0.16), (0, 0.27)], (226, 118, 118))


def eye(pen: Pen, centre: Point, reach: float) -> None:
    """A dark eye with its glint."""
    pen.oval(centre, (reach, reach * 1.1), INK)
    pen.oval((centre[0] - reach * 0.3, centre[1] - reach * 0.35), (reach * 0.34, reach * 0.34), WHITE)

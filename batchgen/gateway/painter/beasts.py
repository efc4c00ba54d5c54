"""More animals, seen from the side or upright; every subject takes a pen and its colour, and stands on y = 1."""

from batchgen.gateway.painter.animals import eye
from batchgen.gateway.painter.canvas import Pen
from batchgen.gateway.painter.colour import INK, WHITE, Ball, Colour, Down, darker, globe, lighter, slope, tube


def elephant(pen: Pen, colour: Colour) -> None:
    """An elephant from the side, its trunk hanging."""
    far, near = darker(colour, 0.3), darker(colour, 0.05)
    for x in (-0.16, 0.62):
        pen.box((x - 0.14, 0.3), (x + 0.14, 0.98), tube(far), 0.06)
    pen.line([(0.98, 0.0), (1.1, 0.3), (1.06, 0.46)], 0.05, far)
    pen.smooth([(-0.5, -0.3), (0.0, -0.56), (0.6, -0.5), (0.98, -0.1), (1.0, 0.4), (0.6, 0.58), (-0.3, 0.58),
        (-0.56, 0.2)], Ball((lighter(colour, 0.4), colour, darker(colour, 0.4))))  # fmt: skip
    for x in (-0.38, 0.8):
        pen.box((x - 0.17, 0.3), (x + 0.17, 1.0), tube(near), 0.06)
        for toe in (-0.09, 0.0, 0.09):
            pen.oval((x + toe, 0.97), (0.04, 0.035), lighter(colour, 0.6))
    pen.smooth([(-0.98, -0.3), (-0.74, -0.62), (-0.4, -0.5), (-0.36, 0.0), (-0.7, 0.16), (-0.92, 0.14), (-0.9, 0.5),
        (-1.0, 0.86), (-1.2, 0.84), (-1.1, 0.66), (-1.12, 0.2)], globe(colour))  # fmt: skip
    for step in range(6):
        y = 0.24 + 0.09 * step
        pen.line([(-1.1, y), (-0.94, y + 0.02)], 0.015, darker(colour, 0.4), 0.6)
    pen.smooth([(-0.84, 0.14), (-0.78, 0.22), (-0.92, 0.42), (-1.06, 0.46), (-0.92, 0.3)], (246, 240, 224))
    pen.smooth([(-0.6, -0.5), (-0.28, -0.62), (0.02, -0.4), (0.04, 0.02), (-0.18, 0.3), (-0.42, 0.12), (-0.52, -0.14)],
        Ball((lighter(colour, 0.3), darker(colour, 0.12), darker(colour, 0.45))))  # fmt: skip
    pen.smooth([(-0.4, -0.4), (-0.2, -0.46), (-0.06, -0.26), (-0.1, 0.06), (-0.24, 0.14)], (206, 160, 160), 0.35)
    eye(pen, (-0.82, -0.24), 0.05)


def owl(pen: Pen, colour: Colour) -> None:
    """An owl on a branch, looking at you."""
    pen.line([(-1.2, 0.94), (0.1, 0.9), (1.2, 0.82)], 0.12, (104, 76, 58))
    pen.smooth(
        [(-0.5, -0.5), (0.5, -0.5), (0.68, 0.1), (0.5, 0.72), (0, 0.94), (-0.5, 0.72), (-0.68, 0.1)], globe(colour)
    )
    pen.smooth([(0, -0.1), (0.38, 0.1), (0.34, 0.6), (0, 0.84), (-0.34, 0.6), (-0.38, 0.1)], lighter(colour, 0.6))
    for row in range(4):
        for step in range(-2, 3):
            x, y = 0.14 * step + 0.07 * (row % 2), 0.16 + 0.15 * row
            pen.smooth([(x - 0.05, y), (x, y + 0.08), (x + 0.05, y), (x, y + 0.03)], darker(colour, 0.3), 0.75)
    for side in (-1, 1):
        pen.smooth([(side * 0.5, -0.1), (side * 0.76, 0.2), (side * 0.66, 0.72), (side * 0.42, 0.5)],
            slope(darker(colour, 0.3)))  # fmt: skip
        pen.shape([(side * 0.16, -0.66), (side * 0.56, -0.98), (side * 0.56, -0.5)], slope(darker(colour, 0.2)))
    pen.smooth([(-0.58, -0.4), (-0.4, -0.78), (0, -0.72), (0.4, -0.78), (0.58, -0.4), (0.36, -0.06), (0, -0.02),
        (-0.36, -0.06)], globe(lighter(colour, 0.08)))  # fmt: skip
    for side in (-1, 1):
        pen.oval((side * 0.25, -0.4), (0.28, 0.28), lighter(colour, 0.66))
        pen.oval((side * 0.25, -0.4), (0.19, 0.19), (250, 190, 62))
        pen.oval((side * 0.25, -0.4), (0.11, 0.11), INK)
        pen.oval((side * 0.25 - 0.05, -0.45), (0.04, 0.04), WHITE)
        pen.oval((side * 0.2, 0.88), (0.1, 0.06), (226, 160, 70))
    pen.shape([(-0.08, -0.3), (0.08, -0.3), (0, -0.1)], Down(((250, 196, 90), (206, 130, 50))))


def penguin(pen: Pen, colour: Colour) -> None:
    """A penguin standing upright."""
    for side in (-1, 1):
        pen.oval((side * 0.2, 0.95), (0.2, 0.07), slope((244, 164, 62)))
        pen.smooth([(side * 0.4, -0.16), (side * 0.72, 0.2), (side * 0.66, 0.5), (side * 0.44, 0.3)],
            slope(darker(colour, 0.2)))  # fmt: skip
    pen.smooth([(0, -0.96), (0.34, -0.76), (0.36, -0.4), (0.54, 0.2), (0.46, 0.8), (0, 0.96), (-0.46, 0.8),
        (-0.54, 0.2), (-0.36, -0.4), (-0.34, -0.76)], globe(colour))  # fmt: skip
    pen.smooth([(0, -0.3), (0.32, -0.02), (0.38, 0.5), (0.2, 0.86), (-0.2, 0.86), (-0.38, 0.5), (-0.32, -0.02)], WHITE)
    for side in (-1, 1):
        pen.oval((side * 0.16, -0.6), (0.15, 0.18), WHITE)
        eye(pen, (side * 0.13, -0.62), 0.055)
    pen.shape([(-0.12, -0.5), (0.12, -0.5), (0, -0.32)], slope((244, 164, 62)))


def rabbit(pen: Pen, colour: Colour) -> None:
    """A sitting rabbit with upright ears."""
    pen.oval((0.5, 0.8), (0.15, 0.15), WHITE)
    for side in (-1, 1):
        pen.smooth([(side * 0.08, -0.4), (side * 0.12, -1.0), (side * 0.28, -1.08), (side * 0.36, -0.9),
            (side * 0.3, -0.36)], slope(colour))  # fmt: skip
        pen.smooth(
            [(side * 0.15, -0.5), (side * 0.18, -0.92), (side * 0.27, -0.94), (side * 0.26, -0.48)], (240, 168, 170)
        )
    pen.smooth(
        [(0, -0.1), (0.34, 0.14), (0.54, 0.66), (0.42, 0.98), (-0.42, 0.98), (-0.54, 0.66), (-0.34, 0.14)],
        globe(colour),
    )
    pen.smooth([(0, 0.2), (0.22, 0.4), (0.18, 0.86), (-0.18, 0.86), (-0.22, 0.4)], lighter(colour, 0.7), 0.9)
    for side in (-1, 1):
        pen.oval((side * 0.24, 0.94), (0.22, 0.1), lighter(colour, 0.4))
    pen.oval((0, -0.2), (0.42, 0.38), globe(lighter(colour, 0.06)))
    for side in (-1, 1):
        eye(pen, (side * 0.18, -0.26), 0.065)
        pen.oval((side * 0.08, -0.02), (0.1, 0.08), lighter(colour, 0.7))
        pen.line([(side * 0.12, -0.04), (side * 0.48, -0.06)], 0.012, darker(colour, 0.5), 0.6)
    pen.shape([(-0.05, -0.12), (0.05, -0.12), (0, -0.06)], (226, 118, 118))
    pen.box((-0.06, 0.02), (0.06, 0.12), WHITE, 0.02)

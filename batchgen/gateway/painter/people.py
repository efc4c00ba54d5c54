"""People and those built like them; every subject takes a pen and its colour, and stands on y = 1."""

from batchgen.gateway.painter.animals import eye
from batchgen.gateway.painter.canvas import Pen
from batchgen.gateway.painter.colour import (
    DEEP,
    LIGHT,
    WHITE,
    Ball,
    Colour,
    Down,
    darker,
    globe,
    lighter,
    mix,
    slope,
    turned,
)

_SKIN: Colour = (232, 184, 152)


def person(pen: Pen, colour: Colour) -> None:
    """A portrait from the shoulders up."""
    hair = darker(turned(mix(colour, (120, 76, 50), 0.72), 0), 0.25)
    pen.smooth([(-0.5, -0.5), (0, -1.0), (0.5, -0.5), (0.56, 0.2), (0.3, 0.5), (-0.3, 0.5), (-0.56, 0.2)], slope(hair))
    pen.smooth(
        [(-0.98, 1.02), (-0.84, 0.66), (-0.3, 0.46), (0.3, 0.46), (0.84, 0.66), (0.98, 1.02)],
        Down((lighter(colour, 0.3), colour, darker(colour, 0.3))),
    )
    pen.smooth([(-0.17, 0.1), (0.17, 0.1), (0.22, 0.5), (0, 0.64), (-0.22, 0.5)], slope(darker(_SKIN, 0.16)))
    pen.smooth(
        [(0, -0.76), (0.36, -0.5), (0.37, -0.12), (0.2, 0.2), (0, 0.3), (-0.2, 0.2), (-0.37, -0.12), (-0.36, -0.5)],
        Ball((lighter(_SKIN, 0.45), _SKIN, darker(_SKIN, 0.22))),
    )
    pen.smooth(
        [(-0.44, -0.2), (-0.42, -0.66), (0, -0.94), (0.42, -0.66), (0.44, -0.2), (0.28, -0.54), (-0.1, -0.6)],
        slope(lighter(hair, 0.08)),
    )
    for side in (-1, 1):
        pen.oval((side * 0.15, -0.18), (0.075, 0.045), WHITE)
        eye(pen, (side * 0.15, -0.18), 0.04)
        pen.line([(side * 0.07, -0.3), (side * 0.23, -0.31)], 0.03, hair)
        pen.oval((side * 0.22, 0.0), (0.08, 0.05), (232, 130, 116), 0.35)
    pen.line([(0, -0.14), (0.04, 0.0), (-0.01, 0.02)], 0.018, darker(_SKIN, 0.3), 0.8)
    pen.smooth([(-0.1, 0.12), (0, 0.1), (0.1, 0.12), (0, 0.17)], (192, 84, 84))


def astronaut(pen: Pen, colour: Colour) -> None:
    """A floating suit with a golden visor."""
    pen.box((-0.46, -0.24), (0.46, 0.62), slope(darker(colour, 0.35)), 0.14)
    for side in (-1, 1):
        pen.line([(side * 0.3, 0.0), (side * 0.64, 0.2), (side * 0.8, -0.06)], 0.22, slope(darker(colour, 0.08)))
        pen.line([(side * 0.17, 0.5), (side * 0.24, 0.9)], 0.26, slope(darker(colour, 0.08)))
        pen.oval((side * 0.26, 0.94), (0.18, 0.09), slope((120, 128, 148)))
        pen.oval((side * 0.81, -0.1), (0.12, 0.12), globe((120, 128, 148)))
    pen.box((-0.36, -0.2), (0.36, 0.62), globe(colour), 0.18)
    pen.box((-0.16, 0.14), (0.16, 0.36), slope((90, 104, 140)), 0.03)
    for x, tone in ((-0.08, (226, 74, 70)), (0.0, (244, 196, 74)), (0.08, (90, 200, 130))):
        pen.oval((x, 0.25), (0.03, 0.03), tone)
    pen.oval((0, -0.5), (0.45, 0.44), globe(colour))
    pen.oval((0, -0.48), (0.34, 0.3), Ball(((255, 236, 180), (226, 160, 70), (110, 60, 60), DEEP)))
    pen.smooth([(-0.2, -0.6), (-0.06, -0.68), (-0.02, -0.62), (-0.16, -0.5)], LIGHT, 0.8)


def robot(pen: Pen, colour: Colour) -> None:
    """A friendly robot with lit eyes."""
    glow = (110, 226, 255)
    pen.line([(0, -0.8), (0, -1.0)], 0.03, darker(colour, 0.4))
    pen.glow((0, -1.0), 0.3, (255, 120, 100), 0.9)
    pen.oval((0, -1.0), (0.06, 0.06), globe((240, 90, 80)))
    for side in (-1, 1):
        pen.line([(side * 0.46, 0.12), (side * 0.72, 0.3), (side * 0.66, 0.62)], 0.13, slope(darker(colour, 0.25)))
        pen.oval((side * 0.66, 0.66), (0.12, 0.12), globe(darker(colour, 0.1)))
        pen.line([(side * 0.2, 0.66), (side * 0.2, 0.9)], 0.16, slope(darker(colour, 0.3)))
        pen.box((side * 0.2 - 0.17, 0.86), (side * 0.2 + 0.17, 1.0), slope(darker(colour, 0.15)), 0.06)
        pen.box((side * 0.5 - 0.07, -0.54), (side * 0.5 + 0.07, -0.3), slope(darker(colour, 0.3)), 0.04)
    pen.box((-0.42, -0.02), (0.42, 0.74), Down((lighter(colour, 0.4), colour, darker(colour, 0.3))), 0.14)
    pen.box((-0.24, 0.14), (0.24, 0.44), darker(colour, 0.6), 0.05)
    pen.line([(-0.18, 0.3), (-0.08, 0.3), (-0.03, 0.2), (0.05, 0.38), (0.1, 0.3), (0.18, 0.3)], 0.022, glow)
    pen.box((-0.5, -0.8), (0.5, -0.08), Down((lighter(colour, 0.55), colour, darker(colour, 0.22))), 0.18)
    pen.box((-0.38, -0.64), (0.38, -0.26), Down(((30, 36, 58), (18, 22, 40))), 0.14)
    for side in (-1, 1):
        pen.glow((side * 0.18, -0.46), 0.28, glow, 0.7)
        pen.oval((side * 0.18, -0.46), (0.085, 0.1), lighter(glow, 0.4))
    pen.line([(-0.08, -0.33), (0, -0.305), (0.08, -0.33)], 0.022, glow)


def child(pen: Pen, colour: Colour) -> None:
    """A child from head to foot, arms up."""
    hair = darker(mix(turned(colour, 0.08), (120, 76, 50), 0.8), 0.2)
    for side in (-1, 1):
        pen.line([(side * 0.12, 0.46), (side * 0.2, 0.9)], 0.13, slope(darker(_SKIN, 0.06)))
        pen.oval((side * 0.25, 0.95), (0.15, 0.065), slope((70, 76, 100)))
        pen.line([(side * 0.22, 0.0), (side * 0.46, -0.14), (side * 0.54, -0.42)], 0.11, slope(colour))
        pen.oval((side * 0.55, -0.46), (0.08, 0.08), globe(_SKIN))
    pen.box((-0.27, 0.34), (0.27, 0.62), slope((62, 84, 140)), 0.06)
    pen.smooth([(-0.22, -0.12), (0.22, -0.12), (0.29, 0.44), (-0.29, 0.44)], Down((lighter(colour, 0.35), colour)))
    pen.oval((0, -0.46), (0.36, 0.36), globe(hair))
    pen.oval((0, -0.4), (0.31, 0.3), Ball((lighter(_SKIN, 0.45), _SKIN, darker(_SKIN, 0.2))))
    pen.smooth([(-0.34, -0.44), (-0.2, -0.8), (0.2, -0.8), (0.34, -0.44), (0.1, -0.62), (-0.16, -0.6)], slope(hair))
    for side in (-1, 1):
        eye(pen, (side * 0.12, -0.4), 0.045)
        pen.oval((side * 0.19, -0.28), (0.06, 0.04), (232, 130, 116), 0.5)
    pen.smooth([(-0.1, -0.28), (0, -0.26), (0.1, -0.28), (0, -0.19)], (192, 74, 74))

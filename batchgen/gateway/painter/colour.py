"""Colours: mixing, shading, and the ramps that give a flat shape its volume."""

import colorsys
from dataclasses import dataclass
from typing import Final, TypeAlias

Colour: TypeAlias = tuple[int, int, int]
"""Red, green, blue in 0..255."""

LIGHT: Final[Colour] = (255, 250, 238)
DEEP: Final[Colour] = (26, 20, 52)
INK: Final[Colour] = (28, 28, 38)
WHITE: Final[Colour] = (250, 250, 250)


@dataclass(frozen=True, slots=True)
class Down:
    """Colours from top to bottom."""

    stops: tuple[Colour, ...]


@dataclass(frozen=True, slots=True)
class Across:
    """Colours from left to right."""

    stops: tuple[Colour, ...]


@dataclass(frozen=True, slots=True)
class Ball:
    """Colours from a lit point outwards; the point in shares of the box."""

    stops: tuple[Colour, ...]
    x: float = 0.34
    y: float = 0.28


Paint: TypeAlias = Colour | Down | Across | Ball


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`share` of the second colour in the first, 0..1."""
    r, g, b = (round(one + (two - one) * share) for one, two in zip(first, second, strict=True))
    return r, g, b


def lighter(colour: Colour, share: float = 0.4) -> Colour:
    """Towards warm light."""
    return mix(colour, LIGHT, share)


def darker(colour: Colour, share: float = 0.4) -> Colour:
    """Towards the blue of shadows."""
    return mix(colour, DEEP, share)


def luminance(colour: Colour) -> float:
    """How bright it looks, 0..1."""
    return (0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]) / 255


def from_hue(hue: float, saturation: float = 0.6, lightness: float = 0.55) -> Colour:
    """A colour by its hue in turns."""
    r, g, b = colorsys.hls_to_rgb(hue % 1, lightness, saturation)
    return round(r * 255), round(g * 255), round(b * 255)


def turned(colour: Colour, turns: float) -> Colour:
    """The same colour with its hue turned."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*(part / 255 for part in colour))
    return from_hue(hue + turns, saturation, lightness)


def lifted(colour: Colour, least: float = 0.35) -> Colour:
    """The colour, made bright enough to be a canvas."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*(part / 255 for part in colour))
    return from_hue(hue, saturation, max(lightness, least))


def tube(colour: Colour) -> Across:
    """The shading of an upright cylinder, lit from the left."""
    return Across(
        (
            darker(colour, 0.3),
            lighter(colour, 0.35),
            lighter(colour, 0.12),
            colour,
            darker(colour, 0.35),
            darker(colour, 0.5),
        )
    )


def globe(colour: Colour) -> Ball:
    """The shading of a ball, lit from the upper left."""
    return Ball((lighter(colour, 0.75), lighter(colour, 0.25), colour, darker(colour, 0.4), darker(colour, 0.68)))


def slope(colour: Colour, strength: float = 1.0) -> Down:
    """The shading of something lit from above."""
    return Down((lighter(colour, 0.32 * strength), colour, darker(colour, 0.34 * strength)))

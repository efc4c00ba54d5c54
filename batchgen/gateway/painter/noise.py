"""Fields of soft noise, small and quick; every random number comes from the generator handed in."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from batchgen.gateway.painter.colour import Colour

Field = NDArray[np.float32]
"""Numbers in 0..1, rows by columns."""


def fractal(rng: np.random.Generator, width: int, height: int, *, cells: float = 3, octaves: int = 4) -> Field:
    """Clouds: each octave is twice as fine and half as strong; `cells` features along the long side."""
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        fine = cells * 2**octave / max(width, height)
        grid = rng.random((max(2, round(height * fine)) + 1, max(2, round(width * fine)) + 1), np.float32)
        layer = Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC)
        total += np.asarray(layer) * np.float32(0.5**octave)
    total -= total.min()
    return np.asarray(total / max(float(total.max()), 1e-6), np.float32)


def warped(rng: np.random.Generator, width: int, height: int, *, cells: float = 2, strength: float = 0.35) -> Field:
    """Marble: clouds whose places are displaced by other clouds."""
    field = fractal(rng, width, height, cells=cells, octaves=4)
    reach = strength * min(width, height)
    rows, columns = np.mgrid[0:height, 0:width]
    down = fractal(rng, width, height, cells=cells, octaves=2) - 0.5
    across = fractal(rng, width, height, cells=cells, octaves=2) - 0.5
    there = field[
        np.clip(rows + down * reach, 0, height - 1).astype(np.intp),
        np.clip(columns + across * reach, 0, width - 1).astype(np.intp),
    ]
    return np.asarray(there, np.float32)


def ridge(rng: np.random.Generator, *, rough: float = 0.5, peaks: int = 3, points: int = 240) -> Field:
    """A skyline in 0..1 from left to right, 0 lowest; `rough` is what each finer octave keeps of the last."""
    places = np.linspace(0, 1, points)
    total = np.zeros(points)
    for octave in range(6):
        knots = peaks * 2**octave + 2
        heights = rng.random(knots)
        total += np.interp(places, np.linspace(0, 1, knots), heights) * rough**octave
    total -= total.min()
    return np.asarray(total / max(float(total.max()), 1e-6), np.float32)


def dune(rng: np.random.Generator, *, waves: float = 1.5, points: int = 160) -> Field:
    """A smooth line in 0..1 from left to right."""
    places = np.linspace(0, 1, points)
    total = np.zeros(points)
    for octave in range(3):
        turns = waves * (1.9**octave) * (0.8 + 0.4 * rng.random())
        total += np.sin(2 * np.pi * (places * turns + rng.random())) * 0.45**octave
    total -= total.min()
    return np.asarray(total / max(float(total.max()), 1e-6), np.float32)


def coloured(field: Field, stops: tuple[Colour, ...]) -> NDArray[np.float32]:
    """The field as a picture: 0 is the first colour, 1 the last; rows by columns by 3."""
    places = np.linspace(0, 1, len(stops))
    table = np.stack(
        [np.interp(np.linspace(0, 1, 512), places, [stop[part] for stop in stops]) for part in range(3)], -1
    )
    return np.asarray(table[(np.clip(field, 0, 1) * 511).astype(np.intp)], np.float32)


def smooth(low: float, high: float, value: NDArray[np.float32]) -> Field:
    """0 below `low`, 1 above `high`, an even curve between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def image(picture: NDArray[np.float32]) -> Image.Image:
    """A picture of floats as an image."""
    return Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))

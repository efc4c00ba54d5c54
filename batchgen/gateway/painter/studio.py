"""Puts a picture together: shape, backdrop, subjects, references, file."""

import hashlib
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, TypeAlias

import numpy as np
from PIL import Image, ImageFilter

from batchgen.gateway.painter import (
    Elsewhere,
    PaintRequest,
    Reference,
    Sample,
    Upload,
    furniture,
    places,
    png,
    rooms,
    walls,
    weather,
)
from batchgen.gateway.painter.canvas import Canvas, Pen
from batchgen.gateway.painter.colour import LIGHT, Colour, from_hue, lighter, luminance, mix, turned
from batchgen.gateway.painter.lexicon import OWN_COLOURS
from batchgen.gateway.painter.references import arrange, colour_of, opened
from batchgen.gateway.painter.sizes import nearest_ratio, pixels
from batchgen.gateway.painter.skies import LIGHTS, Light
from batchgen.gateway.painter.subjects import FLYING, GROWN, LETTERED, SUBJECTS, Subject
from batchgen.gateway.painter.words import Scene, Thing, leaning, read

Backdrop: TypeAlias = Callable[[Canvas, Light, np.random.Generator, Colour | None], float]

BACKDROPS: Final[dict[str, Backdrop]] = {
    "studio": rooms.studio, "desk": rooms.desk, "interior": rooms.interior, "city": rooms.city,
    "underwater": rooms.underwater, "abstract": rooms.abstract, "mountain": places.mountain, "forest": places.forest,
    "desert": places.desert, "ocean": places.ocean, "beach": places.beach, "sky": places.heaven,
    "space": places.space, "snow": places.snow, "meadow": places.meadow,
    "savanna": places.savanna, "wall": walls.wall,
}  # fmt: skip
"""By the names that the lexicon uses."""

_BACKDROP_LONG_SIDE: Final = 1280
_BACKDROP_AREA: Final = 450_000
_LONG_SIDE: Final = 2048
_GLOSSY: Final = frozenset({"studio", "desk", "city", "abstract"})
_INDOORS: Final = frozenset({"studio", "desk", "interior", "abstract", "space", "underwater"})
_HIGH: Final = frozenset({"sun", "moon"})
_JPEG_QUALITY: Final = 90


def render(request: PaintRequest, seed: int) -> bytes:
    """The picture as the bytes of a file."""
    pictures = [_picture(reference) for reference in request.references]
    picture = compose(request, seed, pictures)
    width, height = pixels(_ratio(request, pictures), request.resolution)
    if width > picture.width:
        picture = picture.resize((width, picture.height), Image.Resampling.BILINEAR)
    if request.output_format == "png":
        return png.encode(picture, height)
    file = io.BytesIO()
    picture.resize((width, height), Image.Resampling.NEAREST).save(file, "JPEG", quality=_JPEG_QUALITY)
    return file.getvalue()


def compose(request: PaintRequest, seed: int, pictures: list[Image.Image]) -> Image.Image:
    """The picture before it is encoded, drawn at 2K at most; `pictures` are the opened references."""
    scene = read(request.prompt)
    rng = np.random.default_rng(_entropy(request, seed))
    size = _drawn(pixels(_ratio(request, pictures), request.resolution))
    if pictures:
        scene = replace(scene, tint=scene.tint or colour_of(pictures[0]))
        scene = replace(scene, place="studio") if scene.place == "abstract" else scene
    elif not scene.named or scene.place == "abstract":
        scene = replace(scene, tint=scene.tint or _own_tint(scene, rng))
    return draw(scene, size, rng, pictures).image


def draw(scene: Scene, size: tuple[int, int], rng: np.random.Generator, pictures: Sequence[Image.Image] = ()) -> Canvas:
    """A scene from back to front: backdrop, then subjects or references, then what falls from the sky."""
    canvas, ground = _backdrop(scene, light_of(scene), size, rng)
    if pictures:
        arrange(canvas, pictures, ground, rng)
    else:
        _place(canvas, scene, ground, rng)
    _fall(canvas, scene, rng)
    return canvas


def light_of(scene: Scene) -> Light:
    """The light of the scene's hour, veiled when there is mist as well, without a second sun or moon."""
    light = LIGHTS[scene.time]
    if scene.mist and scene.time != "mist":
        veil = LIGHTS["mist"]
        skies = tuple(mix(one, two, 0.4) for one, two in zip(light.sky, veil.sky, strict=True))
        light = replace(light, sky=skies, shade=mix(light.shade, veil.shade, 0.4))
    return replace(light, shining=not any(thing.kind in {"moon", "sun"} for thing in scene.things))


def _drawn(size: tuple[int, int]) -> tuple[int, int]:
    """4K is drawn at half its sides: stretched smoothly across, and each row twice, which a PNG gets for nothing."""
    shrink = min(1.0, _LONG_SIDE / max(size))
    return round(size[0] * shrink), math.ceil(size[1] * shrink)


def _backdrop(scene: Scene, light: Light, size: tuple[int, int], rng: np.random.Generator) -> tuple[Canvas, float]:
    """The backdrop is painted on no more than 450,000 pixels: what is far away may be soft."""
    shrink = min(1.0, _BACKDROP_LONG_SIDE / max(size), math.sqrt(_BACKDROP_AREA / (size[0] * size[1])))
    small = Canvas(Image.new("RGB", (round(size[0] * shrink), round(size[1] * shrink))), fine=2)
    tint = scene.tint
    if tint is None and scene.place == "studio" and scene.things:
        subject = _colour(scene.things[0])
        tint = (
            lighter(turned(subject, 0.5), 0.74)
            if luminance(subject) < 0.7
            else mix(turned(subject, 0.55), (96, 112, 140), 0.7)
        )
    ground = BACKDROPS[scene.place](small, light, rng, tint)
    if scene.lake:
        rooms.mirror(small, 0.74, mix(light.sky[1], (40, 92, 130), 0.5))
    if "lightning" in scene.weather and scene.place not in _INDOORS:
        weather.lightning(small, rng)
    whole = small.image if shrink == 1 else small.image.resize(size, Image.Resampling.BILINEAR)
    return Canvas(whole), ground


def _place(canvas: Canvas, scene: Scene, ground: float, rng: np.random.Generator) -> None:
    """Set the subjects side by side, the first one largest and in the middle ground."""
    crowd = [thing for thing in scene.things for _ in range(thing.count)]
    if not crowd:
        return
    reach = min(0.36 * canvas.unit, 0.9 * canvas.width / (2.15 * (len(crowd) - 1) + 2.5))
    reach *= 0.94 + 0.12 * float(rng.random())
    start = (len(crowd) - 1) / 2
    drift = canvas.width * (0.07 if len(crowd) == 1 else 0.01) * float(rng.uniform(-1, 1))
    for index, thing in sorted(enumerate(crowd), key=lambda each: -abs(each[0] - start)):
        scale = reach * GROWN.get(thing.kind, 1.0) * (1.0 if thing == crowd[0] else 0.82)
        x = canvas.width / 2 + drift + (index - start) * reach * 2.15
        foot = canvas.height * (ground + 0.02 * float(rng.uniform(-1, 1)))
        scale = min(scale, foot * 0.95 / 2.15)
        middle = foot - scale
        if thing.kind in FLYING:
            level = 0.26 if thing.kind in _HIGH and scene.place not in {"sky", "space"} else 0.44
            middle = canvas.height * (level + 0.05 * float(rng.uniform(-1, 1)))
        elif thing.kind == "person":
            middle = canvas.height * 1.01 - scale
        pen = Pen(canvas, (x, middle), scale, flip=-1 if rng.random() < 0.5 and thing.kind not in LETTERED else 1)
        _stand(pen, scene, thing, light=light_of(scene))


def _fall(canvas: Canvas, scene: Scene, rng: np.random.Generator) -> None:
    """Rain and snow, before everything else; under a roof there is none."""
    if scene.place in _INDOORS:
        return
    if scene.weather & {"rain", "lightning"}:
        weather.rain(canvas, rng)
    if "snow" in scene.weather:
        weather.snowfall(canvas, rng)


def _stand(pen: Pen, scene: Scene, thing: Thing, *, light: Light) -> None:
    draw: Subject = SUBJECTS[thing.kind] if thing.kind != "sign" else partial(furniture.sign, text=scene.said)
    colour = mix(_colour(thing), light.sky[1], 0.1)
    if thing.kind not in FLYING and thing.kind not in {"bridge", "person"}:
        if scene.place in _GLOSSY:
            _reflect(pen, thing.kind, colour)
        pen.shadow((0.1, 1.0), (1.5, 0.26), 0.5)
        pen.shadow((0.0, 1.0), (0.95, 0.12), 0.8)
    if not thing.glassy:
        draw(pen, colour)
        return
    before = pen.canvas.image.copy()
    draw(pen, colour)
    pen.canvas.image = Image.blend(before, pen.canvas.image, 0.66)
    pen.glow((-0.3, -0.3), 1.1, LIGHT, 0.35)


def _reflect(pen: Pen, kind: str, colour: Colour) -> None:
    """The subject upside down in a polished floor, fading out."""
    canvas = pen.canvas
    x, foot = pen.at(0, 1)
    left, top = max(0, round(x - pen.scale * 1.3)), round(foot)
    right, bottom = min(canvas.width, round(x + pen.scale * 1.3)), min(canvas.height, round(foot + pen.scale))
    if left >= right or top >= bottom:
        return
    before = canvas.image.crop((left, top, right, bottom))
    floor = Canvas(before.copy(), fine=1)
    centre = (pen.centre[0] - left, pen.centre[1] - top)
    SUBJECTS[kind](Pen(floor, centre, pen.scale, flip=pen.flip, fall=-1), colour)
    mirrored = floor.image.filter(ImageFilter.BoxBlur(pen.scale / 60))
    fade = Image.fromarray(np.linspace(80, 0, before.height).astype(np.uint8)[:, None].repeat(before.width, 1))
    canvas.image.paste(Image.composite(mirrored, before, fade), (left, top))


def _colour(thing: Thing) -> Colour:
    return thing.colour or OWN_COLOURS[thing.kind]


def _own_tint(scene: Scene, rng: np.random.Generator) -> Colour:
    return scene.colours[0] if scene.colours else from_hue(float(rng.random()), 0.62, 0.52)


def _ratio(request: PaintRequest, pictures: list[Image.Image]) -> str:
    if request.aspect_ratio != "auto":
        return request.aspect_ratio
    return nearest_ratio(*pictures[0].size) if pictures else leaning(request.prompt)


def _picture(reference: Reference) -> Image.Image:
    match reference:
        case Sample(name):
            words = name.rsplit(".", 1)[0].replace("-", " ").replace("_", " ")
            return compose(PaintRequest(words), 1, [])
        case Upload() | Elsewhere():
            return opened(reference)


def _entropy(request: PaintRequest, seed: int) -> list[int]:
    """The shape is left out: the same words and seed look alike in every size."""
    digest = hashlib.sha256(f"{seed}\0{request.prompt}".encode("utf-8", "surrogatepass")).digest()
    return list(digest)

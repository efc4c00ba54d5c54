"""What the painter promises: exact sizes, the same picture again, words and references that can be seen."""

import io
import subprocess
import sys
import zlib
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from batchgen.gateway.painter import Elsewhere, PaintRequest, Sample, UnreadableReference, Upload, paint, png
from batchgen.gateway.painter.canvas import Canvas, Pen
from batchgen.gateway.painter.colour import luminance
from batchgen.gateway.painter.lexicon import HOMES, NAMESAKES, OWN_COLOURS, PLACES, THINGS, TIMES
from batchgen.gateway.painter.sizes import LONG_SIDE, RATIOS, nearest_ratio, pixels
from batchgen.gateway.painter.skies import LIGHTS
from batchgen.gateway.painter.studio import BACKDROPS, compose, draw, light_of
from batchgen.gateway.painter.subjects import FLYING, GROWN, LETTERED, SUBJECTS
from batchgen.gateway.painter.words import Scene, Thing, leaning, read
from tests.painted_page import PLACE, PROMPTS


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def pixels_of(request: PaintRequest, seed: int = 1) -> np.ndarray:
    return np.asarray(compose(request, seed, []).resize((64, 64)), np.float64)


def upload(colour: tuple[int, int, int], size: tuple[int, int] = (300, 200), kind: str = "PNG") -> Upload:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, kind)
    return Upload(file.getvalue())


def painted(scene: Scene) -> Image.Image:
    return draw(scene, (256, 256), np.random.default_rng(3)).image


def share_of(image: Image.Image, colour: tuple[int, int, int]) -> float:
    """The share of pixels that are nearly this colour."""
    far = np.abs(np.asarray(image.convert("RGB"), np.int16) - np.array(colour)).max(-1)
    return float((far < 12).mean())


@pytest.mark.parametrize("resolution", sorted(LONG_SIDE))
@pytest.mark.parametrize("ratio", RATIOS)
def test_sizes_are_exact(ratio: str, resolution: str) -> None:
    """The long side is that of the resolution, and the other side follows the ratio to the pixel."""
    across, down = (int(part) for part in ratio.split(":"))
    width, height = pixels(ratio, resolution)
    assert max(width, height) == LONG_SIDE[resolution]
    assert abs(width * down - height * across) <= max(across, down) / 2
    if resolution == "1K":
        data = paint(PaintRequest("fog", ratio, resolution, "jpg"), 1)
        assert opened(data).size == (width, height)


@pytest.mark.parametrize(("resolution", "size"), [("2K", (2048, 1152)), ("4K", (4096, 2304))])
def test_large_pictures_have_their_size(resolution: str, size: tuple[int, int]) -> None:
    """2K and 4K pictures are painted at twice and four times the size."""
    assert opened(paint(PaintRequest("a red car", "16:9", resolution), 1)).size == size


def test_formats_are_what_was_asked_for() -> None:
    """png gives a PNG and jpg a JPEG, and the PNG says that it is a rehearsal."""
    picture = opened(paint(PaintRequest("a cat"), 1))
    assert picture.format == "PNG"
    assert "rehearsal" in picture.info["Software"]
    assert opened(paint(PaintRequest("a cat", output_format="jpg"), 1)).format == "JPEG"


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_the_png_encoder_loses_nothing(width: int, height: int, seed: int) -> None:
    """Any picture comes back from its PNG pixel by pixel."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    assert np.array_equal(np.asarray(opened(png.encode(Image.fromarray(pixels)))), pixels)


def test_the_same_request_and_seed_give_the_same_bytes() -> None:
    """Painting again, here and in another process, gives the very same file."""
    request = PaintRequest("two sailboats at sunset", "4:3", references=(Sample("lamp"), Elsewhere("ab")))
    code = (
        "import hashlib; from batchgen.gateway.painter import *\n"
        "r = PaintRequest('two sailboats at sunset', '4:3', references=(Sample('lamp'), Elsewhere('ab')))\n"
        "import sys; sys.stdout.buffer.write(paint(r, 5))"
    )
    elsewhere = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE).stdout
    assert paint(request, 5) == paint(request, 5) == elsewhere


@pytest.mark.parametrize("prompt", ["a gold sphere over the desert", "ocean waves", "blue bottle", "qwertz"])
def test_another_seed_gives_another_picture(prompt: str) -> None:
    """Two takes of the same words differ visibly."""
    first, second = pixels_of(PaintRequest(prompt), 1), pixels_of(PaintRequest(prompt), 2)
    assert np.abs(first - second).mean() > 4


def test_words_change_the_palette() -> None:
    """A colour before a noun colours that thing, and the hour colours the sky."""
    centre = np.s_[28:40, 24:40]
    red, blue = (pixels_of(PaintRequest(f"a {word} sphere"))[centre].mean((0, 1)) for word in ("red", "blue"))
    assert red[0] > red[2] + 40
    assert blue[2] > blue[0] + 40
    day, night = (pixels_of(PaintRequest(f"a mountain at {word}")).mean() for word in ("noon", "night"))
    assert day > night + 50


def test_the_shape_does_not_change_the_scene() -> None:
    """The same words and seed look alike in every resolution."""
    small = pixels_of(PaintRequest("castle in the alps", "1:1", "1K"))
    large = pixels_of(PaintRequest("castle in the alps", "1:1", "2K"))
    assert np.abs(small - large).mean() < 6


def test_glass_lets_light_through() -> None:
    """A glass sphere shows more of what is behind it than one of steel of the same colour."""
    steel, glass = (pixels_of(PaintRequest(f"a {word} blue sphere at night")) for word in ("steel", "glass"))
    empty = pixels_of(PaintRequest("a steel blue sphere at night"), 2)
    assert np.abs(steel - glass).mean() > 2
    assert not np.array_equal(steel, empty)


def test_mist_and_moon_change_the_light() -> None:
    """Mist veils an hour, and a moon as subject is the only one in the sky."""
    clear, misty = (pixels_of(PaintRequest(f"{word} mountain at sunset")) for word in ("a", "misty"))
    assert misty.std() < clear.std()
    assert not light_of(read("a moon at night")).shining
    assert light_of(read("a mountain at night")).shining


@pytest.mark.parametrize("kind", sorted(SUBJECTS))
def test_every_subject_leaves_its_mark(kind: str) -> None:
    """Each subject draws a good part of its box, mirrored as well, and takes the colour it is given."""
    paper = (200, 200, 200)
    marks = []
    for colour in ((200, 40, 40), (40, 60, 200)):
        canvas = Canvas(Image.new("RGB", (160, 160), paper))
        SUBJECTS[kind](Pen(canvas, (80, 80), 60, flip=-1), colour)
        marks.append(np.asarray(canvas.image, np.int16))
    painted = (np.abs(marks[0] - np.array(paper)).max(-1) > 8).mean()
    assert painted > 0.04
    if kind != "rainbow":  # which has colours of its own
        assert (np.abs(marks[0] - marks[1]).max(-1) > 20).mean() > 0.004


@pytest.mark.parametrize("place", sorted(BACKDROPS))
def test_every_place_fills_the_canvas(place: str) -> None:
    """Each backdrop paints every hour without a hole and says where the ground lies."""
    hole = (1, 255, 1)
    for hour in LIGHTS.values():
        canvas = Canvas(Image.new("RGB", (96, 64), hole))
        ground = BACKDROPS[place](canvas, hour, np.random.default_rng(1), None)
        assert 0.5 < ground < 1
        assert share_of(canvas.image, hole) == 0


@given(st.text(max_size=120))
@settings(max_examples=15, deadline=None)
def test_any_words_paint(prompt: str) -> None:
    """Whatever the prompt says, in any writing, a picture comes out."""
    assert opened(paint(PaintRequest(prompt, "16:9", output_format="jpg"), 1)).size == (1024, 576)


@given(st.lists(st.sampled_from([*THINGS, *PLACES, *TIMES, "red", "glass", "two", "seven", "in", ","]), max_size=9))
@settings(max_examples=15, deadline=None)
def test_any_known_words_paint(words: list[str]) -> None:
    """Any heap of words that the painter knows paints as well, on a narrow canvas too."""
    assert opened(paint(PaintRequest(" ".join(words), "9:16", output_format="jpg"), 1)).size == (576, 1024)


def test_a_reference_is_in_the_picture() -> None:
    """The reference's own pixels are seen, and its colour is taken up around it."""
    colour = (20, 140, 60)
    picture = opened(paint(PaintRequest("studio", references=(upload(colour),)), 1))
    assert share_of(picture, colour) > 0.08
    corner = np.asarray(picture.resize((8, 8)), np.float64)[0, 0]
    assert corner[1] > corner[0] + 10


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_all_reference_formats_open(kind: str) -> None:
    """PNG, JPEG and WebP references are drawn."""
    picture = opened(paint(PaintRequest("studio", references=(upload((200, 20, 20), kind=kind),)), 1))
    assert share_of(picture, (200, 20, 20)) > 0.08


def test_several_references_are_all_there() -> None:
    """Each of several references has its place."""
    colours = [(220, 30, 30), (30, 200, 40), (30, 60, 220), (240, 200, 20), (20, 200, 200)]
    picture = opened(paint(PaintRequest("desk", "16:9", references=tuple(upload(each) for each in colours)), 1))
    for colour in colours:
        assert share_of(picture, colour) > 0.01


def test_a_dark_reference_gives_no_dark_canvas() -> None:
    """Around a black reference it is bright."""
    picture = opened(paint(PaintRequest("use it", references=(upload((4, 4, 6)),)), 1))
    corners = np.asarray(picture.resize((16, 16)), np.float64)[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert min(luminance((int(r), int(g), int(b))) for r, g, b in corners) > 0.35


def test_transparent_references_lie_on_white() -> None:
    """What is transparent in a reference shows as paper."""
    file = io.BytesIO()
    Image.new("RGBA", (200, 200), (255, 0, 0, 0)).save(file, "PNG")
    picture = opened(paint(PaintRequest("studio", references=(Upload(file.getvalue()),)), 1))
    assert share_of(picture, (250, 250, 250)) > 0.1


def test_addresses_and_samples_are_drawn() -> None:
    """A sample is painted from its name, an address gives a placeholder of its own."""
    sample = opened(paint(PaintRequest("studio", references=(Sample("red-sphere.png"),)), 1)).resize((64, 64))
    middle = np.asarray(sample, np.float64)[24:44, 24:44].reshape(-1, 3)
    assert (middle[:, 0] > middle[:, 2] + 60).mean() > 0.2
    one, two = (paint(PaintRequest("studio", references=(Elsewhere(digest),)), 1) for digest in ("a", "b"))
    assert one != two


def test_auto_follows_reference_and_words() -> None:
    """Left open, the shape is that of the first reference, or what the words call for, or square."""
    for size, ratio in (((300, 200), "3:2"), ((90, 160), "9:16"), ((100, 104), "1:1")):
        request = PaintRequest("wide landscape", "auto", output_format="jpg", references=(upload((9, 9, 9), size),))
        assert opened(paint(request, 1)).size == pixels(ratio, "1K")
    for prompt, ratio in (("a wide landscape", "16:9"), ("portrait of a king", "9:16"), ("an apple", "1:1")):
        assert leaning(prompt) == ratio
        assert opened(paint(PaintRequest(prompt, "auto", output_format="jpg"), 1)).size == pixels(ratio, "1K")


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", upload((1, 2, 3), (400, 400)).data[:-40], b"RIFF\0\0\0\0WEBP"]
)
def test_a_broken_reference_is_an_error(data: bytes) -> None:
    """A reference that is cut short or no picture raises UnreadableReference, which fails its task."""
    with pytest.raises(UnreadableReference):
        paint(PaintRequest("studio", references=(Upload(data),)), 1)


def test_a_reference_with_too_many_pixels_is_an_error() -> None:
    """A small file that unpacks to more than 64 megapixels is refused before it is unpacked."""
    head = upload((1, 2, 3), (9, 9)).data
    header = b"IHDR" + (9000).to_bytes(4, "big") * 2 + head[24:29]
    bomb = head[:12] + header + zlib.crc32(header).to_bytes(4, "big") + head[33:]
    assert Image.open(io.BytesIO(bomb)).size == (9000, 9000)
    with pytest.raises(UnreadableReference):
        paint(PaintRequest("studio", references=(Upload(bomb),)), 1)


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_the_nearest_ratio_is_nearest(width: int, height: int) -> None:
    """No other ratio is closer, and an exact one is found."""
    name = nearest_ratio(width, height)

    def off(ratio: str) -> float:
        across, down = (int(part) for part in ratio.split(":"))
        return max(across * height, down * width) / min(across * height, down * width)

    assert off(name) <= min(off(each) for each in RATIOS) * (1 + 1e-9)


def test_adjectives_go_with_their_nouns() -> None:
    """Colour, number and stuff belong to the noun that follows, or to the last one when none does."""
    scene = read("A gold sphere, and two dark red cubes over the desert at dawn.")
    assert [(thing.kind, thing.count) for thing in scene.things] == [("sphere", 1), ("cube", 2)]
    gold, red = (thing.colour for thing in scene.things)
    assert gold == (214, 166, 62)
    assert red is not None
    assert red[0] > 2 * red[1]
    assert luminance(red) < 0.3
    assert (scene.place, scene.time) == ("desert", "dawn")
    assert read("a woman in green").things[0].colour == (74, 156, 88)
    assert read("a translucent gateway cube on a white desk").things == (
        Thing("cube", 1, (176, 206, 236), glassy=True),
    )
    assert read("a clean product render on a white desk").tint == (240, 240, 240)


@pytest.mark.parametrize(
    ("prompt", "kind", "place"),
    [
        ("an orange on a table", "citrus", "desk"),
        ("an orange cat", "cat", "interior"),
        ("boxes", "cube", "studio"),
        ("butterflies", "butterfly", "meadow"),
        ("\u96ea\u306e\u4e2d\u306e\u8d64\u3044\u732b", "cat", "snow"),
        ("a sailboat", "boat", "ocean"),
        ("product photo in a forest: mushroom", "mushroom", "forest"),
        ("A barn owl on a branch at night", "owl", "forest"),
        ("an ice cream cone", "icecream", "studio"),
        ("hot air balloons over a valley", "balloon", "meadow"),
        ("a clownfish above a coral reef", "fish", "underwater"),
        ("a rainbow over a green valley after the rain", "rainbow", "meadow"),
    ],
)
def test_words_are_understood(prompt: str, kind: str, place: str) -> None:
    """Plurals, namesakes and other writings find their thing and its place."""
    scene = read(prompt)
    assert scene.things[0].kind == kind
    assert scene.place == place


def test_the_vocabulary_is_whole() -> None:
    """Every word leads to something that can be painted, and every subject has a word and a colour."""
    kinds = set(SUBJECTS)
    assert set(THINGS.values()) | set(NAMESAKES.values()) == kinds == set(OWN_COLOURS)
    assert set(HOMES) <= kinds
    assert FLYING | LETTERED | set(GROWN) <= kinds
    assert set(PLACES.values()) | set(HOMES.values()) == set(BACKDROPS)
    assert set(TIMES.values()) == set(LIGHTS)
    assert len(kinds) >= 24


def test_a_colour_outranks_its_material() -> None:
    """A blue ceramic pot is blue, and pink icing makes a pink cake."""
    assert read("a blue ceramic teapot").things[0].colour == (56, 108, 200)
    assert read("a cake with pink icing and candles").things == (Thing("cake", 1, (240, 146, 176)),)


def test_words_in_quotes_are_lettering() -> None:
    """What stands in quotes is written on a sign and paints nothing else; apostrophes are no quotes."""
    scene = read('a wooden sign that says "RED CAT"')
    assert ([thing.kind for thing in scene.things], scene.said) == (["sign"], "RED CAT")
    assert [thing.kind for thing in read("\u201cHello\u201d in a forest").things] == ["sign"]
    assert read("the king's dog and the queen's cat").said == ""
    one, two = (pixels_of(PaintRequest(f"a sign that says '{word}'")) for word in ("OPEN", "SHUT"))
    assert np.abs(one - two).mean() > 0.5


@pytest.mark.parametrize(("word", "place"), [("rain", "city"), ("lightning", "coast"), ("snowfall", "forest")])
def test_weather_falls_outdoors(word: str, place: str) -> None:
    """Rain, snow and lightning are seen outdoors, and never under a roof."""
    assert read(f"{word} over the {place}").weather
    bare = replace(read(f"{word} over the {place}"), weather=frozenset())
    wet, dry = (np.asarray(painted(scene), np.float64) for scene in (read(f"{word} over the {place}"), bare))
    assert np.abs(wet - dry).mean() > 0.3
    indoors = read(f"a chair in a room, {word}")
    assert painted(indoors).tobytes() == painted(replace(indoors, weather=frozenset())).tobytes()


def test_a_lake_lies_before_a_landscape() -> None:
    """Mountains behind a lake are mirrored in it."""
    still, dry = read("mountains behind a lake"), read("mountains")
    assert (still.place, still.lake, dry.lake) == ("mountain", True, False)
    assert np.abs(np.asarray(painted(still), np.float64) - np.asarray(painted(dry), np.float64)).mean() > 3


def test_the_fixed_prompts_are_understood() -> None:
    """Each prompt of the page names a thing or a place that the painter knows, and no two look alike."""
    scenes = [read(prompt) for prompt in PROMPTS]
    assert all(scene.things or scene.place not in {"abstract", "studio"} for scene in scenes)
    small = [np.asarray(painted(scene).resize((16, 16)), np.float64) for scene in scenes]
    assert min(np.abs(one - two).mean() for one, two in combinations(small, 2)) > 6
    assert len(PROMPTS) == 24
    with Image.open(PLACE) as page:
        assert page.width > 1000

"""Makes docs/painter.jpg, the page of fixed prompts that the painter is judged by.

Run it with `python -m tests.painted_page` whenever the painter changes, and look at the page.
"""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from batchgen.gateway.painter import PaintRequest
from batchgen.gateway.painter.studio import compose

PROMPTS = (
    "A shiny red apple on a wooden table",
    "A blue ceramic teapot with rising steam, kitchen",
    "An old brass alarm clock on a desk",
    "A ginger cat sitting in a sunny room",
    "A golden retriever puppy in a meadow",
    "An elephant on the savanna at sunset",
    "An orange clownfish above a coral reef, underwater",
    "A barn owl on a branch at night",
    "Portrait of a woman in a green dress",
    "An astronaut floating in space",
    "Two children playing football in a park",
    "Snowy mountains behind a lake at dawn",
    "Sand dunes in the desert under a blazing sun",
    "A neon city street at night in the rain",
    "A lighthouse on the coast in a thunderstorm with lightning",
    "A rainbow over a green valley after the rain",
    "A hamburger with lettuce and cheese on a plate",
    "A birthday cake with pink icing and three candles",
    "An ice cream cone with strawberry and mint scoops",
    "A cozy living room with a green armchair and a lamp",
    "A bedroom with a blue bed",
    "A red bicycle in front of a brick wall",
    "A steam train crossing the countryside",
    'A wooden sign that says "OPEN"',
)
SEED = 7
COLUMNS, SIDE, GAP, CAPTION = 4, 280, 10, 22
PAPER, INK = (250, 249, 246), (90, 88, 84)
PLACE = Path(__file__).parent.parent / "docs/painter.jpg"


def page() -> Image.Image:
    """All prompts in rows, each under its number."""
    font = ImageFont.load_default(14)
    high = SIDE + CAPTION + GAP
    whole = Image.new("RGB", (COLUMNS * (SIDE + GAP) + GAP, -(-len(PROMPTS) // COLUMNS) * high + GAP), PAPER)
    draw = ImageDraw.Draw(whole)
    for index, prompt in enumerate(PROMPTS):
        row, column = divmod(index, COLUMNS)
        left, top = GAP + column * (SIDE + GAP), GAP + row * high
        picture = compose(PaintRequest(prompt), SEED, [])
        whole.paste(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS), (left, top))
        draw.text((left, top + SIDE + 3), str(index + 1), INK, font)
    return whole


if __name__ == "__main__":
    page().save(PLACE, quality=84, optimize=True)

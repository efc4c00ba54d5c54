"""Makes docs/quickstart.jpg, the picture in the README: runs the quickstart and lays its pictures out in rows.

Run it with `python -m tests.contact_sheet` whenever the painter or the quickstart changes.
"""

import shutil
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from tests.stories.world import HERE, World

WIDTH, GAP, ROW, CAPTION = 1200, 12, 250, 24
PAPER, INK = (250, 249, 246), (90, 88, 84)


def rows(pictures: list[tuple[str, Image.Image]]) -> list[list[tuple[str, Image.Image]]]:
    """Break pictures into rows that are about as wide as the sheet."""
    found: list[list[tuple[str, Image.Image]]] = [[]]
    for each in pictures:
        if sum(picture.width / picture.height for _, picture in found[-1]) > WIDTH / ROW * 0.8:
            found.append([])
        found[-1].append(each)
    return found


def sheet(pictures: list[tuple[str, Image.Image]]) -> Image.Image:
    """All pictures, each row filling the width, each with its id below."""
    font = ImageFont.load_default(15)
    strips = []
    for row in rows(pictures):
        ratio = sum(picture.width / picture.height for _, picture in row)
        height = min(int((WIDTH - GAP * (len(row) + 1)) / ratio), ROW * 3 // 2)
        strip = Image.new("RGB", (WIDTH, height + CAPTION + GAP), PAPER)
        draw, left = ImageDraw.Draw(strip), GAP
        for name, picture in row:
            width = round(height * picture.width / picture.height)
            strip.paste(picture.resize((width, height), Image.Resampling.LANCZOS), (left, GAP))
            draw.text((left, height + GAP + 4), name, INK, font)
            left += width + GAP
        strips.append(strip)
    whole = Image.new("RGB", (WIDTH, sum(strip.height for strip in strips) + GAP), PAPER)
    top = 0
    for strip in strips:
        whole.paste(strip, (0, top))
        top += strip.height
    return whole


def main() -> None:
    """Run the quickstart in a folder of its own and write the sheet."""
    with tempfile.TemporaryDirectory() as place:
        world = World(Path(place))
        shutil.copytree(HERE / "manifests", world.root / "manifests")
        done = world.type("run", "manifests/quickstart.yaml")
        assert done.code == 0, done.text
        batch = world.batch("quickstart.local")
        names = [body["assets"][0]["name"] for _, body in batch.heads().values()]
        pictures = [(Path(name).stem, Image.open(batch.folder / name).convert("RGB")) for name in names]
        sheet(pictures).save(HERE / "docs/quickstart.jpg", quality=86, optimize=True)


if __name__ == "__main__":
    main()

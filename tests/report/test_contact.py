"""Contact sheets."""

import io
from pathlib import Path

import pytest
from PIL import Image

from batchgen.report.contact import ACROSS, DOWN, Print, _cut, _font, _has, write_sheets
from batchgen.report.thumbnails import Thumbnail, placeholder


def prints(count: int) -> list[Print]:
    """Red pictures."""
    out = io.BytesIO()
    Image.new("RGB", (256, 128), "red").save(out, "JPEG")
    return [Print(f"shoes/{number}", Thumbnail(out.getvalue())) for number in range(count)]


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (1, 1), (ACROSS * DOWN, 1), (ACROSS * DOWN + 1, 2)])
def test_pages(tmp_path: Path, count: int, pages: int) -> None:
    """A page for every 64 pictures; one page has the name that was asked for, several have numbers."""
    names = write_sheets(str(tmp_path / "sheet.png"), prints(count))
    assert [Path(name).name for name in names] == (
        ["sheet.png"] if pages == 1 else [f"sheet-{number}.png" for number in range(1, pages + 1)]
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(Path(name).name for name in names)
    with Image.open(names[0]) as page:
        assert page.format == "PNG"
        reds = sum(pixel[0] > 240 and pixel[1] < 20 for pixel in page.convert("RGB").get_flattened_data())  # type: ignore[index]
        each = 240 * 120
        assert abs(reds - min(count, ACROSS * DOWN) * each) <= each * 0.02 * max(count, 1)


def test_a_missing_picture_leaves_its_place(tmp_path: Path) -> None:
    """What cannot be shown is an empty frame with its name, and what is hidden in a name is spelled out."""
    one = [Print("a\u202egnp.exe", placeholder("gone")), *prints(1)]
    (name,) = write_sheets(str(tmp_path / "a.png"), one)
    assert Path(name).stat().st_size > 0


def test_long_names_keep_their_end() -> None:
    """A name that is too long gives way at its beginning."""
    font = _font("a")
    assert _cut("short", font) == "short"
    cut = _cut("x" * 200 + "/front/pro", font)
    assert cut.startswith("…")
    assert cut.endswith("/front/pro")


def test_fonts_know_their_letters() -> None:
    """A font has the letters that it draws, and not those of nobody."""
    font = _font("a")
    assert _has(font, "a")
    assert _has(font, " ")
    assert not _has(font, "\U0010fffe")

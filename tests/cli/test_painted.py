"""What the program says, word for word as it was read once."""

import pytest

from batchgen.report.plain import columns
from tests.cli.painted import GOLDEN, PAGE, SCENES, documented


def test_every_scene_has_its_file() -> None:
    """No golden file is left without a scene that paints it."""
    assert {each.stem for each in GOLDEN.glob("*.txt")} == SCENES.keys()


@pytest.mark.parametrize("name", SCENES)
def test_it_says_what_it_said(name: str) -> None:
    """Plan, panel, status, endings and messages are exactly as they were painted."""
    assert f"{SCENES[name]()}\n" == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SCENES)
def test_it_fits_a_terminal(name: str) -> None:
    """No line is wider than 80 columns, and panels and endings are no higher than they may be."""
    lines = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    assert max(map(columns, lines)) <= 80
    assert all(each.isprintable() for each in lines)
    if name.startswith("panel-"):
        size = name.removeprefix("panel-").partition("x")
        assert len(lines) < int(size[2] or 24)
        assert max(map(columns, lines)) < (int(size[0]) if size[2] else 80)
    if name.startswith("ending-"):
        assert len(lines) <= 12


def test_every_exit_code_has_an_ending() -> None:
    """Every documented exit code has its last lines painted."""
    codes = {name.split("-")[1] for name in SCENES if name.startswith("ending-")}
    assert codes >= {"0", "1", "2", "3", "4", "5", "70", "75", "130", "143"}


def test_the_page_shows_what_is_so() -> None:
    """The terminal's page in the documentation shows these very pictures."""
    page = PAGE.read_text(encoding="utf-8")
    assert page.count("<!-- ") == page.count("```text\n") >= 6
    assert documented(page) == page

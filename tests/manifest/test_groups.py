"""Rows of one product, as shops export them, with conditions and templates over them."""

import random
import sys
from array import array
from pathlib import Path
from time import process_time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchgen.manifest.expression import compile_expression
from batchgen.manifest.misread import BadCell, Misread
from batchgen.manifest.tables import BadRow, TableError
from batchgen.manifest.tables.groups import MOST, Group, groups
from batchgen.manifest.tables.seen import Seen
from batchgen.manifest.template import compile_template
from tests.manifest.exports import PLAIN, SEMICOLONS, SHOPIFY, WOOCOMMERCE
from tests.manifest.tabling import grouped, table

FILLED = ("Title", "Vendor", "Status")


def test_a_shopify_export(tmp_path: Path) -> None:
    """Variants and rows that hold an image alone are one product, with its first row's cells and everyone's images."""
    found = table(tmp_path, SHOPIFY)
    shirt, mug, hat = grouped(found, "Handle", FILLED)
    assert [(each.number, each.key, len(each.records)) for each in (shirt, mug, hat)] == [
        (2, "linen-shirt", 4),
        (6, "mug", 1),
        (7, "old-hat", 1),
    ]
    assert shirt.values["variant_sku"] == shirt.values["Variant SKU"] == "00731"
    assert shirt.values["Body (HTML)"].splitlines()[1:3] == ["<ul>", '<li>Washed, "soft"</li>']
    assert [url[24:31] for url in shirt.all("Image Src")] == ["shirt-1", "shirt-2", "shirt-3"]
    assert shirt.all("image_src") == shirt.all("Image Src")
    assert shirt.all("Title") == ["Linen Shirt"] * 4
    assert hat.all("Image Src") == []
    assert list(shirt.cells) == list(found.columns)


def test_where_asks_every_row_of_a_product(tmp_path: Path) -> None:
    """A product is taken when one of its rows fits, what was filled down included."""
    found = table(tmp_path, SHOPIFY)
    condition = compile_expression("status == 'active' and variant_inventory_qty > 0", found.names)
    every = grouped(found, "Handle", FILLED)
    assert [each.key for each in every if each.matches(condition)] == ["linen-shirt"]
    assert not any(each.matches(condition) for each in grouped(found, "Handle") if each.key == "linen-shirt")


def test_templates_over_a_product(tmp_path: Path) -> None:
    """Titles, slices and HTML bodies come into prompts and paths."""
    found = table(tmp_path, SHOPIFY)
    made = compile_template(
        "{{ handle[:2] }}/{{ handle }}: {{ title }}, {{ row['Body (HTML)'] | striptags | default('x') }}", found.names
    )
    shirt, mug, _ = grouped(found, "Handle", FILLED)
    assert made.render(shirt.values) == 'li/linen-shirt: Linen Shirt, Light & airy. Washed, "soft"'
    assert made.render(mug.values) == "mu/mug: Café Mug ☕, Stoneware"


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8-sig", "utf-16"])
def test_semicolons_and_windows(tmp_path: Path, encoding: str) -> None:
    """The same with semicolons, German letters and prices, line breaks inside cells, in the encodings of Windows."""
    found = table(tmp_path, SEMICOLONS.encode(encoding), encoding=encoding)
    (tea,) = grouped(found, "handle", ["title"])
    assert found.separator == ";"
    assert tea.values["title"] == "Grüner Tee; lose\n100 g"
    assert tea.all("Variant SKU") == ["00411", "00412"]
    with pytest.raises(BadCell, match="`4,90`, which is no number; a decimal point is a point"):
        tea.matches(compile_expression("variant_price < 5", found.names))


def test_windows_without_its_encoding(tmp_path: Path) -> None:
    """Left to UTF-8 it is refused with the sentence that mends it."""
    with pytest.raises(TableError, match="row 2, column `Title`") as caught:
        list(table(tmp_path, SEMICOLONS.encode("cp1252")).records())
    assert caught.value.hint == "write `encoding: cp1252` under `rows` if this should read `Grüner`"


def test_a_woocommerce_export(tmp_path: Path) -> None:
    """Every row is a product; SKUs keep their zeros, and cells of several values stay one text."""
    found = table(tmp_path, WOOCOMMERCE)
    chair, _, stool = grouped(found)
    assert chair.values["images"].startswith("https://shop.example.com/a.jpg, ")
    assert chair.all("Images") == ["https://shop.example.com/a.jpg", "https://shop.example.com/b.jpg"]
    assert stool.all("Images") == ["https://shop.example.com/c.jpg"]
    assert (stool.values["sku"], stool.values["name"], stool.number) == ("007", 'Stool "Low"', 4)
    assert stool.matches(compile_expression("type in ['simple', 'variable'] and published == 1", found.names))


def test_a_plain_list(tmp_path: Path) -> None:
    """A blank cell is in no list of cells."""
    lamp, clock = grouped(table(tmp_path, PLAIN))
    assert (lamp.all("photo"), clock.all("photo")) == (["photos/lamp.png"], [])
    assert lamp.values["product_name"] == "Desk lamp"


def test_filling_down_without_groups(tmp_path: Path) -> None:
    """Cells that a spreadsheet merged are filled from the row above."""
    every = grouped(table(tmp_path, "kind,name\nlamp,a\n,b\n ,c\nclock,d\n"), None, ["kind"])
    assert [each.values["kind"] for each in every] == ["lamp", "lamp", "lamp", "clock"]


def test_a_blank_key_goes_on(tmp_path: Path) -> None:
    """Rows without a key belong to the product above; without one above they are bad."""
    first, *rest = groups(table(tmp_path, "h,t\n,0\na,1\n ,2\nb,3\n"), group_by="h")
    assert isinstance(first, BadRow)
    assert (first.number, first.reason) == (2, "`h` is empty, and no row above has one")
    assert [each.all("t") for each in rest if isinstance(each, Group)] == [["1", "2"], ["3"]]


def test_a_key_that_comes_back(tmp_path: Path) -> None:
    """Rows of one product that do not stand together end the reading, and both places are named."""
    found = table(tmp_path, "h,t\na,1\nb,2\nb,3\na,4\n")
    with pytest.raises(TableError, match="rows 2 and 5 have one `h`, `a`") as caught:
        list(groups(found, group_by="h"))
    assert "sort the table by `h`" in caught.value.hint


def test_a_bad_row_spoils_its_product(tmp_path: Path) -> None:
    """Part of a product is not bought: one bad row, with a key or without, takes the others with it, and only them."""
    data = 'h,t\na,1\na,2,3\nb,1\n"b"x,2\nc,1\nd,1,2\nd,2\ne,1\n'
    every = list(groups(table(tmp_path, data), group_by="h"))
    told = [(each.number, each.id) if isinstance(each, BadRow) else each.key for each in every]
    assert told == [(3, "a"), (5, "b"), "c", (7, "d"), "e"]


def test_too_many_rows_of_one_key(tmp_path: Path) -> None:
    """A column that is the same everywhere is no key, and memory does not pay for the mistake."""
    with pytest.raises(TableError, match=r"more than 10,000 rows have `x` as their `h`"):
        list(groups(table(tmp_path, "h,t\n" + "x,1\n" * (MOST + 1)), group_by="h"))


@pytest.mark.parametrize(("group_by", "fill_down"), [("hh", ()), (None, ("tt",)), ("h", ("nope",))])
def test_columns_that_are_not_there(tmp_path: Path, group_by: str | None, fill_down: tuple[str, ...]) -> None:
    """A column that does not exist is one error, before any row is read."""
    with pytest.raises(Misread, match="no column is named"):
        groups(table(tmp_path, "h,t\n" + "\0\n"), group_by=group_by, fill_down=fill_down)


def test_a_row_that_fails_is_named(tmp_path: Path) -> None:
    """A condition that meets no number says in which row of the product."""
    (product,) = grouped(table(tmp_path, "h,n\na,1\na,x\n"), "h")
    with pytest.raises(BadCell, match=r"`n` is `x`, which is no number \(row 3\)"):
        product.matches(compile_expression("n > 5", ["h", "n"]))


def test_a_group_becomes_a_bad_row(tmp_path: Path) -> None:
    """What a template finds wrong is told of the product's first row, with the row as it was."""
    (product,) = grouped(table(tmp_path, "h,n\na,1\na,x\n"), "h")
    assert product.bad("why") == BadRow(2, "why", "a", ["a", "1"])
    assert product.bad("why", "id-1").id == "id-1"


def test_it_is_quick(tmp_path: Path) -> None:
    """Reading, grouping, one condition and three templates take under 50 us of a processor a row."""
    lines = [f"p{at // 2},Shoe {at} of leather,active,{at % 50},red,winter{',x' * 14}\n" for at in range(20_000)]
    head = "Handle,Title,Status,Stock,Colour,Season" + "".join(f",c{at}" for at in range(14)) + "\n"
    found = table(tmp_path, head + "".join(lines))
    condition = compile_expression("status == 'active' and stock > 0", found.names)
    texts = (
        "{{ handle }}",
        "{{ title | truncate(80) }} in {{ colour | default('grey') }}, {{ season }}",
        "{{ handle[:2] }}",
    )
    templates = [compile_template(text, found.names) for text in texts]
    began = process_time()
    for each in groups(found):
        assert isinstance(each, Group)
        if each.matches(condition):
            [one.render(each.values) for one in templates]
    most = 50e-6 if sys.gettrace() is None else 1e-3  # somebody measures coverage
    assert (process_time() - began) / 20_000 < most


@given(st.lists(st.text(max_size=3), max_size=60))
@settings(max_examples=100)
def test_seen_is_a_dictionary(keys: list[str]) -> None:
    """The row of the first meeting is known for every key, as a dictionary would know it."""
    seen, plain = Seen(), dict[str, int]()
    for row, key in enumerate(keys):
        assert seen.row(key, row) == plain.get(key)
        plain.setdefault(key, row)


def test_seen_grows() -> None:
    """A hundred thousand keys are told apart, in a few bytes each."""
    seen = Seen()
    assert all(seen.row(f"k{at}", at) is None for at in range(100_000))
    chosen = random.Random(1).sample(range(100_000), 1000)
    assert all(seen.row(f"k{at}", 0) == at for at in chosen)
    held = [each for each in vars(seen).values() if isinstance(each, array)]
    assert sum(each.itemsize * len(each) for each in held) < 40 * 100_000


KEYS = st.lists(st.sampled_from(["a", "b", "c", "", " "]), max_size=12)


@given(KEYS)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_groups_are_runs_of_a_key(tmp_path: Path, keys: list[str]) -> None:
    """However keys stand, groups are their runs, blank ones counted to the one above, and none comes twice."""
    data = "h,t\n" + "".join(f"{key},{at}\n" for at, key in enumerate(keys))
    runs: list[tuple[str, list[str]]] = []
    is_split = False
    for at, key in enumerate(keys):
        if key.strip() and (not runs or runs[-1][0] != key):
            is_split = is_split or key in {old for old, _ in runs}
            runs.append((key, []))
        if runs:
            runs[-1][1].append(str(at))
    found = groups(table(tmp_path, data), group_by="h")
    if is_split:
        with pytest.raises(TableError):
            list(found)
    else:
        assert [(each.key, each.all("t")) for each in found if isinstance(each, Group)] == runs

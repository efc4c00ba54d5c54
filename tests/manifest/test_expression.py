"""The language of `where`, `when` and `--only`."""

import operator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen.manifest.expression import LONGEST, compile_expression
from batchgen.manifest.misread import BadCell, Misread
from batchgen.manifest.vocabulary import Names

COLUMNS = ("Status", "Stock", "Variant Price", "Compare At", "Tags", "sku", "2nd")
NAMES = Names(COLUMNS, ["view", "prompt"])
ROW = {
    "status": " active ",
    "stock": "12",
    "variant_price": "9.50",
    "Variant Price": "9.50",
    "compare_at": "10",
    "tags": "summer, sale",
    "sku": "007",
    "view": "front",
    "2nd": "x",
    "prompt": "   ",
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("status == 'active'", True),
        ("status != 'active'", False),
        ("'active' == status", True),
        ("stock > 0 and status == 'active'", True),
        ("0 < stock", True),
        ("12 > stock or 12 <= stock", True),
        ("stock == 12.0", True),
        ("stock != -3 and stock >= +1.2e1", True),
        ("sku == 7", True),
        ("sku == '7'", False),
        ("row['Variant Price'] < 10", True),
        ("variant_price < compare_at", True),
        ("compare_at < variant_price", False),
        ("status == view", False),
        ("status != view", True),
        ("view in ['front', 'back']", True),
        ("view not in ('front', 'back',)", False),
        ("stock in [11, 12]", True),
        ("stock in []", False),
        ("'sale' in tags", True),
        ("'winter' not in tags", True),
        ("not (status == 'draft' or view == 'back')", True),
        ("not not status == 'active'", True),
        ("prompt == ''", True),
        ("prompt != ''", False),
        ("prompt == 0", False),
        ("prompt != 0", False),
        ("prompt < 'a'", False),
        ("prompt < stock", False),
        ("prompt in [1]", False),
        ("prompt in ['']", True),
        ("view < 'g' and view >= 'front'", True),
        (r"view == 'it\'s'", False),
        ("row[\"2nd\"] == 'x'", True),
        ("status == 'a' or status == 'b' or status == 'active'", True),
        ("status == 'active' and stock > 1 and stock > 100", False),
    ],
)
def test_it_means_what_it_says(text: str, holds: bool) -> None:
    """Each comparison means what a person at home in spreadsheets expects, blanks around a cell aside."""
    assert compile_expression(text, NAMES).matches(ROW) is holds


@pytest.mark.parametrize(
    ("text", "offset", "message", "hint"),
    [
        ("", 0, "not empty", ""),
        ("status", 0, "`status` alone is no condition", "status == 'true'"),
        ("not status", 4, "alone is no condition", ""),
        ("(status) == 'a'", 1, "alone is no condition", ""),
        ("(status == 'a') == 'b'", 0, "whole comparisons", ""),
        ("status = 'a'", 7, "`=` means nothing", "=="),
        ("statsu == 'a'", 0, "`statsu` is no name", "did you mean `status`?"),
        ("colour == 'a'", 0, "`colour` is no name", "known here: "),
        ("row['Stok'] > 1", 4, "no column is named `Stok`", "did you mean `Stock`?"),
        ("row[1] == 'a'", 4, "row takes the name of a column", ""),
        ("row['Stock' > 1", 12, "closed by ]", ""),
        ("view in [status]", 9, "a list holds texts", "'status'"),
        ("view in ['a' 'b']", 13, "parted by commas", ""),
        ("view in ['a'", 12, "parted by commas", ""),
        ("'a' in ['a']", 0, "compares no cell", ""),
        ("5 in tags", 0, "a cell holds texts", "quote"),
        ("status == true", 10, "`true` is no word", "== 'true'"),
        ("status is None", 7, "not `is`", "=="),
        ("status == None", 10, "`None` is no word", "== ''"),
        ("status AND view", 7, "not `AND`", "`and`"),
        ("status == 'a' AND view == 'b'", 14, "`AND` is no word", "`and`"),
        ("status && view == 'b'", 7, "`&` means nothing", "`and`"),
        ("status <> 'b'", 7, "`<>` is no comparison", "!="),
        ("status.lower == 'b'", 6, "`.` means nothing", "attributes"),
        ("lower(status) == 'b'", 0, "nothing can be called", ""),
        ("stock + 1 > 2", 6, "no arithmetic", ""),
        ("stock > 2nd", 8, "where a letter begins", "row["),
        ("status == 'b", 10, "`'` means nothing", "never closed"),
        ("status == \u2018b\u2019", 10, "typographic quote", ""),
        ("stock > '5'", 6, "a quoted number is a text", "without quotes: 5"),
        ("0 < stock < 5", 10, "one comparison at a time", "`and`"),
        ("1 < 2", 2, "compares no cell", ""),
        ("status ==", 9, "missing at the end", ""),
        ("'a'", 3, "comparison is missing", ""),
        ("status == 'a')", 13, "not expected", ""),
        ("(status == 'a'", 14, "closed by )", ""),
        ("status not 'a'", 11, "`not in`", ""),
        ("stock > " + "1" * 400, 8, "too long", ""),
        ("(" * 50 + "stock > 1" + ")" * 50, 40, "parentheses inside each other", ""),
        ("not " * 4000 + "x", 160, "parentheses inside each other", ""),
        ("x" * (LONGEST + 1), LONGEST, "at most", ""),
        ("status == 'a' \x00", 14, "a character means nothing", ""),
    ],
)
def test_what_is_wrong_is_told_at_its_place(text: str, offset: int, message: str, hint: str) -> None:
    """A condition that is none is refused at the character where it goes wrong, with what to write."""
    with pytest.raises(Misread) as caught:
        compile_expression(text, NAMES)
    assert caught.value.offset == offset
    assert message in str(caught.value)
    assert hint in caught.value.hint


def test_two_columns_of_one_slug_answer_to_neither() -> None:
    """A plain name that fits two columns is refused, and both spellings are offered; an axis of that name wins."""
    names = Names(["Size", "size", "Colour"])
    with pytest.raises(Misread, match="any of 2 columns") as caught:
        compile_expression("size == 'M'", names)
    assert caught.value.hint == "write row['Size'] or row['size']"
    assert compile_expression("row['size'] == 'M'", names).matches({"Size": "S", "size": "M"})
    assert compile_expression("size == 'L'", names.plus(["size"])).names == {"size"}


def test_columns_and_names_are_kept_apart() -> None:
    """`row['id']` is the column even where another `id` stands alone, and both are said to be used."""
    found = compile_expression("id == 'job' and row['id'] == 'column'", Names(["id"], ["id"]))
    assert found.matches({"id": "job"}, {"id": "column"})
    assert not found.matches({"id": "column"}, {"id": "job"})
    assert found.names == {"id"}
    assert found.columns == {"id"}


@pytest.mark.parametrize(
    ("cell", "said"),
    [("1,5", "a decimal point is a point"), ("many", "`many`, which is no number"), ("1e9999", "no number"), ("٣", "")],
)
def test_a_cell_that_is_no_number(cell: str, said: str) -> None:
    """Comparing such a cell with a number is an error that names the column; it is never guessed."""
    for text in ("stock > 1", "stock in [1]", "stock < variant_price"):
        with pytest.raises(BadCell) as caught:
            compile_expression(text, NAMES).matches({"stock": cell, "variant_price": "1"})
        assert caught.value.column == "stock"
        assert said in str(caught.value)


def test_a_refused_cell_shows_no_secret() -> None:
    """What a message repeats of a cell is short, and without credentials."""
    cell = "https://user:hunter2@h/x?sig=abcdef " + "x" * 500
    with pytest.raises(BadCell) as caught:
        compile_expression("stock > 1", NAMES).matches({"stock": cell})
    assert "hunter2" not in str(caught.value)
    assert "abcdef" not in str(caught.value)
    assert len(str(caught.value)) < 120


def test_whole_numbers_are_exact() -> None:
    """Two article numbers that differ in the twentieth digit are two."""
    found = compile_expression("stock == 12345678901234567890", NAMES)
    assert found.matches({"stock": "12345678901234567890"})
    assert not found.matches({"stock": "12345678901234567891"})


SIGNS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
CELLS = st.sampled_from(["", "  ", "0", "7", "-2.5", "12", " 7 "])
Tree = tuple[str, tuple["Tree", ...]] | tuple[str, str, float]
LEAVES = st.tuples(st.sampled_from(["stock", "sku"]), st.sampled_from(list(SIGNS)), st.sampled_from([0, 7, -2.5]))
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.tuples(st.just("not"), st.tuples(inner))
        | st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=4).map(tuple))
    ),
    max_leaves=12,
)


def written(tree: Tree) -> str:
    """A tree in the language."""
    match tree:
        case ("not", (inner,)):
            return f"not ({written(inner)})"
        case ("and" | "or" as word, tuple(parts)):
            return "(" + f" {word} ".join(written(part) for part in parts) + ")"
        case (name, sign, number):
            return f"{name} {sign} {number}"
    raise AssertionError(tree)


def meant(tree: Tree, row: dict[str, str]) -> bool:
    """What a tree says of a row, worked out plainly."""
    match tree:
        case ("not", (inner,)):
            return not meant(inner, row)
        case ("and", tuple(parts)):
            return all(meant(part, row) for part in parts)
        case ("or", tuple(parts)):
            return any(meant(part, row) for part in parts)
        case (str(name), str(sign), (int() | float()) as number):
            return bool(row[name].strip()) and SIGNS[sign](float(row[name]), number)
    raise AssertionError(tree)


@given(TREES, CELLS, CELLS)
@settings(max_examples=150)
def test_it_agrees_with_a_plain_reading(tree: Tree, stock: str, sku: str) -> None:
    """Any tree of comparisons means what reading it word by word means."""
    row = {"stock": stock, "sku": sku}
    assert compile_expression(written(tree), NAMES).matches(row) is meant(tree, row)


PIECES = st.sampled_from(
    [
        "stock",
        "view",
        "row",
        "[",
        "]",
        "(",
        ")",
        ",",
        "'a'",
        '"',
        "7",
        "==",
        "<",
        "in",
        "not",
        "and",
        "or",
        " ",
        "row['sku']",
    ]
)


@given(st.text(max_size=30) | st.lists(PIECES, max_size=12).map(" ".join))
@settings(max_examples=200)
def test_any_text(text: str) -> None:
    """Whatever a text holds, it is a condition or it is refused inside itself."""
    with suppress(BadCell):
        try:
            found = compile_expression(text, NAMES)
        except Misread as error:
            said = error
        else:
            assert found.names <= set(NAMES)
            assert found.matches(ROW) in {True, False}
            return
        assert 0 <= said.offset <= len(text)
        assert str(said)

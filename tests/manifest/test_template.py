"""Templates of prompts, ids, paths and request fields."""

import subprocess
import sys
from contextlib import suppress
from time import process_time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from batchgen.manifest.misread import BadCell, Misread
from batchgen.manifest.template import LARGEST, LONGEST, compile_template
from batchgen.manifest.vocabulary import Names

COLUMNS = ("Title", "Status", "Variant SKU", "Stock", "Size", "size", "2nd", "Body (HTML)", "Colour", "Handle")
NAMES = Names(COLUMNS, ["view"])
ROW = {
    "title": "A Red  Shoe",
    "status": "active",
    "stock": "5",
    "variant_sku": "007",
    "2nd": "second",
    "Body (HTML)": "<p>Soft &amp; warm<!-- secret --><br>wool</p> <img src='x'",
    "colour": "  ",
    "handle": "red-shoe",
    "view": "front",
}


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("plain, with } and % and $ signs", "plain, with } and % and $ signs"),
        ("{{ title }}", "A Red  Shoe"),
        ("{{title|upper}}, {{ handle[:3] }}", "A RED  SHOE, red"),
        ("{{ handle[0] }}{{ handle[-1] }}{{ handle[-4:-2] }}{{ handle[99] }}", "resh"),
        ("{{ row['2nd'] }} {{ row['Body (HTML)'] | striptags }}", "second Soft & warm wool <img src='x'"),
        ("{{ colour | default('grey') }} {{ colour | d(7) }} {{ colour | default(title) }}", "grey 7 A Red  Shoe"),
        ("{{ title | truncate(8) }}|{{ handle | truncate(6, true, '', leeway=0) }}", "A Red  Shoe|red-sh"),
        ("{{ title | replace('Red', colour | default('Blue')) | slug }}", "a-blue-shoe"),
        ("{{ stock | int }} {{ stock | float | round(1) }} {{ variant_sku }}", "5 5.0 007"),
        ("{{ title | wordcount }} {{ title | length }} {{ title | first }}{{ title | last }}", "3 11 Ae"),
        ("{{ 'Größe: Blau/Rot' | slug }} {{ 'a b/c' | urlencode }} {{ 'ab' | reverse }}", "grosse-blau-rot a%20b/c ba"),
        ("{{ '  x ' | trim }}{{ 'xaby' | trim('xy') }} {{ 'ab cd' | title }} {{ 'aB' | capitalize }}", "xab Ab Cd Ab"),
        ("{% if colour %}in {{ colour }}{% else %}plain{% endif %}", "plain"),
        ("{% if colour == '' and title != '' %}1{% elif title %}2{% endif %}", "1"),
        ("{% if colour == 'red' or not colour != '' %}1{% endif %}", "1"),
        ("{{ 'many' if stock | int > 3 else 'few' }}", "many"),
        ("{{ 'x' if stock | int is even }}", ""),
        ("{{ 'x' if stock | int is divisibleby(5) and stock | int is odd }}", "x"),
        ("{{ 'a' if view in ['front', 'side'] else 'b' }}{{ 'c' if colour in ('x', '') }}", "ac"),
        ("{{ 'a' if 'Red' in title }}{{ 'b' if 'x' not in colour }}{{ 'c' if stock | int in [5] }}", "abc"),
        ("{{ 'a' if colour is defined else 'b' }}{{ 'a' if title is defined else 'b' }}", "ba"),
        ("{{ 'a' if view < 'g' }}{# never seen #}{% raw %}{{ x }}{% endraw %}\n", "a{{ x }}\n"),
        ("{{ colour | default('') }}|{{ title | string }}", "|A Red  Shoe"),
    ],
)
def test_it_makes_what_it_says(text: str, made: str) -> None:
    """Names, slices, filters, tests and conditions do what Jinja's readers expect; cells come as written."""
    assert compile_template(text, NAMES).render(ROW) == made


@pytest.mark.parametrize(
    ("text", "offset", "message", "hint"),
    [
        ("{{ titel }}", 3, "`titel` is no name", "did you mean `title`?"),
        ("title:\n  {{ title }} {{ Titl }}", 24, "`Titl` is no name", "title"),
        ("{{ size }}", 3, "any of 2 columns", "row['Size'] or row['size']"),
        ("x {{ row['Titel'] }}", 10, "no column is named `Titel`", "`Title`"),
        ("{{ row[0] }}", 3, "row takes the name", "row['Column Name']"),
        ("{{ row.title }}", 7, "no attributes", "row['Column Name']"),
        ("{{ ''.__class__ }}", 6, "no attributes", ""),
        ("{{ title['__class__'] }}", 0, "whole numbers", ""),
        ("{{ title.lower() }}", 9, "nothing can be called", "| lower"),
        ("{{ range(10**9) }}", 3, "nothing can be called", ""),
        ("{% for a in title %}{% endfor %}", 7, "no loops", ""),
        ("{% set a = 1 %}", 7, "nothing can be set", ""),
        ("{% set a %}b{% endset %}", 7, "nothing can be set", ""),
        ("{% macro a() %}b{% endmacro %}", 0, "no macros", ""),
        ("{% include 'a' %}", 0, "no place in a template", ""),
        ("{% import 'a' as b %}", 0, "no place in a template", ""),
        ("{% extends 'a' %}", 0, "no place in a template", ""),
        ("{% block a %}{% endblock %}", 0, "no place in a template", ""),
        ("{% filter upper %}x{% endfilter %}", 10, "no place in a template", ""),
        ("{% frobnicate %}", 0, "this is no template", ""),
        ("{{ title ~ status }}", 3, "`~` joins nothing", "side by side"),
        ("{{ stock * 1000000 }}", 3, "no arithmetic", ""),
        ("{{ -stock }}", 4, "no arithmetic", ""),
        ("{{ title or 'x' }}", 3, "a condition, not a text", "default"),
        ("{{ not title }}", 7, "a condition, not a text", "if"),
        ("{{ title == 'x' }}", 3, "a condition, not a text", "if"),
        ("{{ title[::2] }}", 0, "no step", ""),
        ("{{ title[stock] }}", 0, "whole numbers", ""),
        ("{{ (stock | int)[0] }}", 12, "a slice takes a text", ""),
        ("{{ [title] }}", 4, "no place in a template", ""),
        ("{{ true }}", 3, "`true` is no word", "'true'"),
        ("{{ 'x' if stock > 5 }}", 10, "compares a text with a number", "float"),
        ("{{ 'x' if stock == 5 }}", 10, "compares a text with a number", "float"),
        ("{{ 'x' if stock > '5' }}", 10, "orders texts", "float"),
        ("{{ 'x' if stock < variant_sku }}", 10, "orders texts", "float"),
        ("{{ 'x' if 0 < stock | int < 5 }}", 22, "one comparison at a time", "`and`"),
        ("{{ 'x' if title in ['a', status] }}", 25, "this list holds texts", ""),
        ("{{ 'x' if stock | int in title }}", 18, "compares", ""),
        ("{{ 'x' if title is even }}", 19, "asks a number", ""),
        ("{{ 'x' if title is string }}", 19, "there is no test", ""),
        ("{{ 'x' if stock | int is divisibleby(0) }}", 25, "asks a number", ""),
        ("{{ 1 if title else 'x' }}", 8, "a number or a text", ""),
        ("{{ title | center(1000000000) }}", 11, "no filter `center`", "known here"),
        ("{{ title | trunkate(5) }}", 11, "no filter `trunkate`", "`truncate`"),
        ("{{ title | truncate(1001) }}", 11, "a whole number up to 1000", ""),
        ("{{ title | truncate(stock) }}", 11, "a whole number up to 1000", ""),
        ("{{ title | truncate(2) }}", 11, "shorter than", ""),
        ("{{ title | truncate(80, 1) }}", 11, "true or false", ""),
        ("{{ title | truncate(80, false, 'a', 1, 2) }}", 11, "takes 4 arguments", ""),
        ("{{ title | truncate(80, length=5) }}", 11, "has it already", ""),
        ("{{ title | truncate(*title) }}", 11, "takes 4 arguments", ""),
        ("{{ title | replace('', 'x') }}", 11, "not empty", ""),
        ("{{ title | replace('a') }}", 11, "needs something", ""),
        ("{{ title | default }}", 11, "needs something", ""),
        ("{{ stock | int | upper }}", 17, "`upper` takes a text", ""),
        ("{{ stock | round }}", 11, "`round` takes a number", "float | round"),
        ("{{ title", 0, "never closed", ""),
        ("a\n{% if title %}", 2, "never closed", ""),
        ("{{ " + "(" * 500 + "title" + ")" * 500 + " }}", 0, "too deep", ""),
        ("{{ title" + "|lower" * 500 + " }}", 9, "inside each other", ""),
        ("{% if title %}" * 60 + "{% endif %}" * 60, 0, "too deep", ""),
        ("{{ x }}" + " " * LONGEST, LONGEST, "at most", ""),
    ],
)
def test_what_is_wrong_is_told_at_its_place(text: str, offset: int, message: str, hint: str) -> None:
    """Whatever is not of the language is refused before any row is read, at its place, with what to write."""
    with pytest.raises(Misread) as caught:
        compile_template(text, NAMES)
    said = caught.value
    assert message in str(said) or "inside each other" in str(said)
    assert hint in said.hint
    if "deep" not in message:
        assert said.offset == offset


@pytest.mark.parametrize("text", ["{{ colour }}", "{{ colour | upper }}", "{{ colour[:2] }}", "{{ colour | length }}"])
def test_an_absent_cell_needs_a_default(text: str) -> None:
    """A blank or missing cell whose text is needed is an error that names the column and the way out."""
    for row in (ROW, {}):
        with pytest.raises(BadCell, match=r"`colour` is empty.*colour \| default") as caught:
            compile_template(text, NAMES).render(row)
        assert caught.value.column == "colour"


def test_an_absent_column_is_named_as_it_is_written() -> None:
    """A column that needs row['…'] is shown so in the advice."""
    with pytest.raises(BadCell, match=r"\{\{ row\['Body \(HTML\)'\] \| default"):
        compile_template("{{ row['Body (HTML)'] }}", NAMES).render({})


@pytest.mark.parametrize("text", ["{{ title | int }}", "{{ title | float }}", "{{ title | int }}{{ stock }}"])
def test_no_number(text: str) -> None:
    """A cell that is no number is never made one."""
    with pytest.raises(BadCell, match="which is no number"):
        compile_template(text, NAMES).render(ROW)


@pytest.mark.parametrize("cell", ["1e999", "9" * 310, "1,5", ""])
def test_numbers_beyond_reason(cell: str) -> None:
    """A number that a machine cannot hold is a bad cell, not a crash."""
    for text in ("{{ stock | int }}", "{{ stock | float | round(2) }}"):
        with suppress(BadCell):
            assert compile_template(text, NAMES).render({"stock": cell}) == "inf"


def test_texts_cannot_be_blown_up() -> None:
    """What a template makes is bounded, on the way and at its end."""
    doubling = "{{ title" + " | replace('a', 'aa')" * 40 + " | truncate(10) }}"
    with pytest.raises(BadCell, match="makes more than"):
        compile_template(doubling, NAMES).render({"title": "a" * 100})
    with pytest.raises(BadCell, match="at most"):
        compile_template("{{ title }}" * 5000, NAMES).render({"title": "a" * 1_000_000})
    with pytest.raises(BadCell, match="makes more than"):
        compile_template("{{ title | urlencode | urlencode | length }}", NAMES).render({"title": "€" * 1_000_000})
    assert len(compile_template("{{ title }}", NAMES).render({"title": "a" * LARGEST})) == LARGEST


@pytest.mark.parametrize("cell", ["<" * 300_000, "<!--" * 100_000, "&" * 300_000, "<a" * 200_000, " -" * 200_000])
def test_no_filter_is_slow_on_a_hostile_cell(cell: str) -> None:
    """Every filter is linear in its cell."""
    began = process_time()
    for name in ("striptags", "slug", "title", "wordcount", "trim", "truncate", "upper"):
        compile_template(
            f"{{{{ title | {name} | length }}}}" if name != "wordcount" else "{{ title | wordcount }}", NAMES
        ).render({"title": cell})
    assert process_time() - began < 5


def test_text_alone_is_left_alone() -> None:
    """A text without template marks is handed through as it is, however long, and without Jinja being loaded."""
    code = (
        "import sys; from batchgen.manifest.template import compile_template; "
        "t = compile_template('a } b' * 100000, []); assert t.literal and t.render({}) == t.text; "
        "assert 'jinja2' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert not compile_template("{{ title }}", NAMES).literal


def test_it_says_what_it_uses() -> None:
    """A template knows which names and which columns it uses, also in branches not taken."""
    found = compile_template("{% if view %}{{ title }}{% else %}{{ row['2nd'] | default(status) }}{% endif %}", NAMES)
    assert found.names == {"view", "title", "status"}
    assert found.columns == {"2nd"}


def test_row_reaches_the_column() -> None:
    """`row['id']` is the column even where another `id` stands alone."""
    found = compile_template("{{ id }} {{ row['id'] }}", Names(["id"], ["id"]))
    assert found.render({"id": "job"}, {"id": "column"}) == "job column"


def test_names_of_all_kinds() -> None:
    """Columns named like Jinja's own words, or in other alphabets, are columns."""
    names = ["self", "loop", "range", "caller", "größe", "价格", "environment", "context"]
    text = " ".join(f"{{{{ {name} }}}}" for name in names)
    assert compile_template(text, names).render({name: name[0] for name in names}) == "s l r c g 价 e c"


PIECES = st.sampled_from(
    ["{{", "}}", "{%", "%}", "{#", "#}", " ", "title", "row['2nd']", "|", "upper", "if", "endif", "else", "[0]", "[:2]",
     "default('x')", "==", "'a'", "and", "in", "is defined", "int", "5", "(", ")", ".", "for", "set", "\n", "-", "~"]
)  # fmt: skip


@given(st.text(alphabet="{}%#ab |'\"[]().\n", max_size=25) | st.lists(PIECES, max_size=14).map(" ".join))
@example("{{ title |\n default(']') }}")
@example("{%- if title -%} a {%- endif -%}")
@settings(max_examples=200)
def test_any_text(text: str) -> None:
    """Whatever a text holds, it is a template or it is refused inside itself; filling it ends in text or a bad cell."""
    with suppress(BadCell):
        try:
            found = compile_template(text, NAMES)
        except Misread as error:
            said = error
        else:
            assert isinstance(found.render(ROW), str)
            return
        assert 0 <= said.offset <= len(text)
        assert str(said)


@given(st.text(max_size=30))
@settings(max_examples=100)
def test_any_cell(cell: str) -> None:
    """Any cell comes out as it went in, and every filter takes any cell."""
    row = {"title": cell}
    if cell.strip():
        assert compile_template("{{ title }}", NAMES).render(row) == cell
    for name in ("lower", "upper", "title", "capitalize", "striptags", "slug", "reverse", "trim", "truncate(5)"):
        with suppress(BadCell):
            assert isinstance(compile_template(f"{{{{ title | {name} }}}}", NAMES).render(row), str)

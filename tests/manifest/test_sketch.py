"""A first manifest for a table."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from batchgen.manifest.expression import compile_expression
from batchgen.manifest.sketch import Sketch, sketch
from batchgen.manifest.template import compile_template
from tests.manifest.exports import PLAIN, SEMICOLONS, SHOPIFY, WOOCOMMERCE
from tests.manifest.tabling import grouped, table


def sketched(
    folder: Path, data: str | bytes, name: str = "t.csv", encoding: str | None = None
) -> tuple[Sketch, dict[str, Any]]:
    """The sketch of a table, and its text as YAML reads it."""
    made = sketch(table(folder, data, name, encoding=encoding), name="shop", file=name)
    return made, yaml.safe_load(made.text)


def test_shopify(tmp_path: Path) -> None:
    """A Shopify export is grouped by its handle, filled down, and its pictures are references."""
    made, found = sketched(tmp_path, SHOPIFY)
    assert made.said == "a Shopify export, 2 to paint; 20 columns, parted by commas, UTF-8"
    assert found["rows"] == {
        "from": "t.csv",
        "group_by": "Handle",
        "fill_down": ["Title", "Vendor", "Type", "Status"],
        "id": "{{ handle }}",
        "where": "status == 'active'",
    }
    assert found["references"] == [{"column": "Image Src", "at_most": 4, "missing": "skip"}]
    assert "{{ title }}" in found["prompts"]["packshot"]
    assert found["provider"] == "local"
    assert made.text.count("#") > 8


def test_windows(tmp_path: Path) -> None:
    """An encoding that is not UTF-8 stands in the manifest."""
    _, found = sketched(tmp_path, SEMICOLONS.encode("cp1252"), encoding="cp1252")
    assert found["rows"]["encoding"] == "cp1252"


def test_woocommerce(tmp_path: Path) -> None:
    """Of a WooCommerce export the variations and drafts are left out, and the SKU is the id."""
    made, found = sketched(tmp_path, WOOCOMMERCE)
    assert made.said.startswith("a WooCommerce export, 2 to paint")
    assert found["rows"]["id"] == "{{ sku }}"
    assert found["rows"]["where"] == "type != 'variation' and published == '1'"
    assert found["references"][0]["column"] == "Images"


def test_woocommerce_without_skus(tmp_path: Path) -> None:
    """Where the SKU is missing, the shop's own number is the id."""
    _, found = sketched(tmp_path, WOOCOMMERCE.replace(",007,", ",,"))
    assert found["rows"]["id"] == "{{ row['ID'] }}"


def test_a_condition_that_holds_for_nothing_is_left_out(tmp_path: Path) -> None:
    """A shop whose products are all drafts still gets a manifest with something to do."""
    made, found = sketched(tmp_path, SHOPIFY.replace(",active\r\n", ",draft\r\n"))
    assert "where" not in found["rows"]
    assert "3 to paint" in made.said


@pytest.mark.parametrize(
    ("data", "id_", "title", "picture"),
    [
        (PLAIN, "{{ sku }}", "{{ product_name }}", None),
        ("name,sku\na,1\nb,1\n", "{{ name }}", "{{ name }}", None),
        ("sku,name\n1,a\n2,\n", "{{ sku }}", "{{ name | default(sku) }}", None),
        ("Artikel Nr;Bezeichnung;Bild\n1;a;https://h/1.png\n2;b;\n", "{{ artikel_nr }}", "{{ bezeichnung }}", "Bild"),
        ("sku,photo\n1,https://h/a b.png\n", "{{ sku }}", "{{ sku }}", None),
        ("a/b,n\nx/,1\ny/,2\n", "{{ a_b | slug }}", "{{ a_b }}", None),
        ("ID,x\n1,a\n", "{{ row['ID'] }}", "{{ row['ID'] }}", None),
        ("it's,n\n1,2\n", "{{ it_s }}", "{{ it_s }}", None),
        ("2nd's,n\n1,2\n", '{{ row["2nd\'s"] }}', '{{ row["2nd\'s"] }}', None),
        ("sku,name\nA,x\na,y\n", "{{ name }}", "{{ name }}", None),
    ],
)
def test_a_list(tmp_path: Path, data: str, id_: str, title: str, picture: str | None) -> None:
    """Of any list, the id is a column that every row has for itself, and the title the column that is called so."""
    _, found = sketched(tmp_path, data)
    assert found["rows"]["id"] == id_
    assert title in found["prompts"]["packshot"]
    assert [each["column"] for each in found.get("references", ())] == ([picture] if picture else [])


def test_no_column_is_an_id(tmp_path: Path) -> None:
    """Where no column tells all rows apart, that is said beside the one proposed."""
    made, found = sketched(tmp_path, "sku,name\n1,a\n1,a\n")
    assert found["rows"]["id"] == "{{ sku }}"
    assert "# not every row has its own" in made.text


@pytest.mark.parametrize("name", ["t.csv", "a b: c #.csv", "no.csv", "größe '\".csv"])
@pytest.mark.parametrize("data", [SHOPIFY, WOOCOMMERCE, PLAIN, "Yes,No\n1,2\n", 'a: b #,"{x}"\n1,2\n'])
def test_whatever_the_names_the_manifest_is_sound(tmp_path: Path, data: str, name: str) -> None:
    """The text is YAML whatever file and columns are called; its conditions and templates fit the table."""
    made, found = sketched(tmp_path, data, name)
    assert found["rows"]["from"] == name
    source = table(tmp_path, data, name)
    row_id = compile_template(found["rows"]["id"], source.names)
    prompt = compile_template(found["prompts"]["packshot"], source.names.plus(["prompt", "model"]))
    where = found["rows"].get("where")
    condition = compile_expression(where, source.names) if where else None
    chosen = grouped(source, found["rows"].get("group_by"), found["rows"].get("fill_down", ()))
    ids = []
    for each in chosen:
        if condition is None or each.matches(condition):
            ids.append(row_id.render(each.values))
            assert prompt.render(each.values)
    assert len(ids) == len(set(ids)) == int(re.findall(r", (\d+) to paint", made.said)[0])

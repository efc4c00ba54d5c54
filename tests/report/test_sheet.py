"""Tables of an export: columns, cells, and what comes back out of CSV and Parquet."""

import csv
import importlib
import io
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.errors import SettingsError
from batchgen.job import InputRow
from batchgen.journal import Progress
from batchgen.lifecycle import Planned
from batchgen.report import parquet, separated
from batchgen.report.export import checked_base, rows, run_meant, url
from batchgen.report.sheet import OURS, Scope, long, wide, wide_rows
from tests.report.made import FakeRecord, failed, progress, run, stored

arrow = importlib.import_module("pyarrow.parquet")

ALL = Scope()
CDN = "https://cdn.example.com/autumn"


def made_from(found: Progress, row: InputRow | None, **axes: str) -> Progress:
    """A job of an input row."""
    return replace(found, row=row, axes=axes)


def catalogue() -> FakeRecord:
    """Two rows with two views each, of which one has failed, and a job that stands for itself."""
    boot, hat = (InputRow(2, "boot", {"sku": "boot", "id": "A1"}), InputRow(3, "hat", {"sku": "hat", "id": "A2"}))
    return FakeRecord(
        [
            stored("alone"),
            *(made_from(stored(f"boot/{view}", number=n), boot, view=view) for n, view in enumerate("ab")),
            made_from(stored("hat/a"), hat, view="a"),
            made_from(failed("hat/b"), hat, view="b"),
        ]
    )


def as_csv(record: FakeRecord, *, of: Any = long, scope: Scope = ALL) -> list[dict[str, str]]:
    """A table written as CSV and read by Python's reader."""
    file = io.BytesIO()
    count = separated.write(of(record, scope), file)
    found = list(csv.DictReader(io.StringIO(file.getvalue().decode("utf-8"), newline="")))
    assert len(found) == count
    return found


def as_parquet(record: FakeRecord, *, of: Any = long, scope: Scope = ALL) -> list[dict[str, Any]]:
    """A table written as Parquet and read again."""
    file = io.BytesIO()
    count = parquet.write(of(record, scope), file)
    found: list[dict[str, Any]] = arrow.read_table(io.BytesIO(file.getvalue())).to_pylist()
    assert len(found) == count
    return found


def test_our_columns_are_the_promised_ones() -> None:
    """Every key of a row is a column, but for the two that have a column for each of their names."""
    (found,) = rows(FakeRecord([stored()]))
    assert [name for name in found if name not in {"axes", "row"}] == [name for name, _ in OURS]


def test_a_row_as_csv() -> None:
    """Numbers, words and lists are written plainly, what is not known is empty, axes and cells have columns."""
    found = as_csv(catalogue(), scope=Scope(base_url=CDN))
    assert list(found[0])[-4:] == ["urls", "axis.view", "sku", "row.id"]
    first, *_, last = found
    assert (first["id"], first["sku"], first["axis.view"], first["cost_usd"]) == ("alone", "", "", "0.12")
    assert (first["changed"], first["files"], first["url"]) == ("false", '["alone.png"]', f"{CDN}/alone.png")
    assert (last["id"], last["row.id"], last["path"], last["url"], last["urls"]) == ("hat/b", "A2", "", "", "[]")


def test_a_row_as_parquet() -> None:
    """Each column has its type, and what is not known is null."""
    found = as_parquet(catalogue())
    assert (found[0]["bytes"], found[0]["cost_usd"], found[0]["files"], found[0]["row.id"]) == (
        *(12_345, 0.12, ["alone.png"], None),
    )
    assert (found[-1]["path"], found[-1]["changed"], found[-1]["files"]) == (None, False, [])


def test_wide() -> None:
    """A line per input row in the table's order, with its cells, and each view's picture in a column of its own."""
    found = as_csv(catalogue(), of=wide, scope=Scope(base_url=CDN))
    assert [list(each.values()) for each in found] == [
        ["alone", "0", "", "", f"{CDN}/alone.png", "", ""],
        ["boot", "0", "boot", "A1", "", f"{CDN}/boot/a.png", f"{CDN}/boot/b.png"],
        ["hat", "1", "hat", "A2", "", f"{CDN}/hat/a.png", ""],
    ]
    assert list(found[0]) == ["id", "missing", "sku", "row.id", "picture", "a", "b"]
    assert as_parquet(catalogue(), of=wide)[2]["missing"] == 1


def test_wide_of_one_run() -> None:
    """Of a run those rows are told that it brought something for, with all of their pictures."""
    record = catalogue()
    record.jobs = [replace(each, run=3 if each.job.id == "boot/b" else 1) for each in record.jobs]
    (found,) = wide_rows(record, Scope(run=3))
    assert found["pictures"] == {"a": "boot/a.png", "b": "boot/b.png"}


def test_takes_have_columns_of_their_own() -> None:
    """A second take is a view like any other, named as its id ends."""
    second = stored("boot.t2")
    second = replace(second, job=replace(second.job, request=replace(second.job.request, take=2)))
    row = InputRow(2, "boot", {})
    record = FakeRecord([made_from(stored("boot"), row), made_from(second, row)])
    assert as_csv(record, of=wide) == [
        {"id": "boot", "missing": "0", "picture": "boot.png", "picture.t2": "boot.t2.png"}
    ]


@pytest.mark.parametrize("first", [*"=+-@\t\r", *"\uff1d\uff0b\uff0d\uff20"])
def test_outside_text_is_no_formula(first: str) -> None:
    """A prompt or a reason that a spreadsheet would obey has an apostrophe before it; a cell of the table has none."""
    text = f"{first}cmd|' /C calc'!A0"
    job = made_from(failed("x", "refused", text), InputRow(2, "x", {"sku": text}))
    (found,) = as_csv(FakeRecord([job]))
    assert (found["reason"], found["sku"]) == (f"'{text}", text)
    (found,) = as_csv(FakeRecord([progress(Planned(0), prompt=text)]))
    assert found["prompt"] == f"'{text}"


CELLS = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9),
    st.text(st.characters(exclude_categories=["Cs"])),
    max_size=5,
)


@given(st.lists(CELLS, min_size=1, max_size=4))
def test_cells_come_out_as_they_went_in(table: list[Mapping[str, str]]) -> None:
    """Whatever stands in the user's table stands in the export, character by character, under its header."""
    jobs = [made_from(stored(f"r{n}", number=n), InputRow(n, f"r{n}", cells)) for n, cells in enumerate(table)]
    record = FakeRecord(jobs)
    columns = long(record, ALL).columns[len(OURS) :]
    names = dict(zip(record.columns(), (each.name for each in columns), strict=True))
    for written, absent in ((as_csv(record), ""), (as_parquet(record), None)):
        for cells, found in zip(table, written, strict=True):
            expected = {names[name]: cells.get(name, absent) for name in names}
            assert {name: found[name] for name in expected} == expected


@given(st.text(), st.text())
def test_any_prompt_and_reason_can_be_written(prompt: str, reason: str) -> None:
    """Nothing that a prompt or a server's words may hold ends an export."""
    found = progress(failed("x", "refused", reason).milestone, prompt=prompt)
    (written,) = as_csv(FakeRecord([found]))
    plain = prompt.encode("utf-8", "replace").decode()
    assert written["prompt"].removeprefix("'") == plain.removeprefix("'")
    assert as_parquet(FakeRecord([found]))[0]["prompt"] == plain


def test_a_column_that_comes_meanwhile_is_not_passed_over() -> None:
    """A cell without a column ends the export with a sentence."""
    record = catalogue()
    table = long(record, ALL)
    record.jobs = [made_from(stored("late"), InputRow(9, "late", {"new": "cell"}))]
    with pytest.raises(SettingsError, match="export it again"):
        list(table.rows)


def test_without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pyarrow is missing, a sentence names what installs it."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(SettingsError, match=r"pip install 'batchgen\[parquet\]'"):
        parquet.write(long(catalogue(), ALL), io.BytesIO())


def test_urls_are_encoded() -> None:
    """A name with blanks, signs and letters of any script makes a URL that means that name."""
    assert url(checked_base(f"{CDN}/"), "a b/ü#1?%.png") == f"{CDN}/a%20b/%C3%BC%231%3F%25.png"


@pytest.mark.parametrize(
    "base", ["cdn.example.com", "ftp://a/b", "https://", "https://a/?v=1", "https://u:p@a/", "https://a/ b", "http://["]
)
def test_what_is_no_base_url(base: str) -> None:
    """What names cannot be put behind is refused, and so is a URL with a password, which is not repeated."""
    with pytest.raises(SettingsError, match="takes a URL") as refused:
        checked_base(base)
    assert "u:p" not in str(refused.value)


def test_which_run_is_meant() -> None:
    """`last` is the newest that bought, a number is that run, and others are refused with what there is."""
    record = FakeRecord(runs=[replace(run(3), verb="resolve"), run(2), run(1)])
    assert (run_meant(record, "last"), run_meant(record, "3")) == (2, 3)
    for word in ("4", "0", "first", "-1"):
        with pytest.raises(SettingsError, match="the runs 1 to 3"):
            run_meant(record, word)
    with pytest.raises(SettingsError, match="--run last"):
        run_meant(FakeRecord(runs=[]), "last")

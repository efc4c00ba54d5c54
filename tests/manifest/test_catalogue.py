"""Rows x prompts x models become jobs, in order, with the right words in each."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchgen.job import FileReference, UrlReference, fingerprint
from batchgen.manifest.candidate import Candidate
from batchgen.manifest.candidates import candidates
from batchgen.manifest.findings import KEPT, Findings
from batchgen.manifest.load import load
from batchgen.manifest.provenance import provenance
from tests.manifest.writing import HEAD, PNG, problems_of, write

PLAIN = "prompts: {p: x}\ndefaults: {model: m}\n"
TITLED = "prompts: {p: '{{ title }}'}\ndefaults: {model: m}\n"
SHOP = """\
Handle,Title,Vendor,Status,Ratio,Image Src
shoe,A Shoe,Acme,active,16:9,https://cdn.example.com/1.jpg
shoe,,,,,https://cdn.example.com/2.jpg
hat,"A
Hat",Bob,active,,
old,Old,Bob,archived,,
"""
WHOLE = """\
rows: {from: shop.csv, group_by: Handle, id: "{{ handle }}", where: status == 'active'}
prompts: {pack: "{{ title }} by {{ vendor }}", scene: "{{ title }}, {{ view }}"}
models: {hero: {model: big, resolution: 4K}, draft: {model: small}}
defaults: {aspect_ratio: "{{ ratio | default('1:1') }}"}
matrix:
  prompt: [pack, scene]
  model: [hero, draft]
  view: [front, back]
  exclude: [{prompt: scene, view: back}, {model: draft, view: back}]
  include: [{prompt: pack, model: hero, view: detail}]
overrides:
  - {when: "vendor == 'Acme' and prompt == 'pack'", prompt: "ACME {{ title }}"}
  - {when: view == 'detail', resolution: 2K}
  - {when: id == 'hat/scene/draft/front', resolution: 1K}
references: [{column: Image Src, missing: skip, at_most: 2}]
output: {path: "{{ handle[:2] }}/{{ handle }}/{{ view }}-{{ prompt }}-{{ model }}.{{ ext }}"}
"""


def made(folder: Path, text: str) -> tuple[list[Candidate], Findings]:
    """The candidates of a manifest and what was found."""
    findings = Findings()
    return list(candidates(load(write(folder, HEAD + text)), findings)), findings


def test_a_whole_catalogue(tmp_path: Path) -> None:
    """Rows in order, axes as written, what is excluded left out and what is included last; every layer in its turn."""
    write(tmp_path, SHOP, "shop.csv")
    jobs, findings = made(tmp_path, WHOLE)
    findings.check()
    combinations = ["pack/hero/front", "pack/hero/back", "pack/draft/front", "scene/hero/front", "scene/draft/front"]
    assert [job.draft.id for job in jobs] == [
        f"{row}/{each}" for row in ("shoe", "hat") for each in [*combinations, "pack/hero/detail"]
    ]
    by_id = {job.draft.id: job for job in jobs}
    shoe, hat = by_id["shoe/pack/hero/detail"], by_id["hat/scene/draft/front"]
    assert shoe.draft.path == "sh/shoe/detail-pack-hero"
    assert (shoe.draft.request.prompt, shoe.draft.request.resolution) == ("ACME A Shoe", "2K")
    assert shoe.draft.request.aspect_ratio == "16:9"
    pictures = tuple(UrlReference(f"https://cdn.example.com/{n}.jpg") for n in (1, 2))
    assert shoe.draft.request.references == pictures
    assert (hat.draft.request.model, hat.draft.request.prompt) == ("small", "A\nHat, front")
    assert (hat.draft.request.aspect_ratio, hat.draft.request.resolution) == ("1:1", "1K")
    assert hat.draft.request.references == ()
    assert shoe.row is not None
    assert (shoe.row.number, shoe.row.id, shoe.row.cells["Image Src"]) == (2, "shoe", "https://cdn.example.com/1.jpg")
    assert shoe.draft.row is shoe.row
    assert shoe.axes == {"prompt": "pack", "model": "hero", "view": "detail"}
    assert all(job.draft.fingerprint == fingerprint(job.draft.request) for job in jobs)
    assert "6 columns, parted by commas" in findings.notes[0]


def test_where_a_value_came_from(tmp_path: Path) -> None:
    """Each value of a job is traced to the layer that set it, and what nobody set is built in."""
    write(tmp_path, SHOP, "shop.csv")
    jobs, _ = made(tmp_path, WHOLE)
    manifest = load(tmp_path / "batchgen.yaml")
    seen = {}
    for job in jobs:
        if job.draft.id == "shoe/pack/hero/detail":
            seen = {each.field: each.place.path if each.place else None for each in provenance(manifest, job)}
    assert seen == {
        "model": ("models", "hero", "model"),
        "prompt": ("overrides", 0, "prompt"),
        "aspect_ratio": ("defaults", "aspect_ratio"),
        "resolution": ("overrides", 1, "resolution"),
        "reference": ("references",),
    }
    (built_in,) = (job for job in jobs if job.draft.id == "shoe/pack/hero/front")
    assert next(iter(provenance(manifest, built_in))).field == "model"
    plain, _ = made(tmp_path, "jobs: [{id: a, model: nano-banana-pro, prompt: p}]\n")
    found = {each.field: (each.value, each.place is None) for each in provenance(manifest, plain[0])}
    assert found["resolution"] == ("1K", True)


def test_order_and_unused_columns_decide_nothing(tmp_path: Path) -> None:
    """Rows in another order, with another column and other line ends, are the same pictures under the same ids."""
    text = "rows: {from: t.csv, id: '{{ sku }}'}\nprompts: {p: 'a {{ title }}'}\ndefaults: {model: m}\n"
    write(tmp_path, 'sku,title\na,One\nb,"Two\nlines"\n', "t.csv")
    first = {job.draft.id: job.draft.fingerprint for job in made(tmp_path, text)[0]}
    write(tmp_path, b'sku,more,title\r\nb,x,"Two\r\nlines"\r\na,y,One\r\n', "t.csv")
    jobs = made(tmp_path, text)[0]
    assert {job.draft.id: job.draft.fingerprint for job in jobs} == first
    assert [job.draft.id for job in jobs] == ["b/p", "a/p"]
    write(tmp_path, 'sku,title\na,Other\nb,"Two\nlines"\n', "t.csv")
    changed = {job.draft.id: job.draft.fingerprint for job in made(tmp_path, text)[0]}
    assert [each for each in first if first[each] != changed[each]] == ["a/p"]


def test_line_ends_inside_cells_decide_nothing(tmp_path: Path) -> None:
    """A cell with line breaks makes the same prompt however its table ends lines."""
    text = "rows: {from: t.jsonl, id: '{{ sku }}'}\n" + TITLED
    found = set()
    for ends in ("\\n", "\\r\\n"):
        write(tmp_path, f'{{"sku": "a", "title": "one{ends}two{ends}"}}\n', "t.jsonl")
        found |= {job.draft.fingerprint for job in made(tmp_path, text)[0]}
    assert len(found) == 1


def test_patterns_and_templates_of_references(tmp_path: Path) -> None:
    """A pattern's files come by name, a bound takes the first; marks of patterns in a cell are ordinary letters."""
    for name in ("a-2.png", "a-1.png", "a-3.png", "[b]-1.png", "b-1.png"):
        write(tmp_path, PNG + name.encode(), f"shots/{name}")
    write(tmp_path, "sku\na\n[b]\n", "t.csv")
    text = (
        "rows: {from: t.csv, id: '{{ sku | slug }}'}\nprompts: {p: x}\ndefaults: {model: m}\n"
        "references: [{path: 'shots/{{ sku }}-*.png', at_most: 2}, {url: 'https://h/{{ sku | urlencode }}'}]\n"
    )
    jobs, findings = made(tmp_path, text)
    findings.check()
    names = [
        [each.path if isinstance(each, FileReference) else each.url for each in job.draft.request.references]
        for job in jobs
    ]
    assert names == [["shots/a-1.png", "shots/a-2.png", "https://h/a"], ["shots/[b]-1.png", "https://h/%5Bb%5D"]]


def test_signed_urls_of_cells(tmp_path: Path) -> None:
    """The signature of a cell's URL stays out of the request and goes along for the moment of sending."""
    write(tmp_path, "sku,img\na,https://h/x?sig=1&w=2\n", "t.csv")
    text = "rows: {from: t.csv, id: '{{ sku }}'}\nprompts: {p: x}\ndefaults: {model: m}\nreferences: [{column: img}]\n"
    (job,), _ = made(tmp_path, text)
    assert job.draft.request.references == (UrlReference("https://h/x?w=2", signed=True),)
    assert job.signed_urls == {"https://h/x?w=2": "https://h/x?sig=1&w=2"}


def test_several_urls_in_one_cell(tmp_path: Path) -> None:
    """A shop may write all pictures of a product into one cell; a comma inside a URL parts nothing."""
    write(tmp_path, 'sku,img\na,"https://h/1.jpg?s=1,2, https://h/2.jpg\nhttps://h/3.jpg"\n', "t.csv")
    text = "rows: {from: t.csv, id: '{{ sku }}'}\n" + PLAIN + "references: [{column: img, at_most: 3}]\n"
    (job,), _ = made(tmp_path, text)
    urls = [each.url for each in job.draft.request.references if isinstance(each, UrlReference)]
    assert urls == ["https://h/1.jpg?s=1,2", "https://h/2.jpg", "https://h/3.jpg"]


def test_bad_rows_are_left_out_as_far_as_is_said(tmp_path: Path) -> None:
    """Within the bound a bad row makes no job and is counted; beyond it every one of them is a problem."""
    rows = "".join(f"s{i},{'' if i % 10 == 0 else 'x'}\n" for i in range(100))
    write(tmp_path, "sku,title\n" + rows, "t.csv")
    text = "rows: {from: t.csv, id: '{{ sku }}', on_bad_row: {skip: 10}}\n" + TITLED
    jobs, findings = made(tmp_path, text)
    findings.check()
    assert (len(jobs), findings.rejected, findings.notes[1]) == (90, 10, "10 of 100 rows are bad and left out")
    problems = problems_of(tmp_path, text.replace("10}", "9%}"))
    assert "10 of 100 rows are bad, more than the 9%" in problems[0].message
    assert [problem.row for problem in problems[1:]] == list(range(2, 102, 10))


def test_very_many_bad_rows_are_counted_and_not_kept(tmp_path: Path) -> None:
    """Memory does not grow with what is wrong, and the count that is told is the true one."""
    write(tmp_path, "sku,title\n" + "".join(f"s{i},\n" for i in range(3000)), "t.csv")
    jobs, findings = made(
        tmp_path, "rows: {from: t.csv, id: '{{ sku }}'}\nprompts: {p: '{{ title }}'}\ndefaults: {model: m}\n"
    )
    assert jobs == []
    with pytest.raises(Exception, match=r"and 2,997 more of this kind, in rows 5, 6, 7") as caught:
        findings.check()
    assert len(caught.value.problems) == KEPT  # type: ignore[attr-defined]


def test_another_table_in_place_of_the_named_one(tmp_path: Path) -> None:
    """The command line can name another table, which may lie anywhere."""
    write(tmp_path, "sku\na\n", "work/t.csv")
    other = write(tmp_path, "sku\nb\nc\n", "elsewhere/u.csv")
    path = write(
        tmp_path, HEAD + "rows: {from: t.csv, id: '{{ sku }}'}\nprompts: {p: x}\ndefaults: {model: m}\n", "work/b.yaml"
    )
    assert [job.draft.id for job in candidates(load(path, table=other), Findings())] == ["b/p", "c/p"]


CELLS = st.text(alphabet=st.sampled_from("ab1,;\"\n\r\t{}%[]*../\\'é\u0301 "), max_size=12)


@given(st.lists(st.lists(CELLS, min_size=0, max_size=4), max_size=5), st.sampled_from(["a", "b", "{{ a }}", "{{ b }}"]))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_cells(tmp_path: Path, rows: list[list[str]], path: str) -> None:
    """Whatever stands in the cells, there are jobs with safe paths or problems with rows, never a traceback."""
    write(tmp_path, "a,b,c\n" + "\n".join(",".join(row) for row in rows), "t.csv")
    text = (
        "rows: {from: t.csv, id: '{{ a }}', where: \"c != 'x'\", on_bad_row: {skip: 100%}}\n"
        f"references: [{{path: '{path}/*.png', missing: skip}}]\n"
        "prompts: {p: '{{ b | default(\"x\") }}'}\ndefaults: {model: m}\n"
    )
    jobs, _ = made(tmp_path, text)
    assert all(".." not in job.draft.path.split("/") and not job.draft.path.startswith("/") for job in jobs)


@given(st.text(alphabet=st.sampled_from("{}%|.[]'\"ab _()=<>!~+-*/\\#:0123\n"), max_size=30))
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_template_and_condition(tmp_path: Path, text: str) -> None:
    """Whatever is written for a prompt, a condition, a path or a reference, it works or its place is told."""
    write(tmp_path, "a,b\nx,y\n", "t.csv")
    words = text.replace("'", "''")
    body = (
        f"rows: {{from: t.csv, id: '{{{{ a }}}}', where: '{words}'}}\n"
        f"prompts: {{p: '{words}'}}\ndefaults: {{model: m}}\n"
        f"references: ['{words}x']\noutput: {{path: '{words}.{{{{ ext }}}}'}}\n"
    )
    for problem in problems_of(tmp_path, body):
        assert problem.message
        assert 1 <= problem.line <= body.count("\n") + 3

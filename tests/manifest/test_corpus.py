"""Every bad manifest of the corpus, at its place and in its words."""

import os
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from batchgen.manifest.nodes import plain
from batchgen.manifest.problems import ManifestProblems
from batchgen.manifest.schema.printed import json_schema
from batchgen.manifest.source import Source
from batchgen.manifest.tree import parse
from tests.manifest.corpus import BEYOND, BODIES, FILES, GOOD, WHOLE, YAML
from tests.manifest.writing import HEAD, PNG, expanded, problems_of, write

CASES = [("", *case) for case in WHOLE] + [(HEAD, *case) for case in [*YAML, *BODIES, *BEYOND, *FILES]]

PRODUCTS = b"sku,Title,price,shop,Image\ns1,One,1,one,../x.png\ns2,Two,cheap,one,/etc/passwd\ns3,,3,one,data:x\n"

VALIDATOR = Draft202012Validator(json_schema())


def tree_of(text: str) -> Any:
    """A manifest as dicts, lists and values; None when it is no YAML that batchgen takes."""
    try:
        tree, problems = parse(Source("m.yaml", text))
    except ManifestProblems:
        return None
    return None if problems else plain(tree)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A manifest's folder with files of all kinds in and beside it."""
    inside = tmp_path / "work"
    for name, data in {
        "refs/a.png": PNG,
        "refs/gif.png": b"GIF89a....",
        "refs/empty.png": b"",
        "../x.png": PNG,
        "p.txt": b"A cat",
        "empty.txt": b" \n",
        "latin.txt": b"one\ncaf\xe9",
        "nul.txt": b"a\0b",
        "huge.txt": b"a" * (1024 * 1024 + 1),
        "template.txt": b"A {{ thing }}",
        "products.csv": PRODUCTS,
        "book.xlsx": b"PK",
        "twice.csv": b"sku,title,sku\n1,2,3\n",
        "empty.csv": b"sku,title\n",
        "odd.csv": b"sku,title\ns1,one\ns2,two,three\n",
        "back.csv": b"Handle,Title\na,1\nb,2\na,3\n",
        "latin.csv": b"sku,title\ns1,caf\xe9\n",
        "../out.csv": PRODUCTS,
    }.items():
        write(inside, data, name)
    (inside / "out.png").symlink_to("../x.png")
    (inside / "loop.png").symlink_to("loop.png")
    os.mkfifo(inside / "pipe.png")
    return inside


@pytest.mark.parametrize(("head", "text", "messages"), CASES, ids=[f"{i}-{case[2][0]}" for i, case in enumerate(CASES)])
def test_says_what_and_where(folder: Path, head: str, text: str, messages: tuple[str, ...]) -> None:
    """Each problem is named with its line and column, and nothing else is complained about."""
    parts = (head + text).split("§")
    places = ["".join(parts[: i + 1]) for i in range(len(parts) - 1)]
    expected = [(before.count("\n") + 1, len(before) - before.rfind("\n")) for before in places]
    problems = problems_of(folder, "".join(parts), head="")
    assert {(problem.line, problem.column) for problem in problems} == set(expected), problems
    for problem, message in zip(problems, messages, strict=True):
        assert message in problem.message
        assert problem.hint or len(problem.message) > 15


@pytest.mark.parametrize(("text", "jobs"), GOOD, ids=[str(i) for i in range(len(GOOD))])
def test_good_manifests_make_their_jobs(folder: Path, text: str, jobs: int) -> None:
    """Each good manifest is taken by the loader and by the JSON Schema, and makes as many jobs as it asks for."""
    assert len(expanded(folder, text).drafts) == jobs
    VALIDATOR.validate(tree_of(HEAD + text))


@pytest.mark.parametrize(("head", "text"), [("", case[0]) for case in WHOLE] + [(HEAD, case[0]) for case in BODIES])
def test_the_json_schema_refuses_them_too(head: str, text: str) -> None:
    """What the loader refuses for its form, an editor underlines."""
    tree = tree_of(head + text.replace("§", ""))
    assert tree is None or not VALIDATOR.is_valid(tree)


@pytest.mark.parametrize("text", [case[0] for case in [*BEYOND, *FILES]])
def test_what_lies_beyond_a_json_schema(text: str) -> None:
    """Files, columns and keys held together: the list is explicit, so that nothing slips into it unseen."""
    assert VALIDATOR.is_valid(tree_of(HEAD + text.replace("§", "")))


def test_the_corpus_is_large_enough() -> None:
    """There are at least three hundred bad manifests and sixty good ones, no two of them alike."""
    assert len({(head, text) for head, text, _ in CASES}) == len(CASES) >= 300
    assert len({text for text, _ in GOOD}) == len(GOOD) >= 60
    assert len(BEYOND) < len(BODIES) / 2

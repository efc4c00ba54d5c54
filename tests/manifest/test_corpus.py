"""Every bad manifest of the corpus, at its place and in its words."""

import os
from pathlib import Path

import pytest

from tests.manifest.corpus import BODIES, FILES, WHOLE, YAML
from tests.manifest.writing import HEAD, PNG, problems_of, write

CASES = [("", *case) for case in WHOLE] + [(HEAD, *case) for case in [*YAML, *BODIES, *FILES]]


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


def test_the_corpus_is_large_enough() -> None:
    """There are at least sixty bad manifests, no two of them alike."""
    assert len({(head, text) for head, text, _ in CASES}) == len(CASES) >= 60

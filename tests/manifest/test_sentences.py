"""The words for what the schema finds."""

from pathlib import Path

import pytest

from tests.manifest.corpus import J
from tests.manifest.writing import problems_of

HINTS = [
    ("jbos: []\n" + J, "did you mean `jobs`?"),
    ("jobs: [{id: 7, model: m, prompt: p}]\n", 'put it in quotes: "7"'),
    ("jobs: [{id: a, model: m, prompt: p, references: r.png}]\n", "[r.png]"),
    ("jobs: [{id: a, model: m, prompt: p, n: 2}]\n", "for several write `takes`"),
    ("jobs: [{id: a, model: m, prompt: p, size: 1}]\n", "write `aspect_ratio` and `resolution`"),
    ("jobs: [{id: a, model: m, prompt: p, seed: 1}]\n", "known here: aspect_ratio, channel_id, id, model"),
    ("jobs: [{id: a, model: m, prompt: A cat, a dog}]\n", 'prompt: "A cat, a dog"'),
    ("prompts: {a cat, a dog: x}\nmodels: {m: {model: m}}\n", "put the text in quotes"),
    ("prompts: {a: x, a dog}\nmodels: {m: {model: m}}\n", 'a: "x, a dog"'),
    (J + "limts: {}\n", "did you mean `limits`?"),
    (J + "output: {pth: x}\n", "did you mean `path`?"),
    (J + "takes: two\n", ""),
]


@pytest.mark.parametrize(("text", "hint"), HINTS)
def test_hints(tmp_path: Path, text: str, hint: str) -> None:
    """Where something is known to be better, it is said."""
    problems = problems_of(tmp_path, text)
    assert len(problems) == 1
    assert hint in problems[0].hint


CORRECTED = [
    ("prompts:\n  a: Note: a cat\n", 'a: "Note: a cat"'),
    ('prompts:\n  a: Note: a "cat"\n', "a: 'Note: a \"cat\"'"),
    ("jobs:\n  - prompt: It's: a cat\n", 'prompt: "It\'s: a cat"'),
    ('prompts:\n  a: "A cat" isn\'t here\n', "a: '\"A cat\" isn''t here'"),
    ("output:\n  path: {{ id }}.{{ ext }}\n", 'path: "{{ id }}.{{ ext }}"'),
    ("prompts:\n  a: @home\n", 'a: "@home"'),
    (f"prompts:\n  a: b: {'x' * 80}\n", "or under `|` on lines of its own"),
]


@pytest.mark.parametrize(("text", "line"), CORRECTED)
def test_corrected_lines(tmp_path: Path, text: str, line: str) -> None:
    """YAML's traps come with the line as it should be, and that line is free of the trap."""
    problems = problems_of(tmp_path, text)
    assert len(problems) == 1
    assert line in problems[0].hint


def test_paths_name_the_keys(tmp_path: Path) -> None:
    """A problem carries the keys that lead to it, for programs."""
    problems = problems_of(tmp_path, "jobs: [{id: a, model: m, prompt: 3}]\nlimits: {models: {m: {rate: 1}}}\n")
    assert [problem.path for problem in problems] == ["jobs[0].prompt", "limits.models.m.rate"]


def test_a_comment_after_a_quoted_prompt_is_fine(tmp_path: Path) -> None:
    """Only a plain prompt is suspected of having lost its end, and only to a comment on its own line."""
    text = (
        "jobs:\n- {id: a, model: m, prompt: p} # x\n- id: b # y\n  model: m # z\n  prompt: 'A #1' # a\n"
        "- id: c\n  model: m\n  prompt: A#1\n  # b\n- id: d\n  model: m\n  prompt: | # c\n    A #1\n"
    )
    assert problems_of(tmp_path, text) == ()


def test_an_empty_key_in_braces_is_no_comma(tmp_path: Path) -> None:
    """`{resolution: }` is a dropped default and not the rest of a text."""
    assert problems_of(tmp_path, "jobs: [{id: a, model: m, prompt: p, resolution: , aspect_ratio: }]\n") == ()

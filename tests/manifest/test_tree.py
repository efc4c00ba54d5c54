"""The tree of a document."""

import json
import re
import time

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from batchgen.manifest.nodes import Items, Scalar, Table, find, plain
from batchgen.manifest.problems import ManifestProblems
from batchgen.manifest.source import Source
from batchgen.manifest.tree import COPIES, DEPTH, parse


def json_of(text: st.SearchStrategy[str]) -> st.SearchStrategy[object]:
    """JSON values whose texts are of one kind; keys are short, as YAML wants them."""
    leaves = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | text
    keys = text.filter(lambda key: len(key) <= 40)
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=20
    )


JSON = json_of(st.text())
WITHOUT_DIGITS = json_of(st.text(st.characters(codec="utf-8", exclude_categories=["Nd"])))


_CONTROLS = re.compile("[\x7f-\x84\x86-\x9f\ufffe\uffff]")


def data(text: str) -> object:
    """What a text says, when nothing is wrong with it."""
    tree, problems = parse(Source("m.yaml", text))
    assert problems == []
    return plain(tree)


def refusal(text: str) -> str:
    """Why a text cannot be read."""
    with pytest.raises(ManifestProblems) as caught:
        parse(Source("m.yaml", text))
    return str(caught.value)


def without_nul(value: object) -> bool:
    """NUL is refused by its own rule."""
    return "\\u0000" not in json.dumps(value)


@given(JSON.filter(without_nul), st.sampled_from([None, "\t", 2]), st.booleans())
@settings(max_examples=150)
def test_json_is_yaml(value: object, indent: str | int | None, ascii_only: bool) -> None:
    """Every JSON document reads as the JSON that it is, surrogate pairs and tabs included."""
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert data(_CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)) == value


@given(WITHOUT_DIGITS.filter(without_nul))
@settings(max_examples=100)
def test_what_yaml_writers_write(value: object) -> None:
    """A document that PyYAML writes reads back as the same data, whatever style it chose.

    Texts with digits are left out: writers of YAML 1.1 do not quote all that are numbers by now.
    """
    text = yaml.safe_dump(value, allow_unicode=True, width=60)
    assume(not set(text) & set("\x85\u2028\u2029"))  # line ends to a writer of YAML 1.1
    assert data(text) == value


@given(
    st.text(alphabet=st.sampled_from("ab01 :-#{}[]\"'|>&*!%@\\\n\t,?~<\u00e9\U0001f600\ufeff\x85\u2028"), max_size=60)
)
@settings(max_examples=300)
def test_any_text_is_read_or_refused(text: str) -> None:
    """YAML-like noise gives a tree or problems with places inside the text, never another exception."""
    source = Source("m.yaml", text)
    try:
        _, problems = parse(source)
    except ManifestProblems as error:
        problems = list(error.problems)
        assert problems
    for problem in problems:
        assert source.line(problem.line) or problem.column == 1 or problem.line > text.count("\n")


def test_nodes_know_their_places() -> None:
    """Keys, values and items carry the index of their first character, also after a joined surrogate pair."""
    text = 'a: "\\uD83D\\uDE00" \nb: [x, {c: y}]\n'
    tree, _ = parse(Source("m", text))
    assert isinstance(tree, Table)
    for path, word in ((("b", 0), "x"), (("b", 1, "c"), "y")):
        node = find(tree, path)
        assert isinstance(node, Scalar)
        assert text[node.start : node.end] == word
    assert text.startswith("b:", tree.entries["b"][0].start)
    assert isinstance(find(tree, ("b",)), Items)
    assert find(tree, ("b", 2)) is find(tree, ("b", "c")) is find(tree, ("a", 0)) is None


def test_surrogate_escapes_only_mean_something_in_double_quotes() -> None:
    """In plain, single-quoted and block text a backslash is a backslash, also next to a real pair."""
    pair = "\\uD83D\\uDe00"
    text = f"a: {pair} {pair}\nb: '{pair}'\nc: |-\n  {pair}\n  {pair}x\nd: \"\\\\{pair[1:]} {pair}\"\n"
    assert data(text.replace('d: "\\\\uD83D\\uDe00 ', 'd: "')) == {
        "a": f"{pair} {pair}",
        "b": pair,
        "c": f"{pair}\n{pair}x",
        "d": "\U0001f600",
    }
    assert data(f'a: "\\\\uD83D \\\\\\\\{pair}\\\\{pair}"') == {"a": "\\uD83D \\\\\U0001f600\\\U0001f600"}


def test_old_line_ends_are_characters() -> None:
    """U+0085, U+2028 and U+2029 end no line and are folded nowhere, as YAML 1.2 and JSON have it."""
    ends = "a \x85 b \u2028 c\u2029"
    assert data(f'{{"k\u2028": "{ends}", "l": "x"}}') == {"k\u2028": ends, "l": "x"}
    assert data(f"a: '{ends}'\nb: |\n  {ends}\n") == {"a": ends, "b": ends + "\n"}


def test_merges_and_anchors() -> None:
    """`<<` takes what is not stated here, the first of a list wins, and order is that of writing, merged keys first."""
    text = "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc: {x: 0, <<: [*a, *b], w: 5}\nd: *a\n'<<': 6\n"
    value = data(text)
    assert isinstance(value, dict)
    assert value["c"] == {"x": 0, "y": 2, "z": 4, "w": 5}
    assert list(value["c"]) == ["y", "z", "x", "w"]
    assert value["d"] == {"x": 1, "y": 2}
    assert value["<<"] == 6


def test_an_alias_bomb_is_refused_quickly() -> None:
    """A few hundred bytes that would expand to billions of nodes are refused before they do."""
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12))
    began = time.perf_counter()
    assert f"beyond {COPIES:,} more nodes" in refusal(bomb)
    assert time.perf_counter() - began < 1


def test_depth_counts_aliases() -> None:
    """Nesting of more than DEPTH levels is refused, also when an alias hides it; DEPTH itself is fine."""
    assert data("[" * DEPTH + "]" * DEPTH)
    assert "nested deeper" in refusal("[" * (DEPTH + 1) + "]" * (DEPTH + 1))
    half = "[" * 40 + "x" + "]" * 40
    assert "nested deeper" in refusal(f"a: &a {half}\nb: {'[' * 30}*a{']' * 30}\n")
    assert data(f"a: &a {half}\nb: {'[' * 23}*a{']' * 23}\n")


def test_deep_nesting_does_not_crash() -> None:
    """Any number of brackets ends in a sentence, not in the C stack."""
    assert "nested deeper" in refusal("[" * 200_000)
    assert "nested deeper" in refusal("- " * 200_000)
    assert "nested deeper" in refusal("{a: " * 200_000)


def test_recoverable_problems_are_all_told() -> None:
    """Duplicate keys, tags and keys that are no text do not hide each other."""
    _, problems = parse(Source("m", "a: 1\na: 2\n3: x\nb: !t y\nc: {d: 1, d: 2}\n"))
    assert sorted(problem.line for problem in problems) == [2, 3, 4, 5]


def test_a_duplicate_key_names_both_places() -> None:
    """The second one is pointed at and the first one named."""
    _, problems = parse(Source("m", "a: 1\nb: 2\na: 3\n"))
    assert str(problems[0]).splitlines()[0] == "m:3:1: the key `a` stands here twice, first on line 1, column 1"

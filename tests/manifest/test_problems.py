"""How problems read."""

import string

from hypothesis import given
from hypothesis import strategies as st

from batchgen.errors import ManifestError
from batchgen.manifest.problems import GROUP_ABOVE, ManifestProblems, Problem, one_edit_away
from batchgen.manifest.source import Source

WORDS = st.text(alphabet=string.ascii_lowercase, min_size=2, max_size=8)


def test_reads_like_a_compilers() -> None:
    """File, line, column, message; then the line, a caret below the place, and the hint."""
    source = Source("m.yaml", "a: 1\n  promt: x\n")
    problem = source.problem(source.text.index("promt"), "`promt` is no key", hint="did you mean `prompt`?")
    assert str(problem) == ("m.yaml:2:3: `promt` is no key\n  2 |   promt: x\n    |   ^\n    = did you mean `prompt`?")


def test_the_caret_stands_below_wide_characters() -> None:
    """Characters of two columns and combining marks move the caret as a terminal does."""
    problem = Source("m", "日本e\u0301 x").problem(5, "here")
    assert str(problem).splitlines()[2] == "    | " + " " * 6 + "^"


def test_long_lines_are_shown_around_the_place() -> None:
    """A line of any length is shown in one terminal line, with the caret at its place."""
    text = "a" * 5000 + "X" + "b" * 5000
    shown, caret = str(Source("m", text).problem(5000, "here")).splitlines()[1:]
    assert len(shown) <= 80
    assert shown[caret.index("^")] == "X"


def test_control_characters_are_not_printed() -> None:
    """An escape sequence in the file does not reach a terminal through the source line."""
    assert "\x1b" not in str(Problem("m", 1, 1, "", "here", source="a\x1b[31mb"))


def test_all_at_once_in_order() -> None:
    """Problems are told once each, in the order of the file, as one error that is the manifest's."""
    source = Source("m", "a\nb\nc\n")
    third, first = source.problem(4, "third"), source.problem(0, "first")
    error = ManifestProblems([third, first, third])
    assert isinstance(error, ManifestError)
    assert error.exit_code == 2
    assert [problem.message for problem in error.problems] == ["first", "third"]
    assert str(error).index("first") < str(error).index("third")


def test_many_of_one_cause_are_grouped() -> None:
    """Twenty are told in full; of more, three and how many others there are and where; other causes stay whole."""
    source = Source("m", "x\n" * 500)
    same = [source.problem(2 * i, f"`job-{i}` has no `id`") for i in range(GROUP_ABOVE + 1)]
    assert str(ManifestProblems(same[:-1])).count("has no") == GROUP_ABOVE
    text = str(ManifestProblems([*same, source.problem(11, "something else")]))
    assert text.count("has no") == 3
    assert "and 18 more of this kind, on lines 4, 5, 6" in text
    assert text.count("something else") == 1


@given(WORDS, st.data())
def test_one_edit_is_found(word: str, data: st.DataObject) -> None:
    """Whatever one typing slip makes of a word, the word is suggested."""
    at = data.draw(st.integers(0, len(word) - 1))
    letter = data.draw(st.sampled_from(string.ascii_lowercase))
    slips = {word[:at] + word[at + 1 :], word[:at] + letter + word[at:], word[:at] + letter + word[at + 1 :]}
    slips.add(word[:at] + word[at : at + 2][::-1] + word[at + 2 :])
    for slip in slips - {word}:
        assert one_edit_away(slip, ["zzzzzzzzzzzz", word]) == word


@given(WORDS, WORDS)
def test_suggestions_are_one_edit_away(word: str, other: str) -> None:
    """Nothing is suggested that is further away than one slip."""
    if one_edit_away(word, [other]) is not None:
        assert _distance(word, other) == 1
    else:
        assert _distance(word, other) != 1


def _distance(word: str, other: str) -> int:
    """Insertions, deletions, replacements and swaps of neighbours, by the book."""
    rows = [list(range(len(other) + 1))]
    for i, a in enumerate(word, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            best = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and word[i - 2] == b:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]


def test_case_is_an_edit() -> None:
    """A name in other letters' size is suggested, the name itself is not."""
    assert one_edit_away("Prompt", ["prompt"]) == "prompt"
    assert one_edit_away("prompt", ["prompt"]) is None
    assert one_edit_away("n", ["a", "b"]) is None

"""Lines and places, and what is never shown of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.manifest.source import Source, starred

KEY = "sk_xeno_0123456789abcdefghij"


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        (f"api_key: {KEY}", KEY),
        (f"  - {{base_url: x, token: {KEY[3:]}}}", KEY[3:]),
        ('"Authorization": "abcdef"', "abcdef"),
        ("my_password: hunter2", "hunter2"),
        (f"note: look, {KEY}!", KEY),
        ("note: eyJhbGciOiJIUzI1NiJ9.e30.abc", "eyJhbGciOiJIUzI1NiJ9"),
        ("note: Bearer abcdef.ghi", "abcdef.ghi"),
        ("journal: postgresql://me:secret@host/db", "secret"),
        ("- https://h/x.png?sig=abcdef&se=1", "abcdef"),
    ],
)
def test_credentials_are_starred(line: str, secret: str) -> None:
    """Keys, passwords, bearer tokens and URL queries become stars, and the line keeps its length."""
    assert secret not in starred(line)
    assert len(starred(line)) == len(line)
    assert secret not in str(Source("m", line).problem(0, "here", hint=line))


@pytest.mark.parametrize(
    "line", ["api_key: env:XENODIA_API_KEY", "api_key: file:/run/key", "- id: a", "a: https://h/x"]
)
def test_harmless_lines_are_shown(line: str) -> None:
    """The name of a key's place is no secret, nor is a URL without a query."""
    assert starred(line) == line


def test_a_secret_problem_shows_no_line() -> None:
    """Where the value itself may be a key of any shape, the line is left out."""
    assert "hunter2" not in str(Source("m", "x: hunter2").problem(3, "here", secret=True))


@given(st.text(alphabet=st.sampled_from("ab\n\r\u2028"), max_size=30), st.integers(0, 30))
def test_places_count_lines_as_editors_do(text: str, index: int) -> None:
    """Lines end at LF, CR or CRLF; a place leads back to its index."""
    source = Source("m", text)
    line, column = source.place(min(index, len(text)))
    assert source.index(line) + column - 1 == min(index, len(text))
    assert line == text[: source.index(line)].replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
    assert source.line(line) == text[source.index(line) :].replace("\r", "\n").split("\n")[0]


def test_lines_beyond_the_text_are_empty() -> None:
    """A place after the end has no line to show."""
    assert Source("m", "a").line(2) == Source("m", "a").line(0) == ""

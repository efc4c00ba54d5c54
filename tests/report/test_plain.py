"""Text from outside is harmless, and measured rightly."""

from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from batchgen.report.plain import cell, columns, fit, fit_end, harmless, redact, visible, wrapped


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain — é 東京 🙂", "plain — é 東京 🙂"),
        ("\x1b[2J\x07", "\\x1b[2J\\x07"),
        ("\x1b]52;c;cGF5\x1b\\", "\\x1b]52;c;cGF5\\x1b\\"),
        ("\x9b31m", "\\x9b31m"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\u2066x\u2069\u200b\ufeff", "\\u2066x\\u2069\\u200b\\ufeff"),
        ("a\u2028b\u2029c", "a\\u2028b\\u2029c"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    """Control characters, escape sequences, bidi, separators and lone surrogates are spelled out, letters are not."""
    assert visible(text) == shown


@given(st.text())
def test_nothing_hidden_is_left(text: str) -> None:
    """Whatever the text, a terminal gets nothing to obey and can encode all of it."""
    shown = visible(text)
    assert not {category(each) for each in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    shown.encode()


@pytest.mark.parametrize(
    ("text", "kept", "gone"),
    [
        ("Authorization: Bearer sk_live_abcdefgh123", "Authorization", "abcdefgh"),
        ("bearer abc.def-ghi refused", "refused", "abc.def"),
        ("x-api-key: 12345678", "x-api-key", "12345678"),
        ("got https://cdn.example/a/b.png?X-Amz-Signature=feed&x=1 twice", "https://cdn.example/a/b.png", "feed"),
        ("at https://cdn.example/a#secret-part", "https://cdn.example/a", "secret-part"),
        ("proxy http://me:pass-word@proxy:3128/ said no", "proxy:3128/ said no", "pass-word"),
        ("key sk-abcdefghijklmnop refused", "refused", "abcdefghij"),
        ("postgresql://u:hunter2@db/batches", "db/batches", "hunter2"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.sig here", "here", "hbGciOi"),
        ("api_key=topsecret", "api_key", "topsecret"),
    ],
)
def test_redact(text: str, kept: str, gone: str) -> None:
    """Credentials and what follows a URL's path are cut; the rest of the sentence stays."""
    shown = redact(text)
    assert kept in shown
    assert gone not in shown


def test_redact_leaves_plain_text() -> None:
    """A sentence without secrets is left as it is."""
    text = "12 pictures in /home/me/outputs/autumn; is that all? http://127.0.0.1:8787/v1"
    assert redact(text) == text


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.integers(1, 90), st.integers(4, 200))
def test_fit_keeps_its_bounds(text: str, most: int, most_bytes: int) -> None:
    """A fitted text never needs more columns or bytes than it may, and one that fits is left alone."""
    cut = fit(text, most, most_bytes)
    assert columns(cut) <= most
    assert len(cut.encode()) <= most_bytes
    if columns(text) <= most and len(text.encode()) <= most_bytes:
        assert cut == text
    assert columns(fit_end(text, most)) <= most


def test_fit_marks_what_it_cut() -> None:
    """A cut shows as an ellipsis, at the end or, for paths, at the beginning."""
    assert fit("abcdef", 4) == "abc…"
    assert fit_end("/home/me/outputs", 8) == "…outputs"
    assert fit("東京東京", 5) == "東京…"
    assert fit("abc", 0) == ""


BLOCKS = ((0x20, 0x7E), (0xA1, 0xAC), (0x370, 0x377), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0x1F400, 0x1F43E))


@given(st.text(alphabet=st.one_of(*[st.characters(min_codepoint=low, max_codepoint=high) for low, high in BLOCKS])))
def test_columns_agree_with_a_terminal_library(text: str) -> None:
    """Latin, Greek, Chinese, Korean and pictures of animals are measured as a terminal library measures them."""
    assert columns(text) == cell_len(text)


def test_columns_of_wide_text() -> None:
    """Wide letters take two columns, marks none."""
    assert columns("東京") == 4
    assert columns("e\u0301") == 1
    assert columns("\u2764\ufe0f") == 2


def test_harmless_does_both() -> None:
    """Outside text is both redacted and spelled out."""
    assert harmless("Bearer abc\x1b[0m") == "Bearer ***"
    assert harmless("no\x1b[0m") == "no\\x1b[0m"


@given(st.text(), st.integers(0, 90))
def test_a_cell_has_its_width(text: str, wide: int) -> None:
    """A cell takes exactly its columns, whatever is in it."""
    assert columns(cell(visible(text), wide)) == wide


@given(st.text(alphabet="ab東🙂 \n", max_size=200), st.integers(2, 40))
def test_wrapped_text_is_all_there(text: str, most: int) -> None:
    """Wrapped lines are no wider than they may be, never empty, and hold every letter in order."""
    lines = list(wrapped(text, most))
    assert all(each and columns(each) <= most for each in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())

"""Ids and names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.manifest.names import LONGEST, batch_name, catalogue_name, job_id


@pytest.mark.parametrize(
    "text", ["a", "00123/packshot/hero.front", ".hidden", "a b", "...", "é", "日本/\U0001f600", "-x", "a:b?"]
)
def test_ids(text: str) -> None:
    """An id is any text that can be read, with slashes between parts."""
    assert job_id(text) == text


@pytest.mark.parametrize(
    "text", ["", "/", "/a", "a/", "a//b", ".", "..", "a/.", "../a", "a\nb", "a\x7f", "\x85", "a\u2028", "\ud83d"]
)
def test_no_ids(text: str) -> None:
    """What could leave a folder, or cannot be seen, is no id."""
    with pytest.raises(ValueError, match="an id"):
        job_id(text)


def test_the_length_of_an_id_is_in_bytes() -> None:
    """LONGEST bytes are taken and one more is not, whatever the number of characters."""
    for char, size in (("a", 1), ("é", 2), ("\U0001f600", 4)):
        assert job_id(char * (LONGEST // size))
        with pytest.raises(ValueError, match=f"at most {LONGEST} bytes"):
            job_id(char * (LONGEST // size) + "a")


@given(st.text(max_size=220))
def test_any_text_is_an_id_or_refused(text: str) -> None:
    """No text makes it fail in another way, and an id is never changed."""
    try:
        assert job_id(text) == text
    except ValueError as error:
        assert "an id" in str(error)  # noqa: PT017 (either outcome is right)


def test_names_of_the_catalogue_hold_no_slash() -> None:
    """Their ids could not be told apart otherwise."""
    assert catalogue_name("hero shot") == "hero shot"
    with pytest.raises(ValueError, match="holds no `/`"):
        catalogue_name("a/b")


@pytest.mark.parametrize("text", ["a", "0", "spring-look_2", "a" * 64])
def test_batch_names(text: str) -> None:
    """Small letters, digits, dash and underscore."""
    assert batch_name(text) == text


@pytest.mark.parametrize("text", ["", "-a", "_a", "A", "a b", "a/b", "a.b", "a" * 65, "é", "a\n"])
def test_no_batch_names(text: str) -> None:
    """Anything else would not be a folder's name everywhere."""
    with pytest.raises(ValueError, match="1 to 64 characters"):
        batch_name(text)

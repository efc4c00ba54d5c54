"""Plain scalars."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.manifest.scalars import kind, resolve

TEXT = [
    "16:9",
    "1:30:00",
    "no",
    "yes",
    "on",
    "off",
    "No",
    "y",
    "n",
    "007",
    "-01",
    "00.5",
    "01e2",
    "2024-01-02",
    "1_000",
]
TEXT += [
    "2024-01-02T03:04:05Z",
    "0b11",
    "0o8",
    "0xg",
    "1e",
    "e5",
    ".",
    "+",
    "-",
    "=",
    "nULL",
    "tRUE",
    "1.2.3",
    "\uff19",
    "4K",
    "+0x1",
]


@pytest.mark.parametrize("text", TEXT)
def test_what_only_looks_like_a_value_is_text(text: str) -> None:
    """Ratios, dates, leading zeros and the words of YAML 1.1 stay as they were written."""
    assert resolve(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("NULL", None), ("true", True), ("False", False), ("0", 0), ("-0", 0),
        ("+12", 12), ("0o17", 15), ("0xfF", 255), ("1.5", 1.5), ("1.", 1.0), (".5", 0.5), ("-1e3", -1000.0),
        ("0.5E-1", 0.05), ("-.inf", -math.inf), (".Inf", math.inf), ("1e999", math.inf),
    ],
)  # fmt: skip
def test_core_types(text: str, value: object) -> None:
    """Null, true, false, integers and floats of YAML 1.2's core schema have their values and types."""
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


def test_not_a_number() -> None:
    """`.nan` is the float that is not equal to itself."""
    value = resolve(".nan")
    assert isinstance(value, float)
    assert math.isnan(value)


@given(st.integers())
def test_integers_come_back(number: int) -> None:
    """Every integer as Python writes it is that integer, up to a length that nobody means."""
    assert resolve(str(number)) == number


def test_very_long_digits_are_text() -> None:
    """Digits too many for Python to read are text and no crash."""
    assert resolve("9" * 5000) == "9" * 5000


@given(st.text())
def test_anything_resolves(text: str) -> None:
    """No text makes it fail, and a text that is not taken for a value is unchanged."""
    value: object = resolve(text)
    assert value == text or not isinstance(value, str)


def test_kinds_have_words() -> None:
    """Every kind of value has a word for messages, and true is not called a number."""
    values: list[object] = [None, True, 1, 1.5, "x", {}, []]
    words = [kind(value) for value in values]
    assert words == ["empty", "true or false", "a number", "a number", "text", "a mapping", "a list"]

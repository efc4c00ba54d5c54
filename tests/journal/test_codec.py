"""The journal's text: exact both ways, and nothing else is taken for it."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.errors import Damaged
from batchgen.job import FileReference, Request, UrlReference, fingerprint
from batchgen.journal.codec import (
    KINDS,
    decode_milestone,
    decode_request,
    encode_milestone,
    encode_request,
    seal,
)
from batchgen.lifecycle import FOLLOWS, Accepted, Generated, Milestone, Planned, Started, Stored
from tests.lives import asset, lives

TEXT = st.text(st.characters(), max_size=20)
FILES = st.builds(FileReference, TEXT, TEXT, st.integers(0), TEXT)
URLS = st.builds(
    UrlReference, st.sampled_from(["https://a.test/x.png", "https://a.test/x.png?w=1&h=2"]), signed=st.booleans()
)
REQUESTS = st.builds(
    Request,
    model=TEXT,
    prompt=TEXT,
    aspect_ratio=st.none() | TEXT,
    resolution=st.none() | TEXT,
    output_format=st.none() | TEXT,
    channel_id=st.none() | st.integers(),
    references=st.lists(FILES | URLS, max_size=3).map(tuple),
    take=st.integers(1),
)
STORED = Stored(1, "task", None, (asset("a.png"), asset("b.png")))


def written(milestone: Milestone) -> tuple[str, int, str]:
    """The columns of a milestone."""
    return type(milestone).__name__, milestone.attempt, encode_milestone(milestone)


@given(lives())
def test_a_milestone_comes_back_as_it_went(life: tuple[Milestone, ...]) -> None:
    """All that it carries, with its types."""
    for milestone in life:
        assert decode_milestone(*written(milestone)) == milestone


@given(lives())
def test_the_text_of_a_milestone_is_the_one_that_json_would_write(life: tuple[Milestone, ...]) -> None:
    """Compact, ASCII, its keys sorted: what writes it by hand writes what the library does."""
    for milestone in life:
        text = encode_milestone(milestone)
        assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))


@given(REQUESTS)
def test_a_request_comes_back_as_it_went(request: Request) -> None:
    """And is still the same purchase."""
    back = decode_request(encode_request(request))
    assert back == request
    assert encode_request(back) == encode_request(request)


def test_every_kind_of_milestone_has_a_name() -> None:
    """None can be forgotten here."""
    assert set(KINDS.values()) == set(FOLLOWS)


def test_the_text_is_compact_and_its_keys_are_sorted() -> None:
    """Equal values are equal bytes, in any version."""
    text = encode_milestone(Started(1, "bg-\u00e9\ud800", None, 1.5))
    assert text == r'{"price_micro_usd":null,"since":1.5,"token":"bg-\u00e9\ud800"}'
    assert encode_request(Request("m", "p")) == '{"model":"m","prompt":"p","references":[],"take":1}'


@pytest.mark.parametrize("secret", ["X-Amz-Signature=s3cret", "sig=s3cret", "Expires=s3cret&token=s3cret"])
def test_a_signature_is_never_written(secret: str) -> None:
    """What opens a private reference is left out, said so, and no part of what is bought."""
    plain = Request("m", "p", references=(UrlReference("https://a.test/x.png?w=1"),))
    private = replace(plain, references=(UrlReference(f"https://a.test/x.png?w=1&{secret}"),))
    text = encode_request(private)
    assert "s3cret" not in text
    assert decode_request(text).references == (UrlReference("https://a.test/x.png?w=1", signed=True),)
    assert decode_request(encode_request(plain)) == plain
    assert fingerprint(decode_request(text)) == fingerprint(private) == fingerprint(plain)


@pytest.mark.parametrize("kind", [Accepted, Generated])
def test_the_query_of_a_result_is_never_written(kind: type[Accepted | Generated]) -> None:
    """Nor its fragment."""
    milestone = kind(1, None, 5, ("https://cdn.test/a.png?s3cret", "https://cdn.test/b.png#s3cret"))
    text = encode_milestone(milestone)
    assert "s3cret" not in text
    assert decode_milestone(kind.__name__, 1, text) == replace(
        milestone, urls=("https://cdn.test/a.png", "https://cdn.test/b.png")
    )


def test_a_time_that_is_none_is_not_written() -> None:
    """JSON has no word for it."""
    with pytest.raises(ValueError, match="JSON"):
        encode_milestone(Started(1, "bg-1", None, math.nan))


MILESTONES: list[tuple[str, dict[str, Any]]] = [
    ("Started", {"price_micro_usd": 1, "since": 1.5, "token": "t"}),
    ("Stored", json.loads(encode_milestone(STORED))),
    ("AttemptFailed", {"failure": "refused", "reason": "why", "cost_micro_usd": None}),
    ("InDoubt", {"price_micro_usd": 1, "since": 1.5, "token": "t", "reach": "r", "known_paid": True}),
]


@pytest.mark.parametrize(("kind", "body"), MILESTONES)
def test_a_key_too_many_or_too_few_is_damage(kind: str, body: dict[str, Any]) -> None:
    """A newer version's field is not dropped in silence, and a lost one is not made up."""
    assert decode_milestone(kind, 1, json.dumps(body)).attempt == 1
    for key in body:
        with pytest.raises(Damaged, match=kind):
            decode_milestone(kind, 1, json.dumps({each: value for each, value in body.items() if each != key}))
    for more in ("unheard_of", "attempt"):
        with pytest.raises(Damaged, match=kind):
            decode_milestone(kind, 1, json.dumps(body | {more: 1}))


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("Started", "price_micro_usd", True),
        ("Started", "price_micro_usd", 1.0),
        ("Started", "price_micro_usd", "1"),
        ("Started", "since", 1),
        ("Started", "since", None),
        ("Started", "token", None),
        ("AttemptFailed", "failure", "bored"),
        ("AttemptFailed", "failure", None),
        ("InDoubt", "known_paid", 1),
        ("Stored", "assets", {}),
        ("Stored", "assets", [1]),
        ("Stored", "assets", [{"name": "a"}]),
        ("Stored", "task_id", 7),
    ],
)
def test_a_value_of_another_kind_is_damage(kind: str, key: str, value: object) -> None:
    """No number is guessed from a text, no flag from a number."""
    body = dict(MILESTONES)[kind]
    with pytest.raises(Damaged):
        decode_milestone(kind, 1, json.dumps(body | {key: value}))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"'])
def test_what_is_no_object_is_damage(text: str) -> None:
    """Neither a milestone nor a request."""
    with pytest.raises(Damaged):
        decode_milestone("Planned", 0, text)
    with pytest.raises(Damaged):
        decode_request(text)


def test_an_unknown_kind_is_damage() -> None:
    """A milestone that this version does not know cannot be passed over."""
    with pytest.raises(Damaged, match="'Painted'"):
        decode_milestone("Painted", 0, "{}")


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": 1},
        {"model": None},
        {"take": "1"},
        {"references": None},
        {"references": {}},
        {"references": ["x"]},
        {"references": [{"url": "u"}]},
        {"references": [{"url": "u", "signed": True, "more": 1}]},
        {"references": [{"path": "p", "sha256": "s", "size": "1", "media_type": "m"}]},
        {"seed": 1},
    ],
)
def test_a_request_of_another_shape_is_damage(change: dict[str, object]) -> None:
    """Nothing is bought from a row that is not understood whole."""
    with pytest.raises(Damaged):
        decode_request(json.dumps(json.loads(encode_request(Request("m", "p"))) | change))


@pytest.mark.parametrize("key", ["model", "prompt", "references", "take"])
def test_a_request_without_a_field_that_is_always_written_is_damage(key: str) -> None:
    """Only fields that may be unset may be missing."""
    body = json.loads(encode_request(Request("m", "p")))
    del body[key]
    with pytest.raises(Damaged):
        decode_request(json.dumps(body))


@given(st.lists(st.none() | st.integers() | st.floats(allow_nan=False) | TEXT | st.binary(), max_size=4), st.data())
def test_a_seal_is_that_of_its_values_alone(values: list[Any], data: st.DataObject) -> None:
    """Other values, other types, another order or another cut between them: another seal."""
    other = data.draw(st.permutations(values) | st.lists(TEXT, max_size=4))
    assert seal(*values) == seal(*values)
    assert (seal(*values) == seal(*other)) == (repr(values) == repr(other))
    assert seal("ab", "c") != seal("a", "bc")
    assert seal(1) != seal("1") != seal(1.0)


def test_planned_carries_nothing_but_its_attempt() -> None:
    """So an expansion can write a hundred thousand of them in one statement."""
    assert encode_milestone(Planned(3)) == "{}"

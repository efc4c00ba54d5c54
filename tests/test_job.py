"""The two names of a job, its token, and what is no part of a URL."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.job import (
    FIELDS,
    RECIPE,
    FileReference,
    Fingerprints,
    Reference,
    Request,
    UrlReference,
    draft,
    effective,
    fingerprint,
    token,
    without_signature,
)

PICTURE = FileReference("a.png", "a" * 64, 3, "image/png")
PLAIN = Request("nano-banana-pro", "A cat")
BOTH = (PICTURE, UrlReference("https://h/x?w=1", signed=True))
FULL = Request("gpt-image-2", 'Ünï ☃ \U0001f600\n"x"', "16:9", "4K", "jpg", 7, BOTH, 3)

GOLDEN = {
    "plain": (PLAIN, "8d93cd3f16b62cc1715478cf881a323f28e2931670b83d17158f278194ef7f60"),
    "explicit defaults": (
        Request("nano-banana-pro", "A cat", "1:1", "1K", "png"),
        "8d93cd3f16b62cc1715478cf881a323f28e2931670b83d17158f278194ef7f60",
    ),
    "another model": (
        Request("gpt-image-2", "A cat"),
        "33e55f3b813d00dcf0e034b49736aeee7c3bdd2a46b4fb6146b14c60c233e018",
    ),
    "a model without defaults": (
        Request("some-model", "A cat"),
        "c506ac43ab42a079232af0edfd029ded9160ceccd6558314004202a07de5afd5",
    ),
    "everything": (FULL, "c8eb808c41977dd92ff6a600fea2e33de5f40a0097910d0bc60e4f8354fca48d"),
}

TEXT = st.text(max_size=20)
REQUESTS = st.builds(
    Request,
    model=st.sampled_from(["nano-banana-pro", "gpt-image-2", "other"]),
    prompt=TEXT,
    aspect_ratio=st.none() | st.sampled_from(["1:1", "16:9"]),
    resolution=st.none() | st.sampled_from(["1K", "2K"]),
    output_format=st.none() | st.sampled_from(["png", "jpg"]),
    channel_id=st.none() | st.integers(0, 3),
    references=st.lists(st.sampled_from([PICTURE, UrlReference("https://h/x")]), max_size=2).map(tuple),
    take=st.integers(1, 3),
)


@pytest.mark.parametrize(("request_", "expected"), GOLDEN.values(), ids=GOLDEN)
def test_fingerprints_of_recipe_one_never_change(request_: Request, expected: str) -> None:
    """These pictures were bought under these names; a release that changes one buys them again."""
    assert fingerprint(request_, recipe=1) == expected


def test_the_recipe_can_be_followed_by_hand() -> None:
    """A fingerprint is the SHA-256 of sorted, compact, ASCII JSON and nothing else."""
    text = '{"aspect_ratio":"auto","model":"gpt-image-2","prompt":"A \\u00fc","recipe":1,"resolution":"1K","take":2}'
    assert fingerprint(Request("gpt-image-2", "A ü", take=2)) == hashlib.sha256(text.encode()).hexdigest()


@given(REQUESTS, REQUESTS)
def test_equal_fingerprints_mean_equal_orders(one: Request, other: Request) -> None:
    """Two requests share a fingerprint exactly when the same is sent, with the same references and take."""
    same = (effective(one), one.references, one.take) == (effective(other), other.references, other.take)
    assert (fingerprint(one) == fingerprint(other)) is same


@given(REQUESTS, REQUESTS)
def test_a_family_of_requests_has_the_same_fingerprints(one: Request, other: Request) -> None:
    """The quick way for many requests of one kind never differs from the plain one."""
    asked = replace(one, prompt=other.prompt, references=other.references, take=other.take)
    assert Fingerprints(one).of(other.prompt, other.references, other.take) == fingerprint(asked)


@given(REQUESTS, st.sampled_from(["prompt", "model"]))
def test_a_changed_field_is_another_picture(request_: Request, name: str) -> None:
    """One more character in a text is another fingerprint."""
    assert fingerprint(replace(request_, **{name: getattr(request_, name) + "x"})) != fingerprint(request_)


def test_lone_surrogates_do_not_break_it() -> None:
    """Even a prompt that cannot be encoded has a fingerprint."""
    assert len(fingerprint(replace(PLAIN, prompt="\ud83d"))) == 64


def test_references_count_by_what_they_are() -> None:
    """Order and bytes decide; the path, the media type and a signature do not."""

    def of(*references: Reference) -> str:
        return fingerprint(replace(PLAIN, references=references))

    url = UrlReference("https://h/x?w=1")
    assert of(PICTURE) == of(replace(PICTURE, path="b.png", media_type="image/webp", size=9))
    assert of(PICTURE) != of(replace(PICTURE, sha256="b" * 64))
    assert of(url) == of(UrlReference("https://h/x?w=1&sig=a", signed=True))
    assert len({of(), of(PICTURE), of(url), of(PICTURE, url), of(url, PICTURE), of(PICTURE, PICTURE)}) == 6


def test_what_is_asked_for_wins_over_the_recipe() -> None:
    """Defaults of the recipe fill what was left out; an unknown model gets none."""
    filled = {"aspect_ratio": "1:1", "resolution": "1K", "output_format": "png"}
    assert effective(PLAIN) == {"model": "nano-banana-pro", "prompt": "A cat", **filled}
    assert effective(replace(PLAIN, resolution="4K", channel_id=0))["resolution"] == "4K"
    assert effective(replace(PLAIN, channel_id=0))["channel_id"] == 0
    assert effective(Request("other", "x")) == {"model": "other", "prompt": "x"}


def test_a_draft_is_named_by_the_newest_recipe() -> None:
    """The recipe stands beside the fingerprint that it made."""
    made = draft("a/b", FULL, "a/b")
    assert (made.id, made.path, made.recipe, made.fingerprint) == ("a/b", "a/b", RECIPE, fingerprint(FULL, RECIPE))


def test_the_fields_are_those_of_the_api() -> None:
    """References and takes are no fields of the request that a manifest sets by name."""
    assert FIELDS == ("model", "prompt", "aspect_ratio", "resolution", "output_format", "channel_id")


@pytest.mark.parametrize(
    ("batch", "number", "attempt", "print_", "expected"),
    [
        ("0" * 32, 1, 1, "a" * 64, "bg-hr5kx5rvoefasqiu4zrchosn7l"),
        ("f" * 32, 12, 3, "b" * 64, "bg-v2apcgk5ekzp7ykrzx6mk33ztj"),
    ],
)
def test_tokens_never_change(batch: str, number: int, attempt: int, print_: str, expected: str) -> None:
    """A token made again after a crash or a release is the one that the provider has seen."""
    assert token(batch, number, attempt, print_) == expected


@given(
    st.lists(
        st.tuples(st.sampled_from(["0" * 32, "1" * 32]), st.integers(0, 99), st.integers(0, 99)),
        min_size=2,
        max_size=20,
        unique=True,
    )
)
def test_tokens_tell_attempts_apart(attempts: list[tuple[str, int, int]]) -> None:
    """No two attempts share a token, also where digits could run together, and each is a plain header value."""
    tokens = {token(*attempt, "a" * 64) for attempt in attempts}
    assert len(tokens) == len(attempts)
    assert all(len(each) == 29 and each.replace("-", "").isalnum() and each.isascii() for each in tokens)


def test_a_token_depends_on_what_is_bought() -> None:
    """An edited job does not reuse the token of its earlier request."""
    assert token("0" * 32, 1, 1, "a" * 64) != token("0" * 32, 1, 1, "b" * 64)


@pytest.mark.parametrize(
    "name",
    [
        "X-Amz-Signature",
        "x-amz-date",
        "X-Goog-Expires",
        "Signature",
        "Expires",
        "Key-Pair-Id",
        "sig",
        "SE",
        "sp",
        "sv",
        "token",
    ],
)
def test_signature_parameters_go(name: str) -> None:
    """Each known parameter of a signature is dropped, whatever its case; the others stay as they were, in order."""
    assert without_signature(f"https://h/x?b=%2F&{name}=1%2B&a=1&{name}#f") == "https://h/x?b=%2F&a=1#f"
    assert without_signature(f"https://h/x?{name}=1") == "https://h/x"


@pytest.mark.parametrize("query", ["signed=1", "tokens=1", "sigma=1", "svg=1", "a=token", "xx-amz-a=1", "expire=1"])
def test_other_parameters_stay(query: str) -> None:
    """A name that only resembles one is part of the URL."""
    assert without_signature(f"https://h/x?{query}") == f"https://h/x?{query}"


NAMES = st.sampled_from(["a", "sig", "X-Amz-Date", "w", "Token", "b"])


@given(st.lists(st.tuples(NAMES, st.sampled_from(["", "1", "%20"])), max_size=6))
def test_stripping_twice_is_stripping_once(pairs: list[tuple[str, str]]) -> None:
    """What is left has no signature, and nothing else is lost."""
    bare = without_signature("https://h/x?" + "&".join(f"{name}={value}" for name, value in pairs))
    assert without_signature(bare) == bare
    kept = [f"{name}={value}" for name, value in pairs if name in {"a", "w", "b"}]
    assert bare == "https://h/x" + ("?" + "&".join(kept) if kept else "")

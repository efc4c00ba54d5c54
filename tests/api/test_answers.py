"""Reading answers: whatever a server sends is read without a crash, and said without a secret."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen.api import Offer, Waiting, answers
from batchgen.errors import TaskFailed

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
NAMES = """
task_id taskId data state status error message code type result url outputs output billing request prompt image_url
actual_amount_micro_usdc recommended_poll_interval_ms eta_hint_seconds details msg
"""
names = st.sampled_from(NAMES.split())
words = st.sampled_from(["success", "fail", "waiting", "FAILED", "https://a.example/x", "422", "content_policy"])
anything: st.SearchStrategy[Any] = st.recursive(
    scalars | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=5),
    max_leaves=12,
)
documents = st.dictionaries(names, anything, max_size=6)

CREDENTIAL = "sk_xeno_0123456789"


@settings(max_examples=300, deadline=None)
@given(documents)
def test_no_document_breaks_the_reader(document: dict[str, Any]) -> None:
    """Any JSON object is read: ids are text, URLs are web URLs, costs whole, standings of the known kinds."""
    task = answers.task_id(document)
    assert task is None or task
    assert all(url.startswith(("http://", "https://")) for url in answers.result_urls(document))
    cost = answers.cost(document)
    assert cost is None or cost >= 0
    told = answers.complaint(document)
    assert isinstance(told.text, str)
    assert told.failure in {"transient", "refused", "rejected"}
    word = answers.state(document)
    if word is not None:
        try:
            found = answers.standing(document, word, 1.0)
        except TaskFailed as failed:
            found = Waiting(str(failed))
        assert isinstance(found, Offer | Waiting)


@given(
    st.binary(max_size=40) | st.text(max_size=40).map(str.encode) | anything.map(lambda each: json.dumps(each).encode())
)
def test_any_body_is_an_object_or_nothing(body: bytes) -> None:
    """A body is an object or nothing at all."""
    found = answers.document(body)
    assert found is None or isinstance(found, dict)


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b'{"a":' + b"9" * 5000 + b"}"])
def test_deep_or_huge_bodies_are_nothing(body: bytes) -> None:
    """Nesting without end and numbers without end are not read."""
    assert answers.document(body) is None


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300), st.text(min_size=1, max_size=80), st.text(max_size=60))
def test_a_cleaned_text_is_one_short_line(before: str, prompt: str, after: str) -> None:
    """Whatever a server says becomes one printable line of at most 200 characters without the credential."""
    shown = answers.clean(f"{before}{CREDENTIAL}{after} {prompt}", prompt=prompt, credential=CREDENTIAL)
    assert len(shown) <= 200
    assert shown.isprintable()
    assert CREDENTIAL not in shown


@given(st.text("abcdefgh ", min_size=14, max_size=80).map(str.strip).filter(lambda text: len(text) > 13))
def test_a_prompt_is_cut_out_whole_or_begun(prompt: str) -> None:
    """The prompt never comes back, whether the server quotes it whole or only its beginning."""
    for quoted in (prompt, prompt[:13], prompt.replace(" ", "\n  ")):
        shown = answers.clean(f"refused: '{quoted}' is bad", prompt=prompt)
        assert " ".join(prompt.split())[:13] not in shown
        assert shown.startswith("refused: '")


def test_a_short_prompt_does_not_tear_words() -> None:
    """A prompt of one short word is cut only where it stands alone."""
    assert answers.clean("category cat is off", prompt="cat") == "category […] is off"


def test_urls_lose_their_queries_and_names_their_keys() -> None:
    """Queries, user names and things that look like keys are cut from a server's words."""
    said = (
        "see https://u:p@a.example/x?sig=canary#y or Bearer abcdefabcdef123 sk-canary12345 eyJhbGciOiJIUzI1NiJ9.e30.x"
    )
    shown = answers.clean(said)
    for secret in ("canary", "u:p", "abcdefabcdef123", "eyJ"):
        assert secret not in shown
    assert "https://a.example/x" in shown
    assert answers.clean("a\x1b[31m\x00b\u202e") == "a\\x1b[31m\\x00b\\u202e"


NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": ""}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "5"}, 5.0),
        ({"Retry-After": " 2.5 "}, 2.5),
        ({"Retry-After": "0"}, 0.5),
        ({"Retry-After": "-3"}, 0.5),
        ({"Retry-After": "99999"}, 600.0),
        ({"Retry-After": "Tue, 01 Jan 2030 00:00:30 GMT"}, 30.0),
        ({"Retry-After": "Tue, 01 Jan 2030 00:00:30 -0000"}, 30.0),
        ({"Retry-After": "Mon, 31 Dec 2029 00:00:00 GMT"}, 0.5),
        ({"Retry-After": "Tue, 01 Jan 2030 00:00:30 GMT", "Date": "Tue, 01 Jan 2030 00:00:20 GMT"}, 10.0),
        ({"Retry-After": "Tue, 01 Jan 2030 00:00:30 GMT", "Date": "nonsense"}, 30.0),
    ],
)
def test_waits_are_read_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds and dates are read and clamped; what cannot be read asks for nothing."""
    assert answers.retry_after(headers, NOW) == seconds


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_wait_is_out_of_bounds(asked: str, date: str) -> None:
    """Any header gives no wait or one between half a second and ten minutes."""
    seconds = answers.retry_after({"Retry-After": asked, "Date": date})
    assert seconds is None or 0.5 <= seconds <= 600


@pytest.mark.parametrize(
    ("document", "failure"),
    [
        ({"error": {"code": 500, "message": "invalid response from upstream"}}, "transient"),
        ({"error": "timeout"}, "transient"),
        ({"error": {"code": "400"}}, "rejected"),
        ({"error": {"code": "invalid_request", "message": "x"}}, "rejected"),
        ({"error": {"type": "invalid_request_error", "code": None}}, "rejected"),
        ({"error": {"code": "400", "message": "could not be processed: content policy"}}, "refused"),
        ({"error": {"message": "Your prompt was flagged by our safety system"}}, "refused"),
        ({"error": "moderation_blocked"}, "refused"),
        ({"error": {}, "message": "nsfw"}, "refused"),
        ({}, "transient"),
    ],
)
def test_complaints_are_sorted(document: dict[str, Any], failure: str) -> None:
    """Content is told from a bad request, and anything else may be tried again."""
    assert answers.complaint(document).failure == failure


def test_wrapped_tasks_are_read_like_plain_ones() -> None:
    """A task inside `data` is the task."""
    document = {"code": 200, "data": {"taskId": 12, "state": "success", "result": {"url": "https://a.example/1"}}}
    assert answers.task_id(document) == "12"
    assert answers.state(document) == "success"
    assert answers.standing(document, "success", 2.0) == Offer(("https://a.example/1",), 2.0)

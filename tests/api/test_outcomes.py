"""Every status of every call has its meaning, and no message repeats a secret."""

import json

import httpx
import pytest

from batchgen.api import outcomes
from batchgen.api.outcomes import Answer
from batchgen.errors import (
    BatchgenError,
    NotTaken,
    OutcomeUnknown,
    Parked,
    Rejected,
    Stop,
    TaskFailed,
    Throttled,
    Unavailable,
)
from tests.api.stage import KEY, PROMPT, at, order
from tests.wire_server import reply

STATUSES = range(300, 600)
PLAIN = "a-key-that-does-not-look-like-one"
SUBMIT: dict[int, type[BatchgenError]] = {
    **dict.fromkeys(range(300, 400), Stop),
    **dict.fromkeys((401, 402, 404, 405, 407, 410), Stop),
    **dict.fromkeys((400, 413, 415, 422), Rejected),
    403: Parked,
    429: Throttled,
}
POLL: dict[int, type[BatchgenError]] = {401: Stop, 407: Stop, 403: Parked, 404: TaskFailed, 410: TaskFailed}


def answer(status: int, body: object = None, **headers: str) -> Answer:
    return Answer(status, httpx.Headers(headers), b"" if body is None else json.dumps(body).encode())


def submitted(status: int, body: object = None, *, renewed: bool = False, wait: str = "") -> BatchgenError:
    headers = {"Retry-After": wait} if wait else {}
    return outcomes.of_submit(answer(status, body, **headers), order(), outcomes.Asked("api.example", KEY, renewed))


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_of_a_submit(status: int) -> None:
    """A submit's status is believed only where it proves something; every other one is in doubt."""
    error = submitted(status)
    assert type(error) is SUBMIT.get(status, OutcomeUnknown)
    assert f"api.example answered {status}" in str(error)
    if isinstance(error, OutcomeUnknown):
        assert (error.reach, error.known_paid) == (f"answered {status}", status == 409)
    if isinstance(error, Stop):
        assert error.credential is (status == 401)


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_of_a_poll(status: int) -> None:
    """A poll's status concerns that job alone, but for a refused credential; everything else is asked again."""
    error = outcomes.of_poll(answer(status), outcomes.Asked("api.example", KEY))
    assert type(error) is POLL.get(status, Unavailable)
    if isinstance(error, Unavailable):
        assert error.answered


@pytest.mark.parametrize(("status", "kind"), [(503, Throttled), (500, OutcomeUnknown), (502, OutcomeUnknown)])
def test_only_a_503_with_a_time_says_not_taken(status: int, kind: type[BatchgenError]) -> None:
    """A named wait makes a 503 a throttle; other server errors stay in doubt with one."""
    error = submitted(status, wait="9")
    assert type(error) is kind
    assert getattr(error, "retry_after_seconds", 9) == 9


@pytest.mark.parametrize("status", [400, 403, 422, 451])
def test_a_refusal_of_content_is_told_from_a_bad_request(status: int) -> None:
    """Policy, moderation and safety make the class `refused`, under any status that refuses."""
    error = submitted(status, {"error": {"code": "content_policy_violation", "message": "no"}})
    assert isinstance(error, Rejected)
    assert error.failure == "refused"
    assert submitted(500, {"error": "moderation"}).__class__ is OutcomeUnknown


def test_an_unknown_model_is_the_jobs_fault_and_a_404_else_the_addresss() -> None:
    """A 404 that speaks of the model rejects the job; another one says that the base URL is wrong."""
    assert type(submitted(404, {"error": "not_found", "message": "model not found"})) is Rejected
    assert type(submitted(404, {"error": "not_found", "message": "no such route"})) is Stop


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_token_that_was_seen_before_is_known_to_be_paid(status: int) -> None:
    """An idempotency conflict is in doubt as known to be paid, under any status."""
    error = submitted(status, {"error": {"code": "idempotency_conflict", "message": "key reused"}})
    assert isinstance(error, OutcomeUnknown)
    assert error.known_paid


def test_a_renewed_credential_is_no_stop() -> None:
    """A 401 after which another credential is at hand only means that this try was not taken."""
    assert type(submitted(401, renewed=True)) is NotTaken
    assert type(outcomes.of_poll(answer(401), outcomes.Asked("h", KEY, renewed=True))) is Unavailable


@pytest.mark.parametrize("files", [(), (b"\x89PNG\r\n",)])
def test_the_servers_words_are_told_without_secrets(files: tuple[bytes, ...]) -> None:
    """The reason is part of the message, on one line, less prompt, credential and query."""
    message = f"field\n'x' of {PROMPT} with {PLAIN} at https://a.example/p?sig=canary is wrong"
    error = outcomes.of_submit(answer(400, {"message": message}), order(files=files), outcomes.Asked("h", PLAIN))
    assert str(error) == "h answered 400: field 'x' of […] with […] at https://a.example/p is wrong"


@pytest.mark.anyio
async def test_an_answer_that_cannot_be_decoded_is_an_empty_one() -> None:
    """A body in a broken encoding leaves a submit in doubt and a poll unavailable."""
    broken = reply(200, b"not gzip", {"Content-Encoding": "gzip"})
    async with at(broken, broken) as (_, client):
        with pytest.raises(OutcomeUnknown) as caught:
            await client.submit(order())
        assert caught.value.reach == "answer not understood"
        with pytest.raises(Unavailable):
            await client.status("t")

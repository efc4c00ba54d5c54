"""The table of outcomes: every end of every call has one meaning, and the documented table is the code's.

`python -m tests.api.test_meaning` prints the table.
"""

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import get_args

import pytest

from batchgen.api.meaning import About, Answered, Broke, Call, Meaning, Met, Phase, meaning

CALLS: tuple[Call, ...] = get_args(Call)
PAGE = Path(__file__).parent.parent.parent / "docs" / "outcomes.md"
FREE = {Meaning.TAKEN, Meaning.NOT_TAKEN, Meaning.TOO_MANY, Meaning.BUSY, Meaning.IN_DOUBT, Meaning.KNOWN_PAID}
PROVEN = {400, 401, 402, 403, 404, 405, 407, 410, 413, 415, 422, 429}


def cases() -> Iterator[tuple[str, Met]]:
    """Everything that can be met, with its name in the table."""
    broken: dict[Phase, str] = {
        "unsent": "no byte sent: name, connection, TLS, proxy, no free connection",
        "sent in part": "cut, reset or stalled while sending",
        "sent": "cut, reset, stalled or garbage before the answer",
        "answer begun": "cut, reset, stalled or garbage in the answer",
    }
    yield "no byte sent: the certificate is not trusted", Broke("unsent", "certificate")
    yield "no byte sent: the proxy wants credentials", Broke("unsent", "proxy credentials")
    for phase, words in broken.items():
        yield words, Broke(phase)
    yield "2xx that does not say what was asked", Answered(202, usable=False)
    for status in range(100, 600):
        yield str(status), Answered(status)
    yield "401, and the credential was renewed since", Answered(401, renewed=True)
    yield "503 with Retry-After", Answered(503, timed=True)
    yield "400, 422 about the token", Answered(400, "token")
    yield "other, about the token", Answered(500, "token")
    yield "400, 403, 404, 413, 415, 422, 451 about policy", Answered(400, "policy")
    yield "404 about the model", Answered(404, "model")


def table() -> str:
    """The table of the page: neighbouring statuses of equal meanings share a row."""
    lines = ["| met | submit | poll | picture |", "|---|---|---|---|"]
    rows = [(name, tuple(shown(meaning(call, met)) for call in CALLS)) for name, met in cases()]
    for _, group in groupby(rows, key=lambda row: row[1] if row[0].isdecimal() else row):
        same = list(group)
        name = same[0][0] if len(same) == 1 else f"{same[0][0]}-{same[-1][0]}"
        lines.append(f"| {name} | {' | '.join(same[0][1])} |")
    return "\n".join(lines)


def shown(found: Meaning) -> str:
    """A meaning in words."""
    return found.name.lower().replace("_", " ")


def test_the_page_has_the_table_of_the_code() -> None:
    """The documented table of outcomes is the one that the code follows, row by row."""
    assert table() in PAGE.read_text(encoding="utf-8")


def test_every_meaning_is_explained() -> None:
    """Each word of the table has its line on the page."""
    text = PAGE.read_text(encoding="utf-8")
    for each in Meaning:
        assert f"| {shown(each)} |" in text.partition("## What the words mean")[2], each


@pytest.mark.parametrize("status", range(100, 600))
def test_a_submit_is_believed_only_where_it_proves_something(status: int) -> None:
    """A status that proves nothing leaves a payment in doubt: never taken for refused, never sent again."""
    found = meaning("submit", Answered(status))
    if 200 <= status < 300:
        assert found is Meaning.TAKEN
    elif status == 409:
        assert found is Meaning.KNOWN_PAID
    elif status in PROVEN or 300 <= status < 400:
        assert found not in {Meaning.TAKEN, Meaning.IN_DOUBT, Meaning.KNOWN_PAID}
    else:
        assert found is Meaning.IN_DOUBT


@pytest.mark.parametrize("phase", get_args(Phase))
@pytest.mark.parametrize("by", ["", "certificate", "proxy credentials"])
def test_a_submit_that_broke_was_not_taken_only_if_nothing_left(phase: Phase, by: str) -> None:
    """Once a byte of a submit has left, no break of whatever cause proves anything."""
    found = meaning("submit", Broke(phase, by))  # type: ignore[arg-type]
    assert (found is Meaning.IN_DOUBT) == (phase != "unsent")


@pytest.mark.parametrize("call", ["poll", "picture"])
def test_free_calls_are_never_in_doubt(call: Call) -> None:
    """What costs nothing is neither in doubt nor bought, whatever is met."""
    for _, met in cases():
        found = meaning(call, met)
        assert found is Meaning.TAKEN or found not in FREE
        assert call == "poll" or not found.name.startswith("STOP"), "a picture's host never ends a run"


@pytest.mark.parametrize("about", get_args(About))
@pytest.mark.parametrize("status", [400, 409, 422, 500])
def test_a_token_that_is_known_is_never_taken_for_a_plain_refusal(status: int, about: About) -> None:
    """An answer that speaks of the token says that something was bought under it."""
    found = meaning("submit", Answered(status, about))
    assert (found is Meaning.KNOWN_PAID) == (status == 409 or about == "token")


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")

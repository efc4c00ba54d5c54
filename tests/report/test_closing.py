"""The last lines of every command."""

import shlex
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen.journal import STATES
from batchgen.ledger import Money
from batchgen.report.closing import BYTES, LINES, WIDTH, Ended, closing
from batchgen.report.plain import columns, visible
from batchgen.report.summary import FailureCount, Summary

MONEY = Money(spent=3_888_610_000, in_doubt=420_000)
FAILED = (FailureCount("refused", "content policy; not billed", 11),)
BATCH = Summary("autumn-catalogue", "/abs/outputs/autumn-catalogue", {"stored": 49_980}, money=MONEY)


def batch(**figures: Any) -> Summary:
    """The catalogue with other figures."""
    given: dict[str, Any] = {"counts": {"stored": 8}, "money": Money(spent=960_000), **figures}
    return Summary("autumn-catalogue", "/abs/outputs/autumn-catalogue", **given)


def ended(exit_code: int, summary: Summary | None, reason: str = "", **more: Any) -> Ended:
    """An ending of run 3 of the catalogue."""
    given: dict[str, Any] = {
        "again": ("run", "autumn.yaml"),
        "where": ("autumn.yaml",),
        "run": 3,
        "seconds": 25_080.0,
        "spent_micro_usd": 960_000,
        **more,
    }
    return Ended(exit_code, reason, summary=summary, **given)


ENDINGS: dict[str, Ended] = {
    "0 first": ended(0, batch(), run=1),
    "0 nothing to do": ended(0, batch(), run=0, spent_micro_usd=0),
    "0 none asked for": ended(0, batch(counts={}), run=0),
    "0 no journal": Ended(0),
    "1": ended(1, batch(counts={"stored": 49_989, "failed": 11}, failures=FAILED)),
    "2": Ended(2, "autumn.yaml:14:8: unknown key `promt`; did you mean `prompt`?", again=("run", "autumn.yaml")),
    "3": ended(
        3,
        batch(counts={"stored": 49_983, "failed": 11, "in_doubt": 6}, failures=FAILED, money=MONEY),
        spent_micro_usd=3_888_610_000,
    ),
    "4": ended(
        4,
        batch(counts={"stored": 5, "running": 1, "queued": 2}, money=Money(spent=9_600_000, reserved=120_000)),
        "the provider answered 402: the account has no funds; top it up, then run the same command again",
    ),
    "5": Ended(5, "the journal is damaged at row 17; put a copy back", again=("run", "autumn.yaml")),
    "70": Ended(70, "ZeroDivisionError, not foreseen", again=("run", "my look.yaml", "--max-pictures", "5")),
    "75": ended(75, batch(counts={"stored": 5, "queued": 3}), "3 pictures are not finished"),
    "130": ended(130, batch(counts={"stored": 5, "running": 1, "queued": 2}), "interrupted by Ctrl-C"),
    "143": ended(143, batch(counts={"stored": 7, "running": 1}, kept=2)),
    "unpriced": ended(1, batch(counts={"stored": 7, "failed": 1}, money=Money(unpriced=8), failures=FAILED)),
}


def test_every_code_has_a_golden_ending() -> None:
    """No documented exit code is left without its last lines."""
    codes = {each.exit_code for each in ENDINGS.values()}
    assert codes == {0, 1, 2, 3, 4, 5, 70, 75, 130, 143}


TEXTS = st.text(max_size=300) | st.text(alphabet="aé東🙂\u0301\x1b\u202e \n'\"\\?&=:/", max_size=300)
COUNTS = st.integers(0, 10**12)
SUMS = st.builds(Money, *[st.integers(0, 10**15)] * 7)
CLASSES = ("transient", "refused", "rejected", "expired", "bad_asset")
FAILURES = st.builds(FailureCount, st.sampled_from(CLASSES), TEXTS, COUNTS)
SUMMARIES = st.builds(
    Summary,
    name=TEXTS,
    folder=TEXTS,
    counts=st.dictionaries(st.sampled_from(STATES), COUNTS),
    kept=COUNTS,
    money=SUMS,
    failures=st.lists(FAILURES, max_size=8).map(tuple),
)
ANY_ENDING = st.builds(
    Ended,
    exit_code=st.sampled_from([0, 1, 2, 3, 4, 5, 70, 75, 130, 143, 99]),
    reason=TEXTS,
    again=st.lists(TEXTS, max_size=5).map(tuple),
    where=st.lists(TEXTS, max_size=3).map(tuple),
    run=st.integers(0, 10**9),
    seconds=st.floats(0, 10**9),
    spent_micro_usd=st.integers(0, 10**15),
    summary=st.none() | SUMMARIES,
)


@settings(max_examples=300)
@given(ANY_ENDING)
def test_bounds(ended: Ended) -> None:
    """At most 12 lines of 80 columns and under 2,048 bytes, harmless, whatever the texts and figures."""
    lines = closing(ended)
    assert 2 <= len(lines) <= LINES
    assert all(columns(each) <= WIDTH for each in lines)
    assert len(("\n".join(lines) + "\n").encode()) < BYTES
    assert all(visible(each) == each for each in lines)
    assert any("safe to run again: " in each for each in lines)


@pytest.mark.parametrize("heavy", ["e" + "\u0301" * 3000, "\U0001f642" * 300, "\u1e9e" * 300])
def test_bytes_are_bounded_too(heavy: str) -> None:
    """Texts of few columns and many bytes are cut by bytes, in every line that shows them."""
    failures = tuple(FailureCount("refused", heavy, 5) for _ in range(3))
    summary = Summary(heavy, heavy, {"stored": 1, "failed": 3}, money=MONEY, failures=failures)
    for code in (0, 4):
        lines = closing(Ended(code, heavy + " " + heavy, again=(heavy,), where=(heavy,), run=1, summary=summary))
        assert len(("\n".join(lines) + "\n").encode()) < BYTES
        assert all(columns(each) <= WIDTH for each in lines)


@settings(max_examples=200)
@given(st.lists(st.text(max_size=60), max_size=4).map(tuple))
def test_a_command_is_whole_or_not_there(words: tuple[str, ...]) -> None:
    """The next command pastes back to exactly the words that were typed; one that cannot is not shown in part."""
    told = [each for each in closing(Ended(75, again=words)) if "batchgen" in each][1:]
    for each in told:
        if "the words you typed" not in each:
            assert shlex.split(each.removeprefix("  next").strip()) == ["batchgen", *words]


@pytest.mark.parametrize("words", [("run", "a" * 62), ("run", "x" * 300), ("run", "a\x1b[2J"), ("run", "東" * 40)])
def test_long_and_odd_commands(words: tuple[str, ...]) -> None:
    """A command too long or too odd for the lines is named in words."""
    told = "\n".join(closing(Ended(75, again=words)))
    assert "the words you typed" in told or shlex.join(("batchgen", *words)) in told
    assert "the words you typed" in told or len(words[1]) == 62


def test_a_command_with_a_secret_is_not_repeated() -> None:
    """A credential in a typed address is not said again."""
    words = ("run", "a.yaml", "--provider", "https://me:hunter2@x.example/?key=abc")
    told = "\n".join(closing(Ended(2, "no", again=words)))
    assert "hunter2" not in told
    assert "with the words you typed" in told


def test_secrets_in_reasons_are_cut() -> None:
    """What a server said is shown without signed addresses."""
    told = "\n".join(closing(Ended(4, "no answer from https://cdn.example/a.png?sig=feed")))
    assert "feed" not in told
    assert "https://cdn.example/a.png" in told


def test_many_classes_share_the_room() -> None:
    """With more classes of failure than lines, the rarest are told together and every failure is counted."""
    classes = ("transient", "refused", "rejected", "expired", "bad_asset")
    failures = tuple(FailureCount(each, "why", 10 - n) for n, each in enumerate(classes))  # type: ignore[arg-type]
    told = closing(ended(1, batch(counts={"stored": 1, "failed": 40}, failures=failures)))
    shown = [each for each in told if "why" in each or "for other reasons" in each]
    assert len(shown) == 3
    assert sum(int(each[15:21]) for each in shown) == 40


def test_one_class_with_several_reasons() -> None:
    """The commonest reason of a class is told with the number of others."""
    failures = (FailureCount("refused", "policy", 5), FailureCount("refused", "faces", 2))
    told = "\n".join(closing(ended(1, batch(counts={"failed": 7}, failures=failures))))
    assert "     7  policy; and 1 other reason" in told


def test_a_long_folder_keeps_its_end() -> None:
    """A folder too long for a line stands on its own, and it is its beginning that gives way."""
    summary = Summary("a", "/home/" + "x" * 70 + "/outputs/a", {"stored": 2})
    told = closing(ended(0, summary))
    assert told[-3] == "  2 pictures in"
    assert told[-2].startswith("  …")
    assert told[-2].endswith("/outputs/a")
    assert told[-1].split("  ")[-1] == "to see them"


def test_one_of_each_is_singular() -> None:
    """One picture is there, is missing, or is in doubt."""
    assert "complete, the picture is there" in closing(ended(0, batch(counts={"stored": 1})))[0]
    assert "finished, 1 picture is missing" in closing(ended(1, batch(counts={"failed": 1})))[0]
    assert "finished, 1 payment is in doubt" in closing(ended(3, batch(counts={"in_doubt": 1})))[0]


def test_dropped_is_neither_missing_nor_failed() -> None:
    """Dropped jobs are told, and not missed."""
    told = closing(ended(1, batch(counts={"stored": 5, "failed": 1, "dropped": 3})))
    assert "1 picture is missing" in told[0]
    assert "3 dropped" in told[1]


def test_codes_without_a_summary() -> None:
    """Codes 1 and 3 are told even when no figures are at hand."""
    assert "failed for good" in closing(Ended(1))[0]
    assert "in doubt" in closing(Ended(3))[0]
    assert closing(Ended(99))[0].startswith("batchgen: stopped")

"""`batchgen plan`."""

import json
import shlex
from pathlib import Path

import pytest

from batchgen.job import Draft, Request
from batchgen.journal import Change, Comparison, Difference
from batchgen.plan import Cost, Forecast, Plan
from tests.cli.desk import FOLDER, FakeDoors, typed

LONG = "… a red rubber ball with a white stripe on a white desk by the window"
BOOT = Request("nano-banana-pro", "A boot\nin\x1b the " + "snow " * 30, resolution="4K")
EXAMPLES = {
    "new": tuple(Difference("new", f"n{each}", "not bought before") for each in range(5)),
    "changed": (
        Difference("changed", "cube\x1b", "", changes=(Change("resolution", "1K", "2K"),)),
        Difference(
            "changed",
            "ball",
            "",
            changes=(Change("prompt", LONG, "… a blue one"),),
        ),
    ),
    "renamed": (Difference("renamed", "box", "same request", was="cube"),),
}
PLAN = Plan(
    FOLDER,
    "autumn",
    4,
    False,
    Comparison(
        {"new": 350_000, "changed": 2, "unchanged": 90, "renamed": 1, "gone": 0},
        350_000,
        EXAMPLES,  # type: ignore[arg-type]
        redone=3,
        skipped=20,
    ),
    ("the catalogue could not be read",),
    costs=(
        Cost("nano-banana-pro 4K", 150_000, 240_000, "budget.prices", 200_000),
        Cost("gpt-image-2 1K", 199_000, 70_000, "the provider's list"),
        Cost("seedream 1K", 1_000, None, ""),
    ),
    forecast=Forecast(233_400.0, "the rate 15/10s", True, 3_334_000_000_000, 80_000_000),
    samples=(Draft("00001/hero", BOOT, "00/00001-hero", "f"),),
    budget_micro_usd=4_500_000_000,
    siblings=("the batch summer beside this one holds pictures of it already; mv /abs/summer /abs/autumn",),
)

GOLDEN = """\
/abs/outputs/autumn
run 4 of this batch
  new            350,000  to be bought
                          n0  not bought before
                          n1  not bought before
                          n2  not bought before
  changed              2  kept as they were bought; --redo changed buys them
                          cube\\x1b
                            resolution: 1K -> 2K
                          ball
                            prompt: … a red rubber ball with a white stripe on …
                                 -> … a blue one
  unchanged           90  nothing to do
  renamed              1  the same pictures under another id
                          box (was cube)  same request
  done again           3  because --redo says so
  left alone          20  not chosen now
  note         the batch summer beside this one holds pictures of it already; mv
               /abs/summer /abs/autumn
  note         the catalogue could not be read
  to buy       350,000 pictures for $49,930.00
               150,000 x nano-banana-pro 4K at $0.24 (budget.prices, was $0.20)
               199,000 x gpt-image-2 1K at $0.07 (the provider's list)
                 1,000 x seedream 1K: price unknown
               1,000 pictures of them at a price that is not known
  budget       EXCEEDED: $4,500.00 left, $45,430.00 short; the run stops there
  time         about 3 days, held back by the rate 15/10s; no picture was timed
               yet
  disk         about 3.3 TB, 80.0 MB free: NOT ENOUGH
  picture      00001/hero
               nano-banana-pro, 1:1, 4K, png
               00/00001-hero
               A boot in\\x1b the snow snow snow snow snow snow snow snow snow s…
  next         batchgen run autumn.yaml
"""


def test_text() -> None:
    """A plan says where, each kind with examples and what changed, the bill and its sources, time, room, pictures."""
    said = typed("plan", "autumn.yaml", doors=FakeDoors(planned=PLAN))
    assert said.exit_code == 0
    assert said.stdout == GOLDEN


def test_text_is_narrow() -> None:
    """No line of a plan is wider than 80 columns."""
    assert max(map(len, GOLDEN.splitlines())) <= 80


def test_nothing_to_buy() -> None:
    """A plan without anything to buy says so and offers no run."""
    said = typed("plan", doors=FakeDoors(planned=Plan(FOLDER, "a", 1, True, Comparison({"unchanged": 2}, 0, {}))))
    assert "new batch" in said.stdout
    assert "nothing to buy" in said.stdout
    assert "next" not in said.stdout


def test_json() -> None:
    """With --json the plan is one object on stdout, and people's text goes to stderr."""
    said = typed("plan", "--json", doors=FakeDoors(planned=PLAN))
    found = json.loads(said.stdout)
    assert (found["v"], found["folder"], found["run"], found["new_batch"]) == (1, FOLDER, 4, False)
    assert (found["to_buy"], found["unpriced"], found["cost_usd"]) == (350_000, 1_000, 49_930.0)
    assert (found["exceeds_budget"], found["budget_left_usd"]) == (True, 4500.0)
    assert found["held_back_by"] == "the rate 15/10s"
    assert found["costs"][0] == {
        "name": "nano-banana-pro 4K",
        "pictures": 150_000,
        "price_usd": 0.24,
        "source": "budget.prices",
        "before_usd": 0.2,
    }
    assert found["examples"]["changed"][0]["changes"] == [{"field": "resolution", "old": "1K", "new": "2K"}]
    assert found["pictures"][0]["id"] == "00001/hero"
    assert found["counts"] == {"new": 350_000, "changed": 2, "unchanged": 90, "renamed": 1, "gone": 0}
    assert found["examples"]["renamed"] == [{"id": "box", "reason": "same request", "was": "cube"}]
    assert "to buy" in said.stderr


def test_offline_reaches_the_plan() -> None:
    """--offline is handed on, and is off unless asked for."""
    doors = FakeDoors(planned=PLAN)
    typed("plan", "--offline", doors=doors)
    typed("plan", doors=doors)
    assert [each.offline for each in doors.options] == [True, False]


def test_quiet() -> None:
    """-q says nothing about a plan that could be made."""
    assert typed("plan", "-q", doors=FakeDoors(planned=PLAN)).output == ""


def test_wishes_reach_the_plan() -> None:
    """What is typed is handed on as it is, sums in micro-USD; and the next command says it again."""
    doors = FakeDoors(planned=PLAN)
    wishes = ["--redo", "changed", "--redo", "a*", "--only", "x == '1'", "--sample", "3", "--rows", "t.csv"]
    words = ["plan", "m.yaml", *wishes]
    said = typed(*words, "--root", "/r", "--max-usd", "4.50", "--max-pictures", "7", "--deadline", "4h", doors=doors)
    (found,) = doors.options
    assert (found.redo, found.only, found.sample, found.rows) == (("changed", "a*"), "x == '1'", 3, "t.csv")
    assert (found.root, found.max_micro_usd, found.max_pictures, found.deadline_seconds) == ("/r", 4_500_000, 7, 14_400)
    again = said.stdout.splitlines()[-1].partition("batchgen ")[2]
    assert shlex.split(again) == ["run", *words[2:], "--root", "/r", "m.yaml"]


@pytest.mark.parametrize("sum_of_money", ["x", "-1", "nan", "inf", "0.0000001", "1e99"])
def test_sums_that_are_none(sum_of_money: str) -> None:
    """A sum is dollars, not below zero, no finer than a micro-dollar."""
    assert typed("plan", "--max-usd", sum_of_money, doors=FakeDoors(planned=PLAN)).exit_code == 2


def test_a_plan_on_paper(tmp_path: Path) -> None:
    """-o writes the plan, and the next command is the run that holds to it."""
    paper = tmp_path / "plan.json"
    said = typed("plan", "-o", str(paper), doors=FakeDoors(planned=PLAN))
    assert json.loads(paper.read_text())["to_buy"] == 350_000
    assert f"run --plan {paper}" in said.stdout


def test_validate_is_a_plan_that_asks_nobody() -> None:
    """`validate` plans offline."""
    doors = FakeDoors(planned=PLAN)
    assert typed("validate", "autumn.yaml", doors=doors).stdout == GOLDEN
    assert doors.options[0].offline

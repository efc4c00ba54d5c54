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
    plan = typed("plan", "autumn.yaml", doors=doors).stdout
    assert typed("validate", "autumn.yaml", doors=doors).stdout == plan
    assert [each.offline for each in doors.options] == [False, True]

"""`batchgen plan`."""

import json

from batchgen.journal import Comparison, Difference
from batchgen.plan import Plan
from tests.cli.desk import FOLDER, FakeDoors, typed

EXAMPLES = {
    "new": tuple(Difference("new", f"n{each}", "never bought") for each in range(5)),
    "changed": (Difference("changed", "cube\x1b", "another prompt"),),
    "renamed": (Difference("renamed", "box", "same request", was="cube"),),
}
PLAN = Plan(
    FOLDER,
    "autumn",
    4,
    False,
    Comparison({"new": 5, "changed": 1, "unchanged": 90, "renamed": 1, "gone": 0}, 6, EXAMPLES),  # type: ignore[arg-type]
    ("the catalogue could not be read",),
)


def test_text() -> None:
    """A plan says where, which run, each kind with up to three examples and reasons, warnings, and what to buy."""
    said = typed("plan", "autumn.yaml", doors=FakeDoors(planned=PLAN))
    assert said.exit_code == 0
    assert said.stdout.splitlines() == [
        FOLDER,
        "run 4 of this batch",
        "  new               5  to be bought",
        "                       n0  never bought",
        "                       n1  never bought",
        "                       n2  never bought",
        "  changed           1  kept as they were bought",
        "                       cube\\x1b  another prompt",
        "  unchanged        90  nothing to do",
        "  renamed           1  the same pictures under another id",
        "                       box (was cube)  same request",
        "  the catalogue could not be read",
        "  to buy       6 pictures",
        "  next         batchgen run autumn.yaml",
    ]


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
    assert (found["v"], found["folder"], found["run"], found["new_batch"], found["to_buy"]) == (1, FOLDER, 4, False, 6)
    assert found["counts"] == {"new": 5, "changed": 1, "unchanged": 90, "renamed": 1, "gone": 0}
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

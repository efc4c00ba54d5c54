"""A batch as Prometheus's gauges; judged by Prometheus's own parser."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families as parse

from batchgen.journal import STATES
from batchgen.ledger import Money
from batchgen.report.exposition import HELP, exposition
from batchgen.report.plain import harmless
from batchgen.report.summary import FailureCount, Summary
from tests.report.made import run

BATCH = Summary(
    "autumn",
    "/abs/autumn",
    {"stored": 7, "failed": 2},
    kept=1,
    money=Money(spent=3_888_610_001, reserved=1, in_doubt=420_000, lost=2, unpriced=3),
    failures=(FailureCount("refused", "a", 1), FailureCount("refused", "b", 2), FailureCount("expired", "c", 4)),
    runs=(replace(run(9), verb="resolve"), run(8, ended=None, exit_code=None), run(7, exit_code=75)),
    models={"m": {"stored": 7}, "n": {"failed": 2}},
)


def told(found: Summary, free: int | None = 5) -> dict[tuple[str, str], float]:
    """Every sample by its name and what it speaks of."""
    text = "".join(f"{each}\n" for each in exposition(found, free))
    samples = [each for family in parse(text) for each in family.samples]
    assert all(each.labels["batch"] == harmless(found.name) for each in samples)
    return {
        (
            each.name.removeprefix("batchgen_"),
            "/".join(value for name, value in sorted(each.labels.items()) if name not in {"batch", "folder"}),
        ): each.value
        for each in samples
    }


def test_every_gauge() -> None:
    """Jobs by state and model, failures by class, money, runs and room; each described."""
    found = told(BATCH)
    assert {name for name, _ in found} == HELP.keys()
    assert {state: found["jobs", state] for state in STATES if found["jobs", state]} == {"stored": 7, "failed": 2}
    assert (found["model_jobs", "m/stored"], found["model_jobs", "n/failed"]) == (7, 2)
    assert (found["failed_jobs", "refused"], found["failed_jobs", "expired"]) == (3, 4)
    assert found["spent_usd", ""] == 3888.610001
    assert found["reserved_usd", ""] == 0.000001
    assert (found["kept_jobs", ""], found["unpriced_attempts", ""], found["disk_free_bytes", ""]) == (1, 3, 5)


def test_runs() -> None:
    """Only `batchgen run` counts as a run whose times and code are told; the code is that of one which ended."""
    found = told(BATCH)
    assert (found["runs", ""], found["killed", ""], found["live", ""]) == (9, 0, 0)
    assert (found["last_run_began_seconds", ""], found["last_run_ended_seconds", ""]) == (1.7e9, 1_700_025_080)
    assert found["last_run_exit_code", ""] == 75
    killed = replace(BATCH, runs=BATCH.runs[1:])
    assert told(killed)["killed", ""] == 1
    assert (told(replace(killed, live=True))["killed", ""], told(replace(killed, live=True))["live", ""]) == (0, 1)


def test_what_is_not_known_is_left_out() -> None:
    """A batch that was never run has its counts at 0 and no last run; a disk that does not say has no room."""
    found = told(Summary("a", "/a"), None)
    assert {found["jobs", state] for state in STATES} == {0}
    assert not any(name.startswith(("last_run", "disk", "model_", "failed_")) for name, _ in found)


@given(st.text(), st.text() | st.text(alphabet='\\"\n{},= \x1b'))
def test_any_name_is_one_label(name: str, model: str) -> None:
    """Whatever a batch or a model is called, each sample is one line and its labels come back as they are shown."""
    summary: Any = replace(BATCH, name=name, models={model: {"stored": 1}})
    assert told(summary)["model_jobs", f"{harmless(model)}/stored"] == 1

"""`batchgen status`."""

import json
from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families as parse

from batchgen.errors import Damaged
from batchgen.ledger import Money
from batchgen.report.plain import columns
from batchgen.report.summary import as_json, summary
from tests.cli.desk import FOLDER, FakeDoors, typed
from tests.report.made import FakeRecord, doubted, failed, run, stored, with_model

RECORD = FakeRecord(
    [
        stored("a"),
        replace(stored("b"), changed=True),
        *(failed(f"f{n}", reason=f"why {n}") for n in range(12)),
        doubted("d"),
    ],
    [run(2, ended=None, exit_code=None), run(1)],
    Money(spent=240_000, lost=120_000, in_doubt=70_000),
)


def test_text() -> None:
    """Status says where, which run, counts, money, the commonest causes and the last runs."""
    said = typed("status", "autumn.yaml", doors=FakeDoors(RECORD))
    lines = said.stdout.splitlines()
    assert said.exit_code == 0
    assert lines[6].startswith("  disk         ")
    assert lines[6].endswith("B free")
    assert [*lines[:6], *lines[7:9]] == [
        FOLDER,
        "run 2 of this batch",
        "  stored            2 of 15  1 kept as they were",
        "  failed           12 of 15",
        "  in doubt          1 of 15",
        "  money        spent $0.24, $0.12 of it without a picture, $0.07 in doubt",
        "",
        "  refused           1  why 0",
    ]
    assert "  2 more reasons: --json lists them" in lines
    assert lines[-2:] == [
        "  run 2        2023-11-14T22:13:20Z  run, killed, or its machine went down",
        "  run 1        2023-11-14T22:13:20Z  run, 6h 58m, exit 0, everything is there",
    ]
    assert max(map(len, lines)) <= 80


def test_several_models_have_a_table() -> None:
    """With more than one model their states stand in a table, ten of them, aligned whatever their names are."""
    jobs = [stored("a"), *(failed(f"f{n}") for n in range(3))]
    others = [with_model(stored(f"o{n}"), f"東京-model-{n:02}-{'long' * n}") for n in range(12)]
    lines = typed("status", doors=FakeDoors(FakeRecord([*jobs, *others]))).stdout.splitlines()
    head = lines.index("  model                           queued   running    stored    failed  in doubt")
    assert lines[head - 1] == ""
    assert lines[head + 1].split() == ["nano-banana-pro", "0", "0", "1", "3", "0"]
    assert [columns(each) for each in lines[head : head + 11]] == [80] * 11
    assert lines[head + 11] == "  3 more models: --json lists them"
    assert not any(each.startswith("  model ") for each in typed("status", doors=FakeDoors(RECORD)).stdout.splitlines())


def test_gauges() -> None:
    """`--format prometheus` prints gauges that a parser which is not ours understands, even with -q."""
    said = typed("status", "-q", "--format", "prometheus", doors=FakeDoors(RECORD))
    samples = [each for family in parse(said.stdout) for each in family.samples]
    told = {(each.name, each.labels.get("state") or each.labels.get("class")): each.value for each in samples}
    assert told[("batchgen_jobs", "failed")] == 12
    assert told[("batchgen_jobs", "in_doubt")] == 1
    assert told[("batchgen_failed_jobs", "refused")] == 12
    assert told[("batchgen_spent_usd", None)] == 0.24
    assert told[("batchgen_killed", None)] == 1
    assert {each.labels["folder"] for each in samples} == {FOLDER}
    assert said.stderr == ""


def test_two_formats_are_one_too_many() -> None:
    """`--json` and `--format prometheus` together are refused."""
    said = typed("status", "--json", "--format", "prometheus", doors=FakeDoors(RECORD))
    assert (said.exit_code, said.stdout) == (2, "")


def test_a_run_that_is_going_on() -> None:
    """A run without an end is running while somebody holds the batch, and was killed when nobody does."""
    going = replace(RECORD, live=True)
    newest = typed("status", "autumn.yaml", doors=FakeDoors(going)).stdout.splitlines()[-2]
    assert newest.endswith(f"run, running as process {RECORD.runs[0].pid}")


def test_json_is_the_summary() -> None:
    """`status --json` prints exactly the promised object, once."""
    said = typed("status", "--json", doors=FakeDoors(RECORD))
    assert json.loads(said.stdout) == as_json(summary(RECORD, FOLDER))


def test_a_batch_folder_will_do() -> None:
    """What is named is handed on as it was typed, with the options that say where."""
    doors = FakeDoors(RECORD)
    typed("status", "outputs/autumn", "--outputs", "o", "--provider", "local", "--journal", "j", doors=doors)
    assert doors.located == [("outputs/autumn", "o", "local", "j")]


def test_a_new_batch() -> None:
    """A batch that was never run is no error; its counts are all 0."""
    said = typed("status", doors=FakeDoors(exists=False))
    assert (said.exit_code, said.stdout.splitlines()) == (0, [FOLDER, "new batch"])
    counted = json.loads(typed("status", "--json", doors=FakeDoors(exists=False)).stdout)["counts"]
    assert set(counted.values()) == {0}


def test_an_unknown_price_is_not_nothing() -> None:
    """When no price is known no sum is told."""
    said = typed("status", doors=FakeDoors(FakeRecord([stored("a")], money=Money(unpriced=1))))
    assert "price unknown" in said.stdout
    assert "$" not in said.stdout


def test_a_damaged_journal() -> None:
    """A journal that cannot be read is exit 5 with last lines."""
    said = typed("status", doors=FakeDoors(broken=Damaged()))
    assert said.exit_code == 5
    assert "safe to run again: no" in said.stderr

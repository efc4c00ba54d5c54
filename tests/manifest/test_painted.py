"""Messages, word for word as a person sees them."""

from pathlib import Path

import pytest

from tests.manifest.painted import GOLDEN, files_of, painted, parts

CASES = sorted(GOLDEN.glob("*.txt"))


def test_the_cases_are_there() -> None:
    """Each kind of message has a case."""
    assert {case.stem for case in CASES} >= {
        "bad_rows", "clashes", "grouped", "keys", "missing_column", "models", "new_batch", "over_budget", "references",
        "tables", "templates", "yaml_colon", "yaml_braces", "yaml_tab", "yaml_twice",
    }  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.stem))
def test_messages_are_as_painted(case: Path, tmp_path: Path) -> None:
    """What is wrong stands at its place with line, caret and what to write; the bill is as it was read once."""
    text = case.read_text(encoding="utf-8")
    assert painted(files_of(text), tmp_path) == text


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.stem))
def test_messages_are_narrow(case: Path) -> None:
    """The lines with a source line, a caret or the bill fit into 80 columns."""
    said = next(body for name, body in parts(case.read_text(encoding="utf-8")).items() if name.startswith("said"))
    assert [line for line in said.splitlines() if len(line) > 80 and not line.startswith("m.yaml:")] == []

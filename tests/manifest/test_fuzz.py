"""Whatever a file holds, it is a manifest or its problems are told."""

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from batchgen.errors import ManifestError
from batchgen.manifest.load import load
from batchgen.manifest.problems import ManifestProblems
from batchgen.manifest.schema import (
    Defaults,
    ExpertTable,
    FailuresTable,
    JobEntry,
    LimitsTable,
    ManifestFile,
    OutputTable,
    ProfileTable,
    Server,
)
from tests.manifest.corpus import BODIES, FILES, YAML
from tests.manifest.writing import HEAD, expand, write

QUICK = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
TABLES = (ManifestFile, JobEntry, Defaults, Server, ProfileTable, OutputTable, LimitsTable, ExpertTable, FailuresTable)
KEYS = st.sampled_from(
    sorted({name for table in TABLES for name in table.model_fields} | {"file", "x-a", "<<", "nonsense"})
)
WORDS = [
    "a",
    "local",
    "none",
    "{{ id }}.{{ ext }}",
    "5m",
    "15/10s",
    "https://h/x",
    "env:K",
    "decode",
    "hold",
    "../x",
    "con",
    "\0",
]
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(WORDS)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=5),
    max_leaves=25,
)
GOOD = HEAD + (
    "jobs:\n- id: a\n  model: m\n  prompt: |\n    A cat\nprompts: {p: x, q: 'y'}\n"
    "models:\n  h: {model: &m m}\n  i: {model: *m}\n"
)


def outcome(path: Path) -> None:
    """Load and expand; problems must have places in the file, other errors of the manifest a sentence."""
    said: ManifestError | None = None
    try:
        assert expand(load(path)).drafts
    except ManifestError as error:
        said = error
    if isinstance(said, ManifestProblems):
        lines = path.read_bytes().count(b"\n") + path.read_bytes().count(b"\r") + 1
        assert said.problems
        assert all(1 <= problem.line <= lines and problem.column >= 1 for problem in said.problems)
        assert all(problem.message and str(problem) for problem in said.problems)
    elif said:
        assert str(path) in str(said)


@given(st.binary(max_size=200))
@example(b"\xff\xfe\x00")
@example(b"\xef\xbb\xbf\xef\xbb\xbfa: 1")
@QUICK
def test_any_bytes(tmp_path: Path, data: bytes) -> None:
    """Bytes of any kind end in problems, never in a traceback."""
    outcome(write(tmp_path, data))


@given(TREES)
@QUICK
def test_any_tree(tmp_path: Path, tree: object) -> None:
    """YAML of any shape, made of the language's own words, ends in jobs or problems."""
    data = {"batchgen": 1, "name": "x", **tree} if isinstance(tree, dict) else tree
    outcome(write(tmp_path, yaml.safe_dump(data, allow_unicode=True)))


@given(
    st.integers(0, len(GOOD)), st.integers(0, 6), st.text(alphabet="ab:{}[]\"'#&*!|>-%@` \n\t\\u\x00\u2028", max_size=6)
)
@QUICK
def test_any_slip_of_the_pen(tmp_path: Path, at: int, cut: int, put: str) -> None:
    """A good manifest with a few characters changed is still one, or its problems are told."""
    outcome(write(tmp_path, GOOD[:at] + put + GOOD[at + cut :]))


@pytest.mark.parametrize("text", [case[0].replace("§", "") for case in (*YAML, *BODIES, *FILES)])
def test_cut_off_files(tmp_path: Path, text: str) -> None:
    """A bad manifest that ends too early is told about as well."""
    for end in range(0, len(text), max(1, len(text) // 5)):
        outcome(write(tmp_path, HEAD + text[:end]))

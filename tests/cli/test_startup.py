"""What commands that only read do not load: the time to answer is mostly the time to import."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.report.batches import build, manifest
from tests.stories.world import HERE

pytestmark = pytest.mark.timeout(900)

LOADED = """
import sys
from batchgen.cli import main
try:
    main()
except SystemExit as end:
    print(end.code, *sys.modules, file=sys.stderr)
"""

PAINTING = {"PIL", "numpy", "batchgen.gateway.painter"}
SERVING = {"fastapi", "starlette", "uvicorn", "batchgen.gateway.app", "batchgen.view"}
BUYING = {"httpx", "httptools", "ssl", "tenacity", "asyncio", "anyio", "batchgen.worker", "batchgen.batch.running"}
READING = {"pydantic", "jinja2", "batchgen.manifest.load", "batchgen.manifest.schema", "batchgen.expansion"}
WRITING = {"batchgen.journal.sqlite", "batchgen.journal.migration", "batchgen.journal.owing", "batchgen.store.local"}


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest of a batch of four."""
    path = manifest(tmp_path_factory.mktemp("startup"), 2)
    build(path)
    return path


@pytest.mark.parametrize(
    ("words", "without"),
    [
        (("status",), PAINTING | SERVING | BUYING | READING | WRITING),
        (("export", "-o", "-"), PAINTING | SERVING | BUYING | READING | WRITING),
        (("explain", "00000/front/pro"), PAINTING | SERVING | BUYING - {"asyncio", "anyio"}),
        (("report",), PAINTING | SERVING | BUYING),
        (("plan",), PAINTING | SERVING),
    ],
    ids=lambda each: each[0] if isinstance(each, tuple) else "",
)
def test_what_is_not_wanted_is_not_loaded(batch: Path, words: tuple[str, ...], without: set[str]) -> None:
    """A command loads nothing of what only painting, serving, buying, or writing a journal needs."""
    verb, *more = words
    done = subprocess.run(
        [sys.executable, "-c", LOADED, verb, str(batch), *more],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "PYTHONPATH": str(HERE)},
    )
    code, *loaded = done.stderr.splitlines()[-1].split()
    assert code == "0", done.stderr
    assert without & set(loaded) == set()

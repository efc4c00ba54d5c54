"""Reference files are opened side by side, a bounded number at one time, and each of them once."""

import threading
from collections import Counter
from pathlib import Path

import pytest

from batchgen.job import FileReference
from batchgen.manifest.candidates import candidates
from batchgen.manifest.findings import Findings
from batchgen.manifest.load import load
from batchgen.manifest.provider import Remote
from batchgen.manifest.references import SIDE_BY_SIDE, References
from tests.manifest.writing import HEAD, problems_of, write

PATIENCE = 20


class Looker:
    """Looks at no file, but waits until as many as are expected are looked at at one time."""

    def __init__(self, together: int) -> None:
        self.seen: Counter[str] = Counter()
        self.most = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._barrier = threading.Barrier(together)

    def __call__(self, root: Path, text: str) -> FileReference:
        """A reference of that name; BrokenBarrierError when nobody else comes."""
        with self._lock:
            self.seen[text] += 1
            self._at_once += 1
            self.most = max(self.most, self._at_once)
        self._barrier.wait(PATIENCE)
        with self._lock:
            self._at_once -= 1
        return FileReference(text, "0" * 64, 1, "image/png")


ROWS = "rows: {from: t.csv, id: '{{ sku }}'}\nprompts: {p: x}\nmodels: {m: {model: m}, n: {model: n}}\n"


@pytest.mark.parametrize(
    "text",
    [
        ROWS + "references: ['{{ sku }}.png']\n",
        ROWS + "references: [{column: sku}]\n",
        ROWS + "references: ['{{ sku }}-{{ model }}.png']\n",
        "prompts: {p: x}\nmodels: {m: {model: m}}\nreferences: [a, b, c, d, e, f, g, h]\n",
        "jobs:\n"
        + "".join(f"- {{id: j{each}, model: m, prompt: p, references: [{each}.png]}}\n" for each in range(16)),
    ],
    ids=["template", "column", "axes", "top level", "written"],
)
def test_files_are_looked_at_side_by_side(text: str, tmp_path: Path) -> None:
    """Wherever references stand, as many as are allowed are looked at at one time, no more, and each file once."""
    write(tmp_path, "sku\n" + "".join(f"s{each}\n" for each in range(64)), "t.csv")
    look = Looker(SIDE_BY_SIDE)
    made = list(candidates(load(write(tmp_path, HEAD + text)), Findings(), look))
    used = {each.path for job in made for each in job.draft.request.references if isinstance(each, FileReference)}
    assert used
    assert look.seen == dict.fromkeys(used, 1)
    assert look.most == SIDE_BY_SIDE


def test_what_is_wrong_is_told_at_its_job(tmp_path: Path) -> None:
    """A file that was begun early and is missing is the problem of its own row, as if it had been looked at then."""
    write(tmp_path, "sku\n" + "".join(f"s{each}\n" for each in range(3)), "t.csv")
    messages = [each.message for each in problems_of(tmp_path, ROWS + "references: ['{{ sku }}.png']\n")]
    assert messages == [f"row {row + 2} (`s{row}`): `s{row}.png` does not exist" for row in range(3)]


def test_no_thread_outlives_an_expansion(tmp_path: Path) -> None:
    """However an expansion ends, given up halfway too, its threads end with it."""
    write(tmp_path, "sku\n" + "".join(f"s{each}\n" for each in range(64)), "t.csv")
    waiting = candidates(load(write(tmp_path, HEAD + ROWS + "references: ['{{ sku }}.png']\n")), Findings(), Looker(1))
    assert next(waiting).draft.id == "s0/p/m"
    assert any(each.name.startswith("reference") for each in threading.enumerate())
    waiting.close()  # type: ignore[attr-defined]
    assert not any(each.name.startswith("reference") for each in threading.enumerate())


def test_what_was_announced_is_looked_at_once() -> None:
    """Announced twice, asked for twice, or never asked for: one look; and URLs are nobody's to look at."""
    look = Looker(1)
    with References(Path("/nowhere"), Remote(), look) as references:
        references.begin(["a.png", "a.png", "https://example.com/a.png", "b.png"])
        assert references.reference("a.png") is references.reference("a.png")
        references.begin(["a.png"])
    assert look.seen["a.png"] == 1
    assert set(look.seen) <= {"a.png", "b.png"}

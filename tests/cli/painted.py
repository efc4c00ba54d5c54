"""What the program says, painted: one file of `golden/` for each scene, as a terminal of 80 by 24 shows it.

After a wanted change `python -m tests.cli.painted` paints them anew, and the examples of docs/terminal.md with them;
read what it changed before you keep it.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from batchgen.cli.panel import Panel
from batchgen.errors import Damaged, HeldElsewhere, ManifestError, Stop
from batchgen.journal import Comparison
from batchgen.ledger import Money
from batchgen.plan import Plan
from batchgen.report.closing import closing
from batchgen.report.figures import Figures, ModelFigures
from batchgen.report.summary import FailureCount
from tests.cli.desk import FOLDER, FakeDoors, typed
from tests.cli.test_plan import PLAN
from tests.cli.test_resolve import DOUBTS
from tests.report.made import FakeRecord, doubted, failed, run, stored, with_model
from tests.report.test_closing import ENDINGS
from tests.terminal import Terminal

GOLDEN: Final = Path(__file__).parent / "golden"
PAGE: Final = Path(__file__).parent.parent.parent / "docs/terminal.md"
_SHOWN: Final = re.compile(r"(<!-- (\S+) -->\n```text\n).*?(```\n)", re.DOTALL)

NIGHT = Figures(
    total=50_000,
    counts={"queued": 27_955, "running": 10_000, "stored": 12_034, "failed": 7, "in_doubt": 4, "dropped": 0},
    stored_at_start=900,
    elapsed_seconds=25_080,
    in_flight=10_000,
    submits=33_000,
    polls=410_000,
    downloads=11_200,
    money=Money(spent=1_612_556_000, reserved=1_340_000_000, in_doubt=536_000),
    models=(
        ModelFigures("gpt-image-2", 2_480, 3_101, 41.0, 2),
        ModelFigures("nano-banana-pro", 7_301, 8_877, 14.0, 4),
        ModelFigures("seedream-5", 219, 56, 9.0, 1),
    ),
    failures=(FailureCount("refused", "content policy", 5), FailureCount("bad_asset", "the picture is cut off", 2)),
    note="paused for 12 s: the server asks for it",
    budget_micro_usd=4_500_000_000,
    free_bytes=48_200_000_000,
)
BEGUN = Figures(
    8, {"queued": 8}, models=(ModelFigures("nano-banana-pro", 0, 0),), budget_micro_usd=20_000_000, free_bytes=10**11
)
MORNING = FakeRecord(
    [
        *(stored(f"a{n}") for n in range(31)),
        replace(stored("b"), changed=True),
        *(with_model(stored(f"c{n}"), "gpt-image-2") for n in range(12)),
        *(failed(f"f{n}") for n in range(3)),
        with_model(failed("g", "bad_asset", "the picture is cut off"), "gpt-image-2"),
        doubted("d"),
    ],
    [
        replace(run(2, exit_code=3), reason="1 payment is in doubt"),
        replace(run(1, exit_code=143), reason="told to end"),
    ],
    Money(spent=5_280_000, lost=120_000, in_doubt=70_000),
    name="autumn-catalogue",
)
HOSTILE = "</script>\x1b[2J\u202e東京\n\0"


def panel(figures: Figures, width: int, height: int) -> str:
    """What is seen of a running batch."""
    terminal = Terminal(width, height)
    shown = Panel(terminal.outlet, "autumn-catalogue", 15, terminal.size)
    earlier = replace(figures, submits=figures.submits - 21, polls=figures.polls - 290, downloads=figures.downloads - 9)
    shown.show(replace(earlier, elapsed_seconds=max(0.0, figures.elapsed_seconds - 10)))
    shown.show(figures)
    return "\n".join(terminal.seen)


def command(*words: str, doors: FakeDoors | None = None) -> str:
    """A command with all that it says."""
    said = typed(*words, doors=doors, COLUMNS="80")
    text = re.sub(r"(  disk +)[\d.]+ [kMGT]B free", r"\1… free", said.output)
    return re.sub(r" [\d,]+ days ago", " … days ago", f"$ batchgen {' '.join(words)}\n{text}").rstrip("\n")


def broken(error: BaseException) -> str:
    """A run that ends in an error."""
    return command("run", "autumn.yaml", doors=FakeDoors(broken=error))


def _hostile() -> dict[str, Callable[[], str]]:
    models = tuple(ModelFigures(f"{n}{HOSTILE}" * 5, 1, 2, 3.0, 4) for n in range(2))
    figures = replace(NIGHT, models=models, note=HOSTILE, failures=(FailureCount("refused", HOSTILE * 9, 1),))
    named = replace(MORNING, jobs=[with_model(each, f"m{HOSTILE}") for each in MORNING.jobs[:32]] + [
        with_model(failed(f"x{HOSTILE}", "refused", f"why {HOSTILE}"), f"n{HOSTILE}")
    ], name=f"autumn{HOSTILE}")  # fmt: skip
    return {
        "hostile-panel": partial(panel, figures, 80, 24),
        "hostile-status": partial(command, "status", "autumn.yaml", doors=FakeDoors(named)),
        "hostile-ending": partial(
            command, "run", "-q", "autumn.yaml", doors=FakeDoors(named, exit_code=4, reason=f"why {HOSTILE}")
        ),
    }


SCENES: Final[dict[str, Callable[[], str]]] = {
    "panel-80x24": partial(panel, NIGHT, 80, 24),
    "panel-40x10": partial(panel, NIGHT, 40, 10),
    "panel-200x60": partial(panel, NIGHT, 200, 60),
    "panel-20x8": partial(panel, NIGHT, 20, 8),
    "panel-begun": partial(panel, BEGUN, 80, 24),
    "plan": partial(command, "plan", "autumn.yaml", doors=FakeDoors(planned=PLAN)),
    "plan-nothing": partial(
        command,
        "plan",
        "autumn.yaml",
        doors=FakeDoors(planned=Plan(FOLDER, "autumn", 2, False, Comparison({"unchanged": 8}, 0, {}))),
    ),
    "status": partial(command, "status", "autumn.yaml", doors=FakeDoors(MORNING)),
    "status-live": partial(
        command,
        "status",
        "autumn.yaml",
        doors=FakeDoors(replace(MORNING, live=True, runs=[run(3, ended=None, exit_code=None), *MORNING.runs])),
    ),
    "status-new": partial(command, "status", "autumn.yaml", doors=FakeDoors(exists=False)),
    "resolve": partial(command, "resolve", doors=FakeDoors(DOUBTS)),
    "message-manifest": partial(broken, ManifestError("autumn.yaml:14:8: unknown key `promt`; did you mean `prompt`?")),
    "message-held": partial(broken, HeldElsewhere()),
    "message-damaged": partial(broken, Damaged()),
    "message-stop": partial(broken, Stop("the provider answered 401: the key is not known; mend it")),
    "message-interrupted": partial(broken, KeyboardInterrupt()),
    "message-option": partial(command, "run", "--max-dollars", "5"),
    "message-verb": partial(command, "rum"),
    "message-nothing": partial(command),
    **{f"ending-{name.replace(' ', '-')}": partial("\n".join, closing(each)) for name, each in ENDINGS.items()},
    **_hostile(),
}
"""Every scene by the name of its file."""


def documented(page: str) -> str:
    """A page with its examples as the golden files have them."""
    return _SHOWN.sub(lambda found: f"{found[1]}{(GOLDEN / f'{found[2]}.txt').read_text('utf-8')}{found[3]}", page)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for kept in GOLDEN.glob("*.txt"):
        if kept.stem not in SCENES:
            kept.unlink()
    for name, scene in SCENES.items():
        (GOLDEN / f"{name}.txt").write_text(f"{scene()}\n", encoding="utf-8")
    if PAGE.exists():
        PAGE.write_text(documented(PAGE.read_text("utf-8")), encoding="utf-8")

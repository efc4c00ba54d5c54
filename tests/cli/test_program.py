"""The program as a whole: its verbs, its start, its endings."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from batchgen.cli import program
from batchgen.cli.verbs import SECTIONS, VERBS
from batchgen.errors import Damaged, HeldElsewhere, ManifestError, NoHeadroom, SettingsError, Stop
from tests.cli.desk import FakeDoors, typed

HEAVY = (
    "httpx",
    "numpy",
    "PIL",
    "pydantic",
    "fastapi",
    "rich",
    "yaml",
    "anyio",
    "apsw",
    "tenacity",
    "asyncio",
    "logging",
)


def python(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a fresh interpreter."""
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=30, check=False, env={**os.environ, **environ}
    )


def test_help_imports_nothing_heavy() -> None:
    """`batchgen --help` imports no library but click, and nothing of ours below the table of verbs."""
    code = (
        "import sys\nfrom batchgen.cli import program\n"
        "try: program.main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted(m for m in sys.modules if m.startswith('batchgen.') or '.' not in m))"
    )
    done = python("-c", code)
    loaded = set(re.findall(r"'([^']+)'", done.stdout.splitlines()[-1]))
    assert not loaded & set(HEAVY)
    assert {each for each in loaded if each.startswith("batchgen.")} == {
        *("batchgen.cli", "batchgen.cli.doors", "batchgen.cli.verbs", "batchgen.lazy"),
    }


def test_python_dash_m() -> None:
    """`python -m batchgen --version` is the program."""
    done = python("-m", "batchgen", "--version")
    assert done.returncode == 0
    assert done.stdout.startswith("batchgen, version ")


def test_group_help_lists_every_verb() -> None:
    """Help names each verb that is there with its summary, and none that is not."""
    shown = typed("--help")
    assert shown.exit_code == 0
    assert {name for names in SECTIONS.values() for name in names} == VERBS.keys()
    for name, summary in VERBS.items():
        assert re.search(rf"^  {name} +{re.escape(summary)}$", shown.stdout, re.MULTILINE)


@pytest.mark.parametrize("verb", VERBS)
def test_every_help_has_an_example(verb: str) -> None:
    """Each verb's help ends with a command to try and fits 80 columns."""
    shown = typed(verb, "--help")
    assert shown.exit_code == 0
    assert re.search(rf"Examples?:\n +batchgen {verb}", shown.stdout)
    assert max(map(len, shown.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    ("words", "reason", "following"),
    [
        ((), "name what to do", "batchgen --help"),
        (("rnu",), "No such command 'rnu'", "batchgen --help"),
        (("--nope",), "No such option", "batchgen --help"),
        (("run", "--nope"), "No such option", "batchgen run --help"),
        (("run", "--grace", "soon"), "'soon' is no length of time", "batchgen run --help"),
        (("run", "--max-pictures", "-1"), "-1 is not in the range", "batchgen run --help"),
        (("run", "a.yaml", "b.yaml"), "unexpected extra argument", "batchgen run --help"),
        (("export",), "Missing option", "batchgen export --help"),
    ],
)
def test_usage_errors(words: tuple[str, ...], reason: str, following: str) -> None:
    """A wrong command ends like every ending: exit 2, why, safe to run again, and the help to read."""
    said = typed(*words)
    assert said.exit_code == 2
    assert said.stdout == ""
    lines = said.stderr.splitlines()
    assert lines[0].endswith("exit 2")
    assert reason in said.stderr
    assert lines[-2:] == ["  safe to run again: yes, nothing was sent", f"  next         {following}"]


class Elsewhere(Exception):
    """An error that nobody foresaw."""


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (ManifestError("a.yaml:1:1: no"), 2),
        (SettingsError("no key"), 2),
        (Stop("402"), 4),
        (NoHeadroom("enough", cap="batch"), 4),
        (NoHeadroom("enough today", cap="day"), 75),
        (Damaged(), 5),
        (HeldElsewhere(), 75),
        (Elsewhere("x"), 70),
        (KeyboardInterrupt(), 130),
        (SystemExit(143), 143),
        (ExceptionGroup("g", [HeldElsewhere(), Stop("402"), Damaged()]), 5),
        (ExceptionGroup("g", [Damaged(), ExceptionGroup("h", [Elsewhere("x")])]), 70),
        (BaseExceptionGroup("g", [Damaged(), KeyboardInterrupt()]), 130),
    ],
)
def test_every_error_has_its_code_and_last_lines(broken: BaseException, code: int) -> None:
    """What goes wrong below ends in its documented code; of several the one that matters most."""
    said = typed("run", "autumn.yaml", doors=FakeDoors(broken=broken))
    assert said.exit_code == code
    assert said.stdout == ""
    closing = said.stderr.splitlines()[-4:]
    assert any(each.startswith("  safe to run again:") for each in closing)
    assert said.stderr.splitlines()[-1].startswith("  next  ")


def test_a_mistake_of_ours_shows_where_and_no_values() -> None:
    """An unforeseen error shows frames and its kind, but never its message, which may hold a prompt or a key."""
    said = typed("run", "autumn.yaml", doors=FakeDoors(broken=Elsewhere("the prompt, the key")))
    assert "desk.py:" in said.stderr
    assert "  Elsewhere\n" in said.stderr
    assert "the prompt" not in said.stderr
    assert said.stderr.splitlines()[-1].split() == [
        "next",
        "batchgen",
        "run",
        "autumn.yaml",
        "and",
        "please",
        "report",
        "this",
    ]


def test_long_reasons_are_told_whole_above() -> None:
    """A message of many lines is told whole above the last lines, and its first line in them."""
    problems = "\n".join(f"a.yaml:{n}:1: wrong \x1b[2J at https://x.example/a?key={n}" for n in range(30))
    said = typed("run", "a.yaml", doors=FakeDoors(broken=ManifestError(problems)))
    assert said.stderr.count("wrong \\x1b[2J") == 31
    assert "key=" not in said.stderr
    assert "\x1b" not in said.stderr


def test_the_entry_point_is_the_program() -> None:
    """The console script names a function that runs the program."""
    done = python("-c", "import sys; sys.argv[1:] = ['nonsense']; from batchgen.cli import main; main()")
    assert done.returncode == 2
    assert "nonsense" in done.stderr
    assert program.name == "program"


def test_help_is_there_at_once() -> None:
    """`--help` takes at most five times as long as Python itself; on a busy machine the best of each is taken."""
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent)}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    best = dict.fromkeys(("bare", "help"), float("inf"))
    words = {"bare": ["-c", "pass"], "help": ["-c", "from batchgen.cli import main; main()", "--help"]}
    for _ in range(40):
        for name, arguments in words.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, *arguments], env=environ, stdout=subprocess.DEVNULL, check=True)
            best[name] = min(best[name], time.perf_counter() - began)
        if best["help"] <= 5 * best["bare"]:
            return
    raise AssertionError(best)


@pytest.mark.parametrize("closed", ["0<&-", ">&-", "<&- >&-"])
def test_nothing_of_ours_gets_the_number_of_a_closed_stream(closed: str) -> None:
    """A socket or a journal under the number of stdout would take what somebody prints; uvloop would end for it."""
    look = "import os, sys, batchgen.cli as c; c._take_standard_places(); sys.stderr.write(str(os.dup(2)))"
    done = subprocess.run(
        ["bash", "-c", f'{sys.executable} -c "{look}" {closed}'], stderr=subprocess.PIPE, text=True, check=True
    )
    assert int(done.stderr) > 2

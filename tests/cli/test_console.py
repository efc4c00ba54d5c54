"""The door to the terminal."""

import io
import logging
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.cli.console import Console, Voice
from batchgen.cli.log import turn_off, turn_on
from batchgen.cli.outlet import Outlet
from batchgen.cli.teller import PATIENCE_SECONDS, Teller, paneled
from batchgen.report.figures import Figures
from tests.report.made import stored


class Terminal(io.StringIO):
    """A stream that people look at."""

    def isatty(self) -> bool:
        """They do."""
        return True


class Bad(io.StringIO):
    """A stream that fails as it is told."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error, self.tries = error, 0

    def write(self, text: str) -> int:
        """Fail."""
        self.tries += 1
        raise self.error


def console(voice: Voice | None = None, out: io.StringIO | None = None, err: io.StringIO | None = None) -> Console:
    """A console over these streams."""
    return Console(voice or Voice(), Outlet(out or io.StringIO()), Outlet(err or io.StringIO()))


@given(st.text())
def test_all_text_passes_it_harmless(text: str) -> None:
    """Whatever is said, complained of or closed with, no control character but our line ends gets through."""
    out, err = io.StringIO(), io.StringIO()
    speaker = console(out=out, err=err)
    speaker.say(text)
    speaker.complain(text)
    speaker.close([text], 1)
    assert all(each.isprintable() or each.isspace() or ord(each) > 255 for each in out.getvalue() + err.getvalue())
    assert not {"\x1b", "\r", "\x9b", "\u2028", "\u202e"} & set(out.getvalue() + err.getvalue())


def test_people_read_stderr_while_a_program_reads_stdout() -> None:
    """With --json only JSON is on stdout."""
    out, err = io.StringIO(), io.StringIO()
    speaker = console(Voice(json=True), out, err)
    speaker.say("hello")
    speaker.data({"v": 1})
    assert (out.getvalue(), err.getvalue()) == ('{"v":1}\n', "hello\n")


@pytest.mark.parametrize("error", [BrokenPipeError(32, "broken"), OSError(28, "full"), ValueError("closed")])
def test_a_broken_stream_stops_nothing(error: Exception) -> None:
    """A stream that cannot be written to is given up after one try, and nothing is raised."""
    bad = Bad(error)
    speaker = console(out=bad, err=bad)
    for _ in range(3):
        speaker.say("hello")
        speaker.data({})
        speaker.close(["a", "b"], 4)
    assert bad.tries == 2
    assert (speaker.out.broken is error) == isinstance(error, OSError)


def test_streams_that_were_never_open() -> None:
    """A program started without stdout and stderr runs all the same."""
    speaker = Console(Voice(), Outlet(None), Outlet(None))
    speaker.say("hello")
    assert speaker.close(["a"], 3) == 3
    assert not speaker.attended
    with pytest.raises(OSError, match="no stream"):
        speaker.out.fileno()
    assert speaker.out.encoding == "utf-8"


def test_a_narrow_encoding() -> None:
    """Letters that a stream's encoding lacks are spelled out."""
    raw = io.BytesIO()
    outlet = Outlet(io.TextIOWrapper(raw, encoding="ascii", write_through=True))
    outlet.write("東京\n")
    assert raw.getvalue() == b"\\u6771\\u4eac\n"


def test_a_stream_made_non_blocking() -> None:
    """A pipe that takes only part at a time gets all of it in the end."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    got: list[bytes] = []

    def read() -> None:
        with os.fdopen(reader, "rb") as source:
            got.append(source.read())

    thread = threading.Thread(target=read)
    with os.fdopen(writer, "w") as stream:
        thread.start()
        Outlet(stream).write("x" * 300_000)
    thread.join(5)
    assert len(got[0]) == 300_000


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-", "| true", "2>/dev/full", ">/dev/full"])
def test_odd_shells(closed: str) -> None:
    """However the standard streams are closed or broken, the exit code is the same."""
    command = f"'{sys.executable}' -m batchgen validate {closed}"
    shell = f"set -o pipefail; {command}"
    assert subprocess.run(["bash", "-c", shell], capture_output=True, timeout=30, check=False).returncode == 2


def test_colour_only_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The head of the last lines is coloured on a terminal, unless NO_COLOR says no; the words are the same."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")

    def closed(err: io.StringIO) -> str:
        console(err=err).close(["head", "  next"], 4)
        return err.getvalue()

    assert closed(Terminal()) == "\x1b[31mhead\x1b[0m\n  next\n"
    assert closed(io.StringIO()) == "head\n  next\n"
    monkeypatch.setenv("NO_COLOR", "1")
    assert closed(Terminal()) == "head\n  next\n"


def test_asking_needs_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a yes typed at a terminal is a yes."""
    err = Terminal()
    for answer, agreed in (("yes\n", True), ("Y\n", True), ("\n", False), ("no\n", False), ("", False)):
        typing = Terminal(answer)
        monkeypatch.setattr(sys, "stdin", typing)
        assert console(err=err).ask("buy \x1b8 pictures?") is agreed
    assert "buy \\x1b8 pictures? [y/N] " in err.getvalue()
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))
    assert console(err=err).ask("buy?") is False
    monkeypatch.setattr(sys, "stdin", None)
    assert console(err=err).ask("buy?") is False


@pytest.fixture
def _log_restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    for name in ("batchgen", "httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.mark.usefixtures("_log_restored")
def test_the_log_holds_no_secret_and_cannot_be_forged() -> None:
    """A log line has no credential and no URL query, and a line end in a message makes no second line."""
    err = io.StringIO()
    turn_on(Outlet(err))
    log = logging.getLogger("batchgen.api")
    log.debug("POST %s as %s", "https://x.example/v1?sig=feed", "Bearer abcdefgh")
    log.info("got it\n12:00:00 error forged\x1b[2J")
    logging.getLogger("httpx").info("HTTP Request: GET https://cdn.example/a?sig=feed")
    logging.getLogger("httpcore.connection").debug("connect")
    logging.getLogger("httpx").warning("odd")
    text = err.getvalue()
    assert len(text.splitlines()) == 3
    assert "https://x.example/v1?***" in text
    assert "feed" not in text
    assert "abcdefgh" not in text
    assert "\x1b" not in text
    assert text.splitlines()[2].endswith("warning odd")


@pytest.mark.usefixtures("_log_restored")
def test_tracebacks_show_no_values() -> None:
    """A logged error shows where and what kind, but not its message and no variables."""
    err = io.StringIO()
    turn_on(Outlet(err))
    secret = "the-prompt"
    try:
        int(secret)
    except ValueError:
        logging.getLogger("batchgen").warning("could not", exc_info=True)
    logging.getLogger("batchgen").warning("nothing", exc_info=(None, None, None))
    assert "test_console.py:" in err.getvalue()
    assert "ValueError" in err.getvalue()
    assert secret not in err.getvalue()


@pytest.mark.usefixtures("_log_restored")
@pytest.mark.parametrize("turn", [lambda: turn_on(Outlet(None)), lambda: turn_off(Outlet(None))])
def test_loud_libraries_are_hushed(turn: Callable[[], None]) -> None:
    """Libraries that log whole URLs never log below a warning, whoever turned them up."""
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    turn()
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)
    assert not logging.getLogger("httpcore.http11").isEnabledFor(logging.DEBUG)


@pytest.mark.usefixtures("_log_restored")
def test_without_v_nothing_is_logged(capfd: pytest.CaptureFixture[str]) -> None:
    """Without -v even a warning goes nowhere: it would tear the panel. Only what would be lost otherwise is said."""
    err = io.StringIO()
    turn_off(Outlet(err))
    logging.getLogger("batchgen").warning("hello https://x.example/?sig=feed")
    assert (err.getvalue(), capfd.readouterr()) == ("", ("", ""))
    logging.getLogger("batchgen").critical("paid, and not recorded: job 1 is task t")
    assert err.getvalue().endswith("critical paid, and not recorded: job 1 is task t\n")


def test_a_panel_needs_a_terminal_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A panel is drawn where people look and nothing else writes."""
    monkeypatch.setenv("TERM", "xterm")
    assert paneled(console(out=Terminal()))
    assert not paneled(console(out=io.StringIO()))
    assert not paneled(console(Voice(verbose=True), Terminal()))
    assert not paneled(console(Voice(quiet=True), Terminal()))
    assert not paneled(console(Voice(json=True), Terminal(), Terminal()))
    assert paneled(console(Voice(json=True), io.StringIO(), Terminal()))
    monkeypatch.setenv("TERM", "dumb")
    assert not paneled(console(out=Terminal()))


def _read(screen: BinaryIO) -> str:
    """What a terminal shows next; nothing when its other end is closed."""
    try:
        return screen.read(65_536).decode("utf-8", "replace")
    except OSError:
        return ""


def test_a_terminal_gets_a_panel(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the first lines are printed and snapshots are drawn below them."""
    monkeypatch.setenv("TERM", "xterm-256color")
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal, os.fdopen(ours, "rb", buffering=0) as screen:
        teller = Teller(Console(Voice(), Outlet(terminal), Outlet(terminal)))
        teller.opened("/abs/outputs/autumn", 15, False)
        teller.figures(Figures(8, {"stored": 3}))
        teller.close()
        terminal.close()
        shown = "".join(iter(lambda: _read(screen), ""))
    assert "/abs/outputs/autumn" in shown
    assert "run 15 of this batch" in shown
    assert "3 of 8" in shown


def test_a_stalled_reader_holds_up_no_run() -> None:
    """While nobody reads stdout the run's calls return at once; when somebody does, every picture's line is there."""
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream:
        teller = Teller(console(Voice(json=True)))
        teller._console.out = Outlet(stream)
        for _ in range(2000):  # far more than a pipe holds
            teller.finished(stored("p"))
        got: list[bytes] = []

        def read() -> None:
            with os.fdopen(reader, "rb") as source:
                got.extend(source)

        thread = threading.Thread(target=read)
        thread.start()
        teller.close()
    thread.join(5)
    assert len(got) == 2000
    assert PATIENCE_SECONDS <= 2


def test_a_mistake_in_telling_stops_nothing() -> None:
    """What cannot be told is passed over; the next thing is told again."""
    out = io.StringIO()
    teller = Teller(console(Voice(json=True), out=out))
    teller.finished(None)  # type: ignore[arg-type]  # a mistake
    teller.finished(stored("p"))
    teller.close()
    assert out.getvalue().startswith('{"event":"picture","id":"p"')


def _caught_up(teller: Teller) -> None:
    """Wait until all has been told that was to be told."""
    last = threading.Event()
    teller._todo.put(last.set)
    assert last.wait(60)


def test_a_suspended_run_draws_below_what_the_shell_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    """After Ctrl-Z and `fg` nothing that stands on the terminal is painted over; the handler of before is put back."""
    monkeypatch.setenv("TERM", "xterm")
    before, terminal = signal.getsignal(signal.SIGCONT), Terminal()
    speaker = Console(Voice(), Outlet(terminal), Outlet(terminal))
    teller = Teller(speaker)
    with teller.telling():
        teller.opened("/abs/outputs/autumn", 15, False)
        teller.figures(Figures(8, {"stored": 3}))
        _caught_up(teller)
        signal.raise_signal(signal.SIGCONT)
        speaker.say("$ fg")
        teller.figures(Figures(8, {"stored": 4}))
        _caught_up(teller)
        shown = terminal.getvalue().partition("$ fg")[2]
    assert "\x1b[" in shown
    assert "A" not in shown.partition("autumn")[0]  # the cursor did not go up
    assert signal.getsignal(signal.SIGCONT) is before

"""Commands without their start-up: a process that has loaded the program forks for each, and each is killed for real.

`python -m tests.stories.warm` obeys one JSON line after another; `python -m tests.stories.warm STATE IDEMPOTENCY` is a
gateway with a quick brush.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO, Any

import certifi

from tests.stories.world import HERE, PATIENCE, Done, Gateway, World

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
"""Those that a program of its own finds at their default; a broken pipe is nothing that kills Python."""


@dataclass
class Command:
    """A command in a process of its own."""

    starter: "Starter"
    pid: int
    words: Path

    def send(self, number: signal.Signals) -> None:
        """Send a signal; one that comes too late is lost."""
        os.kill(self.pid, number)  # a process that has ended keeps its number until it is waited for

    def running(self) -> bool:
        """Whether it has not ended."""
        return bool(self.starter.ask(running=self.pid)["running"])

    def ended(self) -> Done:
        """Wait for the end; the code is minus the signal that killed it."""
        code = self.starter.ask(ended=self.pid)["code"]
        return Done(code, *(Path(f"{self.words}.{name}").read_text() for name in ("out", "err")))


@dataclass
class Starter:
    """Types commands."""

    process: "subprocess.Popen[str]"
    home: Path
    numbers: "count[int]"

    def ask(self, **what: Any) -> Any:
        """One question and its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def start(self, world: World, *words: str, **environ: str) -> Command:
        """Type a command in a world and do not wait."""
        said = self.home / str(next(self.numbers))
        environ = {"SSL_CERT_FILE": str(self.home / "one.pem"), **environ}
        return Command(self, self.ask(words=words, cwd=str(world.root), environ=environ, said=str(said))["pid"], said)

    def type(self, world: World, *words: str, **environ: str) -> Done:
        """Type a command and wait for its end."""
        return self.start(world, *words, **environ).ended()


@contextmanager
def warm(home: Path) -> Iterator[Starter]:
    """A starter until the end of the block."""
    home.mkdir()
    first, end, _ = Path(certifi.where()).read_text().partition("-----END CERTIFICATE-----\n")
    (home / "one.pem").write_text(first + end)
    with _process("tests.stories.warm", stdin=subprocess.PIPE) as process:
        yield Starter(process, home, count())


@contextmanager
def quick_gateway(state: Path, idempotency: str) -> Iterator[Gateway]:
    """A gateway whose pictures are small and quick."""
    with _process("tests.stories.warm", str(state), idempotency, stdin=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield Gateway(process.stdout.readline().strip(), "canary-5a1f", state, process)


@contextmanager
def _process(*words: str, **options: Any) -> Iterator["subprocess.Popen[str]"]:
    environ = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    process = subprocess.Popen(
        [sys.executable, "-m", *words],
        env={**environ, "PYTHONPATH": str(HERE)},
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )
    try:
        yield process
    finally:
        process.communicate(timeout=PATIENCE)


def _serve(orders: IO[str]) -> None:
    import batchgen.batch  # loaded once, for all
    import batchgen.cli.run  # noqa: F401

    for line in orders:
        order = json.loads(line)
        match order:
            case {"words": [*words]}:
                answer: dict[str, Any] = {"pid": _fork(order, words)}
            case {"running": pid}:
                answer = {"running": os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None}
            case {"ended": pid}:
                answer = {"code": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _fork(order: dict[str, Any], words: list[str]) -> int:
    for name in ("out", "err"):  # here, as a child may be killed before its first line
        Path(f"{order['said']}.{name}").touch()
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        for number in SIGNALS:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        for descriptor, name in ((1, "out"), (2, "err")):
            file = os.open(f"{order['said']}.{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(file, descriptor)
            os.close(file)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(order["cwd"])
        os.environ |= order["environ"]
        sys.argv = ["batchgen", *words]
        code = _main()
    except KeyboardInterrupt:  # before the program was there, or while it said its last words: Python ends with 130
        code = 130
    finally:
        os._exit(code)


def _main() -> int:
    from batchgen.cli import main

    try:
        main()
    except SystemExit as end:
        sys.stdout.flush()
        sys.stderr.flush()
        return int(end.code or 0)


def _shop(state: str, idempotency: Any) -> None:
    import anyio

    from batchgen.selftest.shop import shop

    async def until_closed() -> None:
        quick = shop(Path(state), idempotency, "canary-5a1f")
        async with quick.open():
            sys.stdout.write(f"{quick.url}\n")
            sys.stdout.flush()
            await anyio.wait_readable(sys.stdin.fileno())
        quick.listener.close()

    anyio.run(until_closed)


def wait_for(what: Any, seconds: float = 20) -> None:
    """Wait until something is true, or so long."""
    deadline = time.monotonic() + seconds
    while not what() and time.monotonic() < deadline:
        time.sleep(0.002)


if __name__ == "__main__":
    _shop(sys.argv[1], sys.argv[2]) if len(sys.argv) > 1 else _serve(sys.stdin)

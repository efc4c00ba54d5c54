"""Batches from Python: plan, run, read, in a loop, in a thread, silently."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Unpack

import anyio
import anyio.to_thread
import click
import pytest

import batchgen
from batchgen import BatchgenError, Manifest, Observer, Options, Report, plan_batch, run_batch
from batchgen.cli.plan import command as plan_command
from batchgen.cli.run import command as run_command
from batchgen.errors import HeldElsewhere, ManifestError, SettingsError
from batchgen.journal import Progress
from batchgen.report.figures import Figures
from tests.stories.world import HERE, Gateway, World, at, gateway, jobs
from tests.wire_server import Read, Stall, WireServer, json_reply

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(400)]  # whole runs, on a machine that may be busy


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway for all of them."""
    with gateway(tmp_path_factory.mktemp("gateway")) as one:
        yield one


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world of its own."""
    return World(tmp_path)


@pytest.fixture
def nothing_blocks() -> None:
    """Whole runs are real here: what they write into a file's cache on the loop is judged in the tests of the store."""


def told(server: Gateway, **options: Unpack[Options]) -> Options:
    """Options with an environment that holds nothing but the key."""
    return Options(**{"environ": {"XENODIA_API_KEY": server.key}, **options})


async def test_plan_then_run_then_nothing(world: World, server: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan costs nothing, a run of it makes its pictures, the same call again has nothing to do; none of the three
    looks at the environment of the process when it is handed another.
    """
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/authorities.pem")
    path = world.write(jobs=jobs(3), budget={"prices": {"nano-banana-pro": 9}}, **at(server))
    before = len(server.paid())
    plan = await plan_batch(path, **told(server))
    assert (plan.to_buy, str(plan.cost_usd)) == (3, "27")
    assert not await anyio.Path(plan.folder).exists()
    report = await run_batch(path, **told(server, plan=plan))
    assert (report.exit_code, report.complete, report.again) == (0, True, False)
    assert report.counts == {"queued": 0, "running": 0, "stored": 3, "failed": 0, "in_doubt": 0, "dropped": 0}
    assert report.run_spent_usd == report.spent_usd > 0
    rows = list(report.rows())
    assert [each["id"] for each in rows] == ["job000", "job001", "job002"]
    assert all((report.folder / each["path"]).is_file() for each in rows)
    again = await run_batch(path, **told(server))
    assert (again.exit_code, again.ending.run) == (0, 0)
    assert len(server.paid()) == before + 3
    assert "complete, all 3 pictures are there" in report.lines()[0]


async def test_a_plan_that_moved_is_refused(world: World, server: Gateway) -> None:
    """A run that is handed a plan buys what the plan says or, if a job was edited since, nothing."""
    path = world.write(jobs=jobs(2), **at(server))
    plan = await plan_batch(path, **told(server))
    world.write(jobs=jobs(2, resolution="2K"), **at(server))
    before = len(server.paid())
    with pytest.raises(SettingsError, match="no longer holds"):
        await run_batch(path, **told(server, plan=plan))
    assert len(server.paid()) == before


async def test_a_loaded_manifest_is_what_runs(world: World, server: Gateway) -> None:
    """A Manifest stays as it was loaded, whatever becomes of its file."""
    path = world.write(jobs=jobs(2), **at(server))
    manifest = Manifest.load(path)
    world.write(jobs=jobs(9), **at(server))
    report = await run_batch(manifest, **told(server))
    assert report.counts["stored"] == 2


async def test_a_report_is_read_later(world: World, server: Gateway) -> None:
    """What became of a batch is read from its folder or its manifest, with no key and no server, as it was told."""
    path = world.write(jobs=jobs(2), **at(server))
    with pytest.raises(SettingsError, match="holds no batch yet"):
        await anyio.to_thread.run_sync(Report.read, path)
    report = await run_batch(path, **told(server))
    for source in (path, report.folder):
        found = await anyio.to_thread.run_sync(Report.read, source)
        assert (found.exit_code, found.counts, found.spent_usd) == (0, report.counts, report.spent_usd)
        assert [*found.rows()] == [*report.rows()]


class Half(Observer):
    """Overrides one of the three; the others are there."""

    def finished(self, progress: Progress) -> None:
        """Nothing."""


class Watcher(Observer):
    """Remembers what it is told, and looks at no figures."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def opened(self, folder: str, run: int, new: bool) -> None:
        self.seen.append(f"run {run}")

    def finished(self, progress: Progress) -> None:
        self.seen.append(progress.job.id)

    def figures(self, figures: Figures) -> None:
        assert figures.total


async def test_a_run_is_watched(world: World, server: Gateway) -> None:
    """An observer hears that the batch is open, and of every picture."""
    assert Half().opened("", 1, new=True) is None  # type: ignore[func-returns-value]
    watcher = Watcher()
    await run_batch(world.write(jobs=jobs(2), **at(server)), watcher, **told(server))
    assert watcher.seen[0] == "run 1"
    assert sorted(watcher.seen[1:]) == ["job000", "job001"]


async def test_what_cannot_begin_raises(world: World, server: Gateway) -> None:
    """Mistakes raise, each with the exit code it has on the command line, before anything is bought."""
    path = world.write(jobs=jobs(2), **at(server))
    before = len(server.paid())
    for error, source, options in (
        (ManifestError, world.write("wrong.yaml", colour="red"), told(server)),
        (SettingsError, world.root / "none.yaml", told(server)),
        (SettingsError, path, Options(environ={})),
        (SettingsError, path, told(server, max_usd=-1)),
        (SettingsError, path, told(server, dask="tcp://192.0.2.1:8786")),
        (SettingsError, Manifest.load(path), told(server, provider="local")),
    ):
        with pytest.raises(BatchgenError) as raised:
            await run_batch(source, **options)
        assert isinstance(raised.value, error)
        assert raised.value.exit_code == 2
    with pytest.raises(TypeError, match="max_dollars"):
        await run_batch(path, max_dollars=3)  # type: ignore[call-arg]
    assert len(server.paid()) == before
    assert not any((world.root / "outputs").iterdir())


async def test_nobody_is_asked(world: World, server: Gateway) -> None:
    """What a run may cost is said beforehand: without a number a dear batch at a real address is refused."""
    elsewhere = {"base_url": "https://images.example.com", "profile": {"idempotency": "none"}}
    path = world.write(jobs=jobs(2), provider=elsewhere, budget={"prices": {"nano-banana-pro": 30}})
    with pytest.raises(SettingsError, match="--max-usd 60"):
        await run_batch(path, **told(server, offline=True))


async def test_one_run_at_a_time(world: World) -> None:
    """A second run of a batch in the same process is turned away, as one in another process is."""
    async with WireServer() as silent, anyio.create_task_group() as group:
        silent.then(json_reply({"object": "list", "data": []}), (Read(), Stall()))
        path = world.write(jobs=jobs(1), provider={"base_url": silent.origin})
        options = Options(environ={"XENODIA_API_KEY": "k" * 20}, grace_seconds=0.1)
        group.start_soon(lambda: run_batch(path, **options))
        await silent.arrived(2)
        with pytest.raises(HeldElsewhere) as raised:
            await run_batch(path, **options)
        assert raised.value.exit_code == 75
        group.cancel_scope.cancel()


async def test_cancelling_takes_no_longer_than_the_grace(world: World) -> None:
    """A submit that hangs when the call is cancelled is let go after the grace, and is in doubt, not lost."""
    async with WireServer() as silent, anyio.create_task_group() as group:
        silent.then(json_reply({"object": "list", "data": []}), (Read(), Stall()))
        path = world.write(jobs=jobs(1), provider={"base_url": silent.origin})
        options = Options(environ={"XENODIA_API_KEY": "k" * 20}, grace_seconds=0.1)
        group.start_soon(lambda: run_batch(path, **options))
        await silent.arrived(2)
        group.cancel_scope.cancel()
    assert world.batch().kinds() == {"InDoubt": 1}


async def test_cancelling_is_safe(world: World, server: Gateway) -> None:
    """A run that is cancelled after its first picture is gone on with by the next call, and nothing is paid twice."""
    path = world.write(jobs=jobs(30), **at(server, idempotency="replay"))
    scope, before = anyio.CancelScope(), len(server.paid())

    class Impatient(Watcher):
        def finished(self, progress: Progress) -> None:
            scope.cancel()

    with scope:
        await run_batch(path, Impatient(), **told(server))
    assert scope.cancelled_caught
    report = await run_batch(path, **told(server))
    assert (report.exit_code, report.counts["stored"]) == (0, 30)
    assert len(server.paid()) == before + 30


async def test_signals_are_left_alone(world: World, server: Gateway) -> None:
    """While a run goes, the handlers of signals are those that were there before."""
    watched = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before, during = [signal.getsignal(each) for each in watched], []

    class Looking(Watcher):
        def finished(self, progress: Progress) -> None:
            during.append([signal.getsignal(each) for each in watched])

    await run_batch(world.write(jobs=jobs(2), **at(server)), Looking(), **told(server))
    assert during
    assert all(each == before for each in during)


def test_from_a_thread(world: World, server: Gateway) -> None:
    """A program without an event loop runs a batch from any thread."""
    path, found = world.write(jobs=jobs(2), **at(server)), list[Report]()

    async def run() -> None:
        found.append(await run_batch(path, **told(server)))

    thread = threading.Thread(target=anyio.run, args=(run,))
    thread.start()
    thread.join()
    assert found[0].complete


SILENT = """
import os, sys, anyio
for name in [*os.environ]:
    if name.startswith("BATCHGEN_"):
        os.environ["BATCHGEN_OUTPUTS"] = "/proc/nowhere"
import batchgen
assert "batchgen.batch" not in sys.modules
report = anyio.run(batchgen.run_batch, "m.yaml")
sys.exit(report.exit_code)
"""


def test_it_prints_nothing_and_obeys_no_setting_of_the_command_line(world: World) -> None:
    """From a program a whole rehearsal prints nothing, and BATCHGEN_ variables, which are the command's, are unread."""
    world.write(jobs=jobs(1), provider="local")
    environ = {**os.environ, "PYTHONPATH": str(HERE), "BATCHGEN_OUTPUTS": "/proc/nowhere", "BATCHGEN_SAMPLE": "x"}
    done = subprocess.run(
        [sys.executable, "-c", SILENT],
        cwd=world.root,
        env=environ,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert world.batch("story.local").whole() == {"job000.jpg"}


def test_it_can_do_what_the_command_can() -> None:
    """Every option of `plan` and `run` that decides what is done has its keyword; the others speak or hear."""
    words = {option.name for command in (plan_command, run_command) for option in command.params}
    hidden = {each.name for command in (plan_command, run_command) for each in command.params if _hidden(each)}
    keywords = {name.removesuffix("_seconds") for name in Options.__annotations__}
    assert keywords - words == {"environ"}
    assert words - hidden - keywords == {"manifest", "json", "quiet", "verbose", "paper"}


def _hidden(each: click.Parameter) -> bool:
    return isinstance(each, click.Option) and each.hidden


async def test_it_says_what_the_command_says(world: World, server: Gateway) -> None:
    """The report of a run and the last line of `run --json` are one object."""
    path = world.write(jobs=jobs(2), **at(server))
    report = await run_batch(path, **told(server))
    done = await anyio.to_thread.run_sync(lambda: world.type("run", "m.yaml", "--json", XENODIA_API_KEY=server.key))
    last = json.loads(done.out.splitlines()[-1])
    last.pop("event")
    again = await run_batch(path, **told(server))
    assert {**again.as_json(), "seconds": 0} == {**last, "seconds": 0}
    assert last["batch"] == report.as_json()["batch"]


def test_values_are_frozen() -> None:
    """A report cannot be written on, and the public names are typed and listed."""
    assert not hasattr(object.__new__(Report), "__dict__")
    assert set(batchgen.__all__) <= set(dir(batchgen))
    assert (Path(batchgen.__file__).parent / "py.typed").is_file()
    with pytest.raises(AttributeError, match="no attribute 'run'"):
        _ = batchgen.run

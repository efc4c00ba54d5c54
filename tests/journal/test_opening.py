"""Opening a journal: whose it is, whether it is whole, who holds it; and never a silent change."""
# ruff: noqa: ASYNC240  # a test may look at a small file

import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio
import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchgen.errors import Damaged, Foreign, HeldElsewhere, JournalError
from batchgen.journal import Progress, Run, Totals, rows, running
from batchgen.journal.record import SqliteRecord
from batchgen.journal.schema import FORMAT
from batchgen.journal.sqlite import open_journal
from batchgen.lifecycle import InDoubt, Planned, Started, Stored
from batchgen.terms import Terms
from tests.contracts.journal import ME, PATHS, handed_out, manifest, owed, walk
from tests.journal.desks import SqliteDesk

pytestmark = pytest.mark.anyio


@pytest.fixture
def desk(tmp_path: Path) -> SqliteDesk:
    """A fresh folder."""
    return SqliteDesk(str(tmp_path / "batch" / ".batchgen"))


@contextmanager
def plainly(desk: SqliteDesk) -> Iterator[apsw.Connection]:
    """The file as somebody else's program would open it."""
    connection = apsw.Connection(desk.path)
    connection.create_scalar_function("seal", lambda *_: b"forged", deterministic=True)
    try:
        yield connection
    finally:
        connection.close()


EDITED = {name: name for name in PATHS} | {"Planned": "other", "Stored": "other"}


async def make(desk: SqliteDesk, *, ended: bool = True) -> None:
    """A journal with a job in every state, a replaced and a gone one, ended or killed."""
    async with desk.open() as journal:
        for job in await owed(journal, *PATHS, "gone"):
            await walk(journal, job, *PATHS.get(job.job.id, ()))
        await journal.owe(manifest(EDITED), "inputs")
        if ended:
            await journal.end(3, "made")


# -- the file


async def test_nobody_else_may_read_a_journal(desk: SqliteDesk) -> None:
    """The folder is the user's alone, and so is every file in it, at all times."""
    old = os.umask(0)
    try:
        async with desk.open() as journal:
            await owed(journal, "a")
            assert stat.S_IMODE(os.stat(desk.folder).st_mode) == 0o700
            modes = {name: stat.S_IMODE(os.stat(f"{desk.folder}/{name}").st_mode) for name in os.listdir(desk.folder)}
    finally:
        os.umask(old)
    assert {"lock", "journal.sqlite3", "journal.sqlite3-wal", "journal.sqlite3-shm"} <= set(modes)
    assert set(modes.values()) == {0o600}


async def test_a_journal_is_made_whole_or_not_at_all(desk: SqliteDesk) -> None:
    """What a crash left of making one is swept away."""
    os.makedirs(desk.folder)
    for leftover in ("journal.sqlite3.new", "journal.sqlite3.new-journal"):
        Path(desk.folder, leftover).write_bytes(b"torn")
    async with desk.open() as journal:
        assert journal.run == 1
    assert not [name for name in os.listdir(desk.folder) if ".new" in name]


async def test_a_verb_that_needs_a_journal_makes_none(desk: SqliteDesk) -> None:
    """Opened as it is, there must be one; then nothing of its identity is asked."""
    with pytest.raises(Foreign, match="no journal"):
        async with desk.open(None):
            pytest.fail("a journal appeared")
    assert not os.path.exists(desk.path)
    await make(desk)
    async with desk.open(None) as journal:
        assert journal.identity == replace(ME, inputs="inputs")


@pytest.mark.parametrize("statement", ["UPDATE milestones SET at = 0", "DELETE FROM milestones"])
async def test_a_milestone_is_never_changed_or_removed(desk: SqliteDesk, statement: str) -> None:
    """Not even by another program that means well."""
    await make(desk)
    with plainly(desk) as connection, pytest.raises(apsw.ConstraintError, match="never"):
        connection.execute(statement)


async def test_a_journal_is_synced_in_full_and_guarded(desk: SqliteDesk) -> None:
    """The settings that durability and order stand on."""
    async with desk.open() as journal:
        writer = journal._opened.writer
        assert writer.pragma("journal_mode") == "wal"
        assert writer.pragma("synchronous") == 2
        assert writer.pragma("foreign_keys") == 1


# -- whose it is


async def test_another_provider_is_refused_while_work_is_under_way(desk: SqliteDesk) -> None:
    """Unless it is the same one by another name; with nothing under way the batch moves over."""
    async with desk.open() as journal:
        [job] = await owed(journal, "a")
        await walk(journal, job, Started)
    cloud = replace(ME, provider="https://api.test")
    with pytest.raises(Foreign, match=r"also_known_as"):
        async with desk.open(cloud):
            pytest.fail("work under way was taken to another provider")
    alias = open_journal(desk.path, cloud, verb="run", also_known_as=frozenset({"local"}), machine=desk.machine)
    async with alias as journal:
        assert journal.identity.provider == "https://api.test"
        [job] = await handed_out(journal)
        await walk(journal, job, Planned)
    async with desk.open(replace(ME, manifest="moved.yaml")) as journal:
        assert journal.identity == replace(ME, manifest="moved.yaml", inputs="inputs")


async def test_another_name_is_refused_with_both_names(desk: SqliteDesk) -> None:
    """The sentence tells what to mend."""
    await make(desk)
    with pytest.raises(Foreign, match=r"'catalogue'.*'other'"):
        async with desk.open(replace(ME, name="other")):
            pytest.fail("another batch's journal was opened")


async def test_another_programs_file_is_left_alone(desk: SqliteDesk) -> None:
    """A database that is none of ours is not touched by writers or readers."""
    os.makedirs(desk.folder)
    with plainly(desk) as connection:
        connection.execute("CREATE TABLE songs (title)")
    before = Path(desk.path).read_bytes()
    with pytest.raises(Foreign, match="not a journal"):
        async with desk.open():
            pytest.fail("a foreign file was opened")
    with pytest.raises(Foreign, match="not a journal"):
        SqliteRecord(desk.path)
    assert Path(desk.path).read_bytes() == before


async def test_a_newer_format_is_refused(desk: SqliteDesk) -> None:
    """Writers and readers say which format it has, and to use the newer program."""
    await make(desk)
    with plainly(desk) as connection:
        connection.pragma("user_version", FORMAT + 1)
    with pytest.raises(Foreign, match=rf"format {FORMAT + 1}.*newer"):
        async with desk.open():
            pytest.fail("a newer format was opened")
    with pytest.raises(Foreign, match=f"format {FORMAT + 1}"):
        SqliteRecord(desk.path)


# -- an old copy


async def test_an_old_copy_put_back_is_noticed(desk: SqliteDesk, tmp_path: Path) -> None:
    """A journal that is behind what had been reached could pay twice; it is refused and not changed."""
    await make(desk)
    copy = str(tmp_path / "copy.sqlite3")
    shutil.copy(desk.path, copy)
    async with desk.open() as journal:
        [job] = [each for each in await handed_out(journal) if each.milestone == Planned(0)]
        await walk(journal, job, Started)
    shutil.copy(copy, desk.path)
    with pytest.raises(Foreign, match="older copy"):
        async with desk.open():
            pytest.fail("an old copy was opened")
    assert Path(desk.path).read_bytes() == Path(copy).read_bytes()


async def test_how_far_it_came_is_noted_while_it_runs(desk: SqliteDesk) -> None:
    """At most once a second, so that even a killed run betrays an old copy."""
    note = Path(desk.folder, "epoch")
    async with desk.open() as journal:
        first, second = await owed(journal, "a", "b")
        assert not note.exists()
        desk.now += 1.5
        started = await walk(journal, first, Started)
        await walk(journal, second, Started)
        seen = note.read_text()
        desk.now += 0.5
        await walk(journal, started, InDoubt)
        await journal.totals()
        assert note.read_text() == seen
    assert note.read_text() == '{"milestones": 5, "run": 1}'


async def test_a_journal_that_is_gone_is_not_begun_anew(desk: SqliteDesk) -> None:
    """Where runs have been, an empty place means loss, and everything would be bought again."""
    await make(desk)
    os.unlink(desk.path)
    with pytest.raises(Foreign, match="is gone"):
        async with desk.open():
            pytest.fail("a lost journal was begun anew")
    assert not os.path.exists(desk.path)


@pytest.mark.parametrize("text", ["", "{}", '{"run": "x", "milestones": 1}', "[1, 2]", "\udcff"])
async def test_a_note_that_cannot_be_read_is_damage(desk: SqliteDesk, text: str) -> None:
    """Then nobody knows whether the journal is the newest one."""
    await make(desk)
    Path(desk.folder, "epoch").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(Damaged, match="epoch cannot be read"):
        async with desk.open():
            pytest.fail("an unreadable note was ignored")


async def test_a_run_goes_on_when_the_note_cannot_be_written(
    desk: SqliteDesk, caplog: pytest.LogCaptureFixture
) -> None:
    """It guards against copies; the journal itself is well. The log says so."""
    os.makedirs(f"{desk.folder}/epoch.new")
    async with desk.open() as journal:
        await owed(journal, "a")
    assert "could not be noted" in caplog.text


# -- who holds it

_HOLDER = """
import anyio, sys
from tests.contracts.journal import owed, walk
from tests.journal.desks import SqliteDesk
from batchgen.lifecycle import Started, Accepted
async def main():
    async with SqliteDesk(sys.argv[1]).open() as journal:
        jobs = await owed(journal, *map(str, range(500)))
        for job in jobs:
            await walk(journal, job, Started, Accepted)
            print(job.job.number, flush=True)
        await anyio.sleep_forever()
anyio.run(main)
"""


@contextmanager
def holder(folder: str) -> Iterator["subprocess.Popen[str]"]:
    """Another process that runs the batch and says what was acknowledged."""
    process = subprocess.Popen([sys.executable, "-c", _HOLDER, folder], stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


async def test_a_second_process_is_turned_away_and_told_who_holds_it(desk: SqliteDesk) -> None:
    """Within a second; and when the first is killed, the lock is free and nothing acknowledged is lost."""
    with holder(desk.folder) as process:
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(20)]
        began = time.monotonic()
        with pytest.raises(HeldElsewhere, match=f"process {process.pid} of .* since .*run again"):
            async with desk.open():
                pytest.fail("two processes hold one batch")
        assert time.monotonic() - began < 1
        with SqliteRecord(desk.path) as record:
            assert record.live
        process.send_signal(signal.SIGKILL)
        process.wait()
        acknowledged += [int(line) for line in process.stdout.read().split()]
    with SqliteRecord(desk.path) as record:
        assert not record.live
    async with desk.open() as journal:
        assert (journal.run, journal.killed_before) == (2, True)
        found = {job.job.number: job.position for job in await handed_out(journal)}
    assert len(acknowledged) >= 20
    assert {found[number] for number in acknowledged} == {2}


async def test_a_failed_opening_frees_the_lock(desk: SqliteDesk) -> None:
    """Whoever is turned away for another reason holds nothing."""
    await make(desk)
    for _ in range(2):
        with pytest.raises(Foreign):
            async with desk.open(replace(ME, name="other")):
                pytest.fail("another batch's journal was opened")
    async with desk.open() as journal:
        assert journal.run == 2


async def test_a_copy_of_a_journal_is_held_by_nobody(desk: SqliteDesk, tmp_path: Path) -> None:
    """A record beside which no lock lies is not live."""
    await make(desk)
    shutil.copy(desk.path, tmp_path / "copy.sqlite3")
    with SqliteRecord(str(tmp_path / "copy.sqlite3")) as record:
        assert not record.live


# -- damage

FORGERIES = {
    "what was asked": "UPDATE jobs SET request = replace(request, 'prompt', 'prompT') WHERE number = 1",
    "where it goes": "UPDATE jobs SET path = 'elsewhere' WHERE number = 1",
    "what it is called": "UPDATE jobs SET id = 'forged' WHERE number = 1",
    "whether it is wanted": "UPDATE jobs SET standing = 'gone' WHERE number = 3",
    "its order": "UPDATE jobs SET place = place + 100 WHERE number = 3",
    "its newest milestone": "UPDATE jobs SET head = 0, kind = 'Planned', state = 'queued' WHERE number = 5",
    "only its kind": "UPDATE jobs SET kind = 'Planned' WHERE number = 5",
    "only its state": "UPDATE jobs SET state = 'queued' WHERE number = 5",
    "only its run": "UPDATE jobs SET run = 2 WHERE number = 5",
    "dropped for failed": "UPDATE jobs SET state = 'dropped' WHERE kind = 'JobFailed'",
    "a milestone's words": "UPDATE milestones SET body = replace(body, 'task', 'tusk') WHERE job = 3 AND position = 2",
    "a milestone's attempt": "UPDATE milestones SET attempt = 2 WHERE job = 3 AND position = 2",
    "a milestone's time": "UPDATE milestones SET at = at + 1 WHERE job = 3 AND position = 2",
    "a missing milestone": "DELETE FROM milestones WHERE job = 3 AND position = 2",
    "a missing first milestone": "DELETE FROM milestones WHERE job = 3 AND position = 0",
    "money": "UPDATE totals SET amount = 0 WHERE what = 'money:spent'",
    "a count": "UPDATE totals SET amount = amount + 1, seal = zeroblob(8) WHERE what = 'jobs:stored'",
    "a missing total": "DELETE FROM totals WHERE what LIKE 'jobs:%'",
    "a run": "UPDATE runs SET committed = 0",
    "the token's source": "UPDATE journal SET batch_id = 'cd'",
    "no identity": "DELETE FROM journal",
    "no guard": "SELECT 1",
    "an index": "DROP INDEX to_buy",
    "a table more": "CREATE TABLE more (x)",
}


def forge(desk: SqliteDesk, what: str) -> None:
    """Change something behind the journal's back."""
    with plainly(desk) as connection:
        connection.pragma("foreign_keys", False)
        connection.execute("DROP TRIGGER never_changed; DROP TRIGGER never_removed")
        connection.execute(FORGERIES[what])
        if what != "no guard":
            for kind, verb in (("changed", "UPDATE"), ("removed", "DELETE")):
                connection.execute(
                    f"""CREATE TRIGGER never_{kind} BEFORE {verb} ON milestones
        BEGIN SELECT raise(ABORT, 'a milestone is never {kind}'); END"""
                )


@pytest.mark.parametrize("what", FORGERIES)
async def test_what_was_changed_behind_our_back_is_damage(desk: SqliteDesk, what: str) -> None:
    """After a killed run every row is proven before anything relies on it, and nothing is written then."""
    await make(desk, ended=False)
    forge(desk, what)
    before = Path(desk.path).read_bytes()
    with pytest.raises(Damaged, match=r"keep it|keep the journal"):
        async with desk.open():
            pytest.fail("a forged journal was opened")
    assert Path(desk.path).read_bytes() == before


@pytest.mark.parametrize("what", FORGERIES)
async def test_what_was_changed_after_an_end_is_damage_when_it_is_used(desk: SqliteDesk, what: str) -> None:
    """A run that ended in order spares the next the whole proof, until it owes; no forged job is handed out before."""
    await make(desk)
    with SqliteRecord(desk.path) as record:
        true = {each.job.number: each for each in record.entries()}
    forge(desk, what)

    async def use() -> None:
        async with desk.open() as journal:
            async for each in journal.unfinished(Terms()):
                assert each == true[each.job.number]
            await journal.owe(manifest(EDITED), "inputs")

    with pytest.raises(Damaged):
        await use()


async def test_a_cause_that_was_forged_is_not_told(desk: SqliteDesk) -> None:
    """Failures by cause are proven when they are counted; that needs no look at a job that did not fail."""
    await make(desk)
    with SqliteRecord(desk.path) as record:
        assert sum(record.failures().values()) == 1
    plan = "EXPLAIN QUERY PLAN " + rows.FAILED
    with plainly(desk) as connection:
        assert any("given_up" in str(step) for step in connection.execute(plan))
        connection.execute("DROP TRIGGER never_changed")
        connection.execute(
            """UPDATE milestones SET body = replace(body, '"reason":"', '"reason":"forged ')
            WHERE kind = 'JobFailed'"""
        )
    with pytest.raises(Damaged), SqliteRecord(desk.path) as record:
        record.failures()


async def test_a_run_that_ended_in_order_spares_the_next_the_proof(desk: SqliteDesk) -> None:
    """The mark that it leaves counts every milestone; without it, and after a kill, everything is proven."""
    await make(desk)
    count = "SELECT count(*) FROM milestones"
    async with desk.open() as journal:
        assert not journal._begun.proven
        [job, *_] = await handed_out(journal)
        await walk(journal, job, Stored)
        assert journal._milestones == journal._opened.writer.execute(count).get
    async with desk.open() as journal:
        assert journal._begun.proven
        assert journal._milestones == journal._opened.writer.execute(count).get
        await journal._commits.do(partial(running.end, run=journal.run, milestones=0, ending=(0.0, 0, "")))
        await journal._commits.do(lambda c: c.execute("DELETE FROM totals WHERE what = 'ended'"))
    async with desk.open() as journal:
        assert journal._begun.proven


async def test_damage_that_comes_during_a_run_stops_that_job(desk: SqliteDesk) -> None:
    """Nothing is built on a milestone that is not as it was written; other jobs are not concerned."""
    async with desk.open() as journal:
        first, second = await owed(journal, "a", "b")
        started = await walk(journal, first, Started)
        await journal._commits.do(
            lambda connection: connection.execute(
                "DROP TRIGGER never_changed; UPDATE milestones SET body = replace(body, 'bg-', 'bG-') WHERE job = 1"
            )
        )
        with pytest.raises(Damaged, match="job 1"):
            await walk(journal, started, InDoubt)
        await walk(journal, second, Started)
    with SqliteRecord(desk.path) as record, pytest.raises(Damaged, match="job 1"):
        list(record.entries())


def _seen(path: str) -> tuple[list[Progress], Totals, list[Run]]:
    with SqliteRecord(path) as record:
        return list(record.entries()), record.totals(), list(record.runs)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a closed journal."""
    desk = SqliteDesk(str(tmp_path_factory.mktemp("whole")))
    anyio.run(make, desk)
    return desk.folder


def _flipped(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _zeroed(content: bytes, chance: random.Random) -> bytes:
    page = chance.randrange(len(content) // 4096) * 4096
    return content[:page] + bytes(4096) + content[page + 4096 :]


def _truncated(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def _swapped(content: bytes, chance: random.Random) -> bytes:
    one, two = sorted(chance.sample(range(len(content) // 4096), 2))
    pages = [content[at : at + 4096] for at in range(0, len(content), 4096)]
    pages[one], pages[two] = pages[two], pages[one]
    return b"".join(pages)


@pytest.mark.parametrize("how", [_flipped, _zeroed, _truncated, _swapped])
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_damage_is_refused_or_harmless(
    whole: str, tmp_path: Path, how: Callable[[bytes, random.Random], bytes], seed: int
) -> None:
    """Whatever happens to the bytes: a reader and a run are told, or they see exactly what was written."""
    expected = _seen(f"{whole}/journal.sqlite3")
    here = tmp_path / str(seed)
    shutil.rmtree(here, ignore_errors=True)
    shutil.copytree(whole, here, ignore=shutil.ignore_patterns("journal*"))
    desk = SqliteDesk(str(here))
    Path(desk.path).write_bytes(how(Path(whole, "journal.sqlite3").read_bytes(), random.Random(seed)))

    async def opened() -> None:
        async with desk.open() as journal:
            assert await journal.totals() == expected[1]
            assert all([each in known async for each in journal.unfinished(Terms())])
            await journal.owe(manifest(EDITED), "inputs")

    known = [replace(each, row=None, axes={}) for each in expected[0]]
    try:
        assert _seen(desk.path) == expected
    except JournalError:
        with pytest.raises(JournalError):
            anyio.run(opened)
        return
    try:
        anyio.run(opened)
    except JournalError:
        return
    entries, totals, runs = _seen(desk.path)
    assert (entries, totals, runs[1:]) == expected


async def test_an_empty_file_is_damage(desk: SqliteDesk) -> None:
    """It is not taken for a new journal, which would buy everything again."""
    os.makedirs(desk.folder)
    Path(desk.path).touch()
    with pytest.raises(Damaged, match="empty"):
        async with desk.open():
            pytest.fail("an empty file was opened")
    assert os.path.getsize(desk.path) == 0

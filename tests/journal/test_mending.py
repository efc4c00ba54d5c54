"""Repairing a damaged journal, and going on from an old copy: nothing is lost, and what is unknown is in doubt."""
# ruff: noqa: ASYNC240  # a test may look at a small file

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import anyio
import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchgen.errors import Damaged, Foreign, HeldElsewhere, JournalError, SettingsError
from batchgen.job import token
from batchgen.journal import Progress, mending
from batchgen.journal.lost import after_a_loss
from batchgen.journal.proof import prove
from batchgen.journal.record import SqliteRecord
from batchgen.journal.salvage import Salvage
from batchgen.journal.schema import connect_to_read
from batchgen.lifecycle import (
    Accepted,
    AttemptFailed,
    Generated,
    IllegalMilestone,
    InDoubt,
    JobFailed,
    Milestone,
    Planned,
    Started,
    Stored,
    advance,
)
from batchgen.terms import Profile, Terms
from tests.contracts.journal import ME, PATHS, handed_out, lines, manifest, owed, walk
from tests.journal.desks import SqliteDesk
from tests.journal.losing import losing
from tests.journal.test_opening import EDITED, FORGERIES, _flipped, _swapped, _truncated, _zeroed, forge, make
from tests.lives import SINCE

pytestmark = pytest.mark.anyio


@pytest.fixture
def desk(tmp_path: Path) -> SqliteDesk:
    """A fresh folder."""
    return SqliteDesk(str(tmp_path / "batch" / ".batchgen"))


def mended(desk: SqliteDesk) -> Salvage:
    """Repair the journal of a desk."""
    return mending.repair(desk.path, ME.batch_id, desk.machine)


def heads(desk: SqliteDesk) -> dict[int, Progress]:
    """Every job's newest milestone, by number."""
    with desk.record() as record:
        return {each.job.number: each for each in record.entries()}


def proven(desk: SqliteDesk) -> None:
    """The whole journal is sound."""
    connection = connect_to_read(desk.path, desk.machine)
    prove(connection, desk.path)
    connection.close()


# -- repair

HOPELESS = {"no identity", "the token's source"}


@pytest.mark.parametrize("what", FORGERIES)
async def test_a_forged_journal_is_whole_again(desk: SqliteDesk, what: str) -> None:
    """Whatever is not sound is made anew or in doubt; every other job is as it was, and no job is lost."""
    await make(desk)
    before = heads(desk)
    with desk.record() as record:
        money = record.totals().money
    forge(desk, what)
    if what in HOPELESS:
        with pytest.raises(Damaged, match="whose it is"):
            mended(desk)
        return
    done = mended(desk)
    proven(desk)
    after = heads(desk)
    differ = {
        number for number, each in before.items() if number not in after or after[number].milestone != each.milestone
    }
    # Job 1 was never sent, so it may be planned anew; of the others what is lost is in doubt, or asked again.
    assert differ == LOST.get(what, set())
    assert (done.lost > 0) == bool(differ)
    if not done.lost:
        with desk.record() as record:
            assert record.totals().money == money


LOST = {
    "what was asked": {1},
    "a milestone's words": {3},
    "a milestone's attempt": {3},
    "a milestone's time": {3},
    "a missing milestone": {3},
    "a missing first milestone": {3},
}


@pytest.mark.parametrize("position", range(5))
async def test_a_lost_milestone_is_a_doubt(desk: SqliteDesk, position: int) -> None:
    """Of a job whose history breaks off nothing is planned: it is in doubt, or its task is asked again."""
    await make(desk)
    forge_at(desk, 5, position)
    done = mended(desk)
    assert (done.lost, done.behind) == (5 - position, False)
    kinds = {0: InDoubt, 1: InDoubt, 2: InDoubt, 3: Accepted, 4: Generated}
    found = heads(desk)[5].milestone
    assert isinstance(found, kinds[position])
    async with desk.open() as journal:
        assert (await journal.owe(manifest(EDITED), "inputs")).counts["new"] == 0


def forge_at(desk: SqliteDesk, job: int, position: int) -> None:
    """Flip a bit of one milestone."""
    connection = apsw.Connection(desk.path)
    connection.execute("DROP TRIGGER never_changed")
    change = "UPDATE milestones SET at = at + 1 WHERE job = ? AND position = ?"
    connection.execute(change, (job, position))
    connection.close()


async def test_a_job_is_found_by_what_was_asked(desk: SqliteDesk) -> None:
    """One that lost its name has its request and fingerprint: the next expansion finds it and buys nothing."""
    await make(desk)
    forge(desk, "what it is called")
    mended(desk)
    async with desk.open() as journal:
        comparison = await journal.owe(manifest(EDITED), "inputs")
    assert comparison.counts["new"] == 0


async def test_a_journal_of_nobody_is_known_by_its_pictures(desk: SqliteDesk) -> None:
    """The row that says whose it is may be damaged, if the folder of the pictures knows the batch."""
    await make(desk)
    connection = apsw.Connection(desk.path)
    connection.execute("UPDATE journal SET manifest = 'other.yaml'")
    connection.close()
    with pytest.raises(Damaged, match="whose it is"):
        mending.repair(desk.path, None, desk.machine)
    mended(desk)
    proven(desk)


async def test_a_repair_is_refused_while_a_run_holds_the_batch(desk: SqliteDesk) -> None:
    """The one writer is never disturbed."""
    async with desk.open():
        with pytest.raises(HeldElsewhere):
            mended(desk)


DAMAGES = [_flipped, _zeroed, _truncated, _swapped]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a closed journal."""
    desk = SqliteDesk(str(tmp_path_factory.mktemp("whole")))
    anyio.run(make, desk)
    return desk.folder


def tried(whole: str, folder: Path, how: Callable[[bytes, random.Random], bytes], seed: int) -> str:
    """Damage a journal, repair it, and hold what came of it against what there was; says how it went."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(whole, folder)
    desk = SqliteDesk(str(folder))
    before = heads(desk)
    damaged = how(Path(desk.path).read_bytes(), random.Random(seed))
    Path(desk.path).write_bytes(damaged)
    try:
        done = mended(desk)
    except JournalError:
        assert Path(desk.path).read_bytes() == damaged
        return "refused"
    proven(desk)
    after = heads(desk)
    for number, was in before.items():
        found = after.get(number)
        if found is None:
            assert isinstance(was.milestone, Planned)
        elif found.milestone != was.milestone:
            assert done.lost
            assert not isinstance(found.milestone, Planned | Started)
        else:
            assert found.job.fingerprint == was.job.fingerprint
    return "behind" if done.behind else "repaired"


@pytest.mark.parametrize("how", DAMAGES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_a_repair_is_sound_or_refused(
    whole: str, tmp_path: Path, how: Callable[[bytes, random.Random], bytes], seed: int
) -> None:
    """Whatever happened to the bytes: the result is proven, says nothing new but doubts, or nothing was touched."""
    tried(whole, tmp_path / "here", how, seed)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("how", DAMAGES)
def test_a_thousand_damages_are_refused_or_repaired(
    whole: str, tmp_path: Path, how: Callable[[bytes, random.Random], bytes]
) -> None:
    """The same at 1,000 damages of each kind: none is accepted in silence, none ends in a traceback."""
    outcomes = [tried(whole, tmp_path / "here", how, seed) for seed in range(1000)]
    assert set(outcomes) <= {"refused", "repaired", "behind"}


async def test_a_repair_that_is_cut_off_loses_nothing(desk: SqliteDesk, tmp_path: Path) -> None:
    """With the power cut at any operation on the disk the damaged journal is still there, or the whole one is."""
    await make(desk)
    forge(desk, "its newest milestone")
    expected: dict[int, Milestone] = {}
    for cut in range(1, 300):
        shutil.copytree(desk.folder, here := str(tmp_path / f"{cut}"))
        with losing(here) as disk:
            disk.cut_at = cut
            try:
                mended(SqliteDesk(here, disk.name))
                done = True
            except (JournalError, apsw.Error) as error:
                done, last = False, error
        other = SqliteDesk(here)
        mended(other)
        proven(other)
        expected = expected or {number: each.milestone for number, each in heads(other).items()}
        assert {number: each.milestone for number, each in heads(other).items()} == expected
        shutil.rmtree(here)
        if done:
            break
    else:
        pytest.fail(f"it never ends: {last!r}")
    assert cut > 20


@pytest.mark.parametrize("step", ["link", "unlink", "rename"])
async def test_a_repair_that_is_killed_while_it_changes_places(
    desk: SqliteDesk, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The next opening finishes it, and the damaged journal is kept beside."""
    await make(desk)
    damaged = Path(desk.path).read_bytes()
    real, count = getattr(os, step), 0

    class Killed(BaseException):
        pass

    def killed(*words: str) -> None:
        nonlocal count
        count += ".repaired" in "".join(os.listdir(desk.folder))
        if count == 1:
            raise Killed
        real(*words)

    monkeypatch.setattr(os, step, killed)
    with pytest.raises(Killed):
        mended(desk)
    monkeypatch.undo()
    async with desk.open() as journal:
        assert journal.run == 3
    assert not os.path.exists(f"{desk.path}.repaired")
    kept = [
        Path(desk.folder, name) for name in os.listdir(desk.folder) if ".damaged-" in name and not name.endswith("-wal")
    ]
    assert [path.read_bytes() for path in kept] == [damaged]


# -- an old copy


async def test_an_old_copy_is_accepted_with_doubts(desk: SqliteDesk, tmp_path: Path) -> None:
    """Every job that may have been sent since is in doubt, under the token that it had if it was; the rest stays."""
    await make(desk)
    shutil.copy(desk.path, tmp_path / "copy")
    async with desk.open() as journal:
        for job in await handed_out(journal):
            if isinstance(job.milestone, Planned):
                started = Started(1, token(ME.batch_id, job.job.number, 1, job.job.fingerprint), 40_000, SINCE)
                await journal.append([job.then(started)])
        await journal.end(0, "ended")
    with pytest.raises(SettingsError, match="not an old copy"):
        mending.accept_old_copy(desk.path, desk.machine)
    shutil.copy(tmp_path / "copy", desk.path)
    with pytest.raises(Foreign, match="--accept-old-copy"):
        async with desk.open():
            pytest.fail("an old copy was opened")
    before = heads(desk)
    count = mending.accept_old_copy(desk.path, desk.machine)
    after = heads(desk)
    waiting = [n for n, each in before.items() if isinstance(each.milestone, Planned | AttemptFailed)]
    assert count == len(waiting) == 4
    for number in before:
        was, found = before[number], after[number].milestone
        if number not in waiting:
            assert found == was.milestone
            continue
        attempt = was.milestone.attempt + 1
        assert isinstance(found, InDoubt)
        assert found.token == token(ME.batch_id, number, attempt, was.job.fingerprint)
        assert (found.attempt, found.since) == (attempt, was.at)
    proven(desk)
    async with desk.open() as journal:
        carried_on = await handed_out(journal, Terms(profile=Profile(idempotency="replay")))
    assert not [each for each in carried_on if isinstance(each.milestone, Planned)]
    copied = {each.job.number for each in carried_on if each.copied}
    assert set(waiting) <= {each.job.number for each in carried_on}
    assert copied == {each.job.number for each in carried_on} - set(waiting) != set()


async def test_an_acceptance_that_is_cut_off_is_still_to_be_made(desk: SqliteDesk, tmp_path: Path) -> None:
    """With the power cut at any operation on the disk: the old copy is refused, or no job in it is planned."""
    async with desk.open() as journal:
        await owed(journal, "a", "b")
        await journal.end(0, "made")
    shutil.copy(desk.path, tmp_path / "copy")
    async with desk.open() as journal:
        await walk(journal, (await handed_out(journal))[0], Started, Accepted)
        await journal.end(0, "went on")
    shutil.copy(tmp_path / "copy", desk.path)
    for cut in range(1, 300):
        shutil.copytree(desk.folder, here := str(tmp_path / f"{cut}"))
        with losing(here) as disk:
            disk.cut_at = cut
            try:
                mending.accept_old_copy(f"{here}/journal.sqlite3", SqliteDesk(here, disk.name).machine)
                done = True
            except (JournalError, apsw.Error):
                done = False
            disk.restore(here, seed=cut)
        Path(here, "journal.sqlite3-shm").unlink(missing_ok=True)
        try:
            async with SqliteDesk(here).open() as journal:
                assert not [each for each in await handed_out(journal) if isinstance(each.milestone, Planned)]
        except Foreign:
            assert not done
        shutil.rmtree(here)
        if done:
            break
    else:
        pytest.fail("it never ends")


# -- what a loss means

NAME = ("ab" * 16, 1, "f" * 64)
LIVES: list[list[Milestone]] = [
    [Planned(0), Started(1, "bg-1", 1, SINCE), Accepted(1, "t", 1), Generated(1, "t", 1), Stored(1, "t", 1, ())],
    [
        Planned(0),
        Started(1, "bg-1", 1, SINCE),
        Accepted(1, "t", 1),
        AttemptFailed(1, "transient", "w", 1),
        Started(2, "bg-2", 1, SINCE),
        Accepted(2, "u", 1),
    ],
    [
        Planned(0),
        Started(1, "bg-1", 1, SINCE),
        InDoubt(1, "bg-1", 1, SINCE, "w"),
        Planned(1),
        Started(2, "bg-2", 1, SINCE),
        Accepted(2, "u", 1),
    ],
    [Planned(0), Started(1, "bg-1", 1, SINCE), AttemptFailed(1, "refused", "w", 0), JobFailed(1, "refused", "w")],
]


@pytest.mark.parametrize("life", LIVES)
def test_after_a_loss_nothing_that_was_paid_is_planned(life: list[Milestone]) -> None:
    """At every break of a life: what is added is legal, and the newest attempt is in doubt or its task known."""
    for kept in range(1, len(life)):
        reached: Milestone | None = life[kept - 1]
        added = after_a_loss(reached, len(life) - kept, type(life[-1]).__name__, NAME)
        for each in added:
            reached = each if reached is None else advance(reached, each)
        assert reached is not None
        assert not isinstance(reached, Planned | Started)
        if kept > 1 and isinstance(life[-1], Accepted | Stored):
            assert reached.attempt >= life[-1].attempt
    with pytest.raises(IllegalMilestone):
        advance(Accepted(1, "t", 1), Planned(1))


def test_every_state_survives(tmp_path: Path) -> None:
    """The journal that these tests damage has a job in every state."""
    desk = SqliteDesk(str(tmp_path))
    anyio.run(make, desk)
    with desk.record() as record:
        assert {line.kind for line in lines(record)} == set(PATHS)
    with SqliteRecord(desk.path) as record:
        assert len(list(record.entries())) == 10

"""Journals of older formats: the ones that were kept still open, and say what they said."""
# ruff: noqa: ASYNC240  # a test may look at a small file

import os
import shutil
from pathlib import Path

import apsw
import pytest

from batchgen.errors import Damaged, JournalError
from batchgen.journal.migration import STEPS
from batchgen.journal.record import SqliteRecord
from batchgen.journal.schema import FORMAT, TABLES, is_older
from batchgen.lifecycle import Accepted, Generated, Started, Stored
from tests.contracts.journal import PATHS, handed_out, lines, manifest, walk
from tests.journal.desks import SqliteDesk
from tests.journal.losing import losing
from tests.journal.test_opening import EDITED, forge

pytestmark = pytest.mark.anyio

GOLDEN = Path(__file__).parent / "golden"
UNSOUND = ["what was asked", "its newest milestone", "a run", "no identity", "a milestone's words", "money"]
FORMATS = range(1, FORMAT + 1)


@pytest.fixture(params=FORMATS)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> SqliteDesk:
    """A folder with a journal of each format: a job in every state, a replaced and a gone one."""
    desk = SqliteDesk(str(tmp_path / ".batchgen"))
    os.makedirs(desk.folder)
    shutil.copy(GOLDEN / f"format-{request.param}.db", desk.path)
    return desk


def user_version(path: str) -> int:
    """The format that a journal is written in."""
    connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return int(str(connection.pragma("user_version")))
    finally:
        connection.close()


def test_a_journal_of_every_format_is_kept() -> None:
    """Whoever makes a new format keeps a journal of it, and a step that leads there."""
    assert sorted(path.name for path in GOLDEN.iterdir()) == [f"format-{number}.db" for number in FORMATS]
    assert sorted(STEPS) == list(FORMATS)[:-1]


async def test_every_format_says_what_it_said(old: SqliteDesk) -> None:
    """Readers see every job, figure and run of an old journal, and leave its file as it is."""
    before = Path(old.path).read_bytes()
    with SqliteRecord(old.path) as record:
        seen = {line.id: line.kind for line in lines(record) if line.standing == "current"}
        assert seen == {name: name for name in PATHS}
        assert [(line.id, line.standing) for line in lines(record)[-2:]] == [("Planned", "replaced"), ("gone", "gone")]
        totals = record.totals()
        assert (totals.money.spent, totals.money.in_doubt, totals.kept) == (156_000, 40_000, 1)
        assert [(run.number, run.exit_code, run.reason) for run in record.runs] == [(1, 3, "made")]
    assert Path(old.path).read_bytes() == before


async def test_every_format_goes_on(old: SqliteDesk) -> None:
    """A run brings an old journal to its own format, with the tables of a new one, and works on it; a copy is kept."""
    written, before = user_version(old.path), Path(old.path).read_bytes()
    async with old.open() as journal:
        assert (await journal.owe(manifest(EDITED), "inputs")).counts["unchanged"] == len(PATHS) - 1
        found = {type(each.milestone).__name__: each for each in await handed_out(journal)}
        await walk(journal, found["Accepted"], Generated, Stored)
        await walk(journal, found["Planned"], Started, Accepted)
        await journal.end(0, "went on")
    async with old.open() as journal:
        assert (await journal.totals()).counts["stored"] == 2
        schema = journal._opened.writer.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")
        assert {sql for (sql,) in schema} == set(TABLES)
    assert user_version(old.path) == FORMAT
    backups = Path(old.folder, "backups")
    kept = [path.read_bytes()[100:] for path in backups.iterdir()] if backups.exists() else []
    assert kept == ([before[100:]] if written < FORMAT else [])  # the first 100 bytes tell how it was kept


@pytest.mark.parametrize("old", [1], indirect=True)
@pytest.mark.parametrize(
    "what", ["what was asked", "its newest milestone", "a run", "no identity", "a milestone's words"]
)
async def test_damage_is_not_given_a_fresh_seal(old: SqliteDesk, what: str) -> None:
    """An old journal that is not sound is refused and stays as it is, for readers too."""
    forge(old, what)
    before = Path(old.path).read_bytes()
    with pytest.raises(Damaged):
        async with old.open():
            pytest.fail("damage was migrated")
    with pytest.raises(Damaged), SqliteRecord(old.path):
        pytest.fail("damage was read")
    assert Path(old.path).read_bytes() == before


@pytest.mark.parametrize("old", [1], indirect=True)
async def test_a_migration_is_whole_or_not_at_all(old: SqliteDesk, tmp_path: Path) -> None:
    """With the power cut at any operation on the disk, the next run finds an old journal or a new one, and goes on."""
    for cut in range(1, 2000):
        shutil.copytree(old.folder, here := str(tmp_path / f"{cut}"))
        with losing(here) as disk:
            disk.cut_at = cut
            try:
                async with SqliteDesk(here, disk.name).open():
                    pass
                done = True
            except (JournalError, apsw.Error):
                done = False
            disk.restore(here, seed=cut)
        for name in ("journal.sqlite3-shm",):
            Path(here, name).unlink(missing_ok=True)
        async with SqliteDesk(here).open() as journal:
            assert len(await handed_out(journal)) == 5
        shutil.rmtree(here)
        if done:
            break
    else:
        pytest.fail("it never ends")
    assert cut > 20


def test_another_programs_file_is_not_copied(tmp_path: Path) -> None:
    """A file of another program with the number of an old format is none of ours."""
    connection = apsw.Connection(str(tmp_path / "other.db"))
    connection.pragma("user_version", 1)
    assert not is_older(connection)
    connection.close()

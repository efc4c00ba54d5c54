"""What the gateway's folder promises: one process, private, and never at odds with itself."""

import json
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen.errors import Foreign, HeldElsewhere
from batchgen.gateway.paid import PaidLog
from batchgen.gateway.painter import Elsewhere, Sample
from batchgen.gateway.state import open_state, save_file
from batchgen.gateway.task import Asked, Ended, Stored, Task, new_id, new_picture
from batchgen.gateway.writer import Writer
from tests.gateway.house import CREATE, KEY, PNG, Painter, house

pytestmark = pytest.mark.anyio


def task(number: int, *, key: str | None = None) -> Task:
    asked = Asked(
        "gpt-image-2", f"pr\u00f6mpt {number}", "auto", "1K", None, (Stored("ab"), Sample("x"), Elsewhere("cd"))
    )
    return Task(new_id(), "owner", key, key, f"{number:064x}", asked, 70_000, 1.5, 0.5, new_picture("png"))


async def test_a_restart_changes_nothing(tmp_path: Path) -> None:
    """After a stop and a start over the same folder tasks, keys, pictures and sales are as they were."""
    async with house(tmp_path) as there:
        before = await there.bought(token="k")
        first = await there.create(token="k")
        lines = there.paid()
    async with house(tmp_path) as there:
        after = await there.task(before["task_id"])
        assert {name: after[name] for name in after if name != "result"} == {
            name: before[name] for name in before if name != "result"
        }
        assert (await there.client.get(after["result"]["data"][0]["url"])).content == PNG
        assert (await there.create(token="k")).text == first.text
        assert there.paid() == lines
        assert there.painter.works == []


async def test_what_was_being_painted_is_painted_after_a_restart(tmp_path: Path) -> None:
    """A task that was sold and not painted when the gateway stopped is painted by the next one."""
    import anyio

    async with house(tmp_path, painter=Painter(hold=anyio.Event())) as there:
        task_id = (await there.create()).json()["task_id"]
        await there.painter.begun.wait()
        assert (await there.task(task_id))["state"] == "generating"
    async with house(tmp_path) as there:
        await there.painter.begun.wait()
        assert (await there.ended(task_id))["state"] == "success"
        assert len(there.paid()) == 1


async def test_a_line_of_sale_has_what_a_rehearsal_is_checked_against(tmp_path: Path) -> None:
    """paid.jsonl names task, token, hashes, model and price, and never the prompt."""
    async with house(tmp_path) as there:
        task_id = (await there.create(CREATE | {"resolution": "4K"}, token="k")).json()["task_id"]
        (text,) = there.paid()
    line = json.loads(text)
    assert list(line) == ["task_id", "token", "body_sha256", "prompt_sha256", "model", "price_micro_usd", "at"]
    assert line["task_id"] == task_id
    assert line["token"] == "k"
    assert line["price_micro_usd"] == 240_000
    assert line["at"] == 1_000_000
    assert len(line["body_sha256"]) == len(line["prompt_sha256"]) == 64
    assert "cube" not in text


def test_a_crash_between_row_and_line_is_mended(tmp_path: Path) -> None:
    """A row without its line gets it at the next start, after half a line was cut off; nothing is written twice."""
    tasks = [task(number) for number in range(4)]
    state = open_state(str(tmp_path), wait_seconds=0)
    state.writing.write([*tasks])
    state.paid.append(tasks[:2])
    state.close()
    path = tmp_path / "paid.jsonl"
    whole = path.read_bytes()
    for torn in (b"", b'{"task_id": "task_', whole[:-1].rpartition(b"\n")[2]):
        path.write_bytes(whole + torn)
        open_state(str(tmp_path), wait_seconds=0).close()
        ids = [json.loads(line)["task_id"] for line in path.read_text().splitlines()]
        assert ids == [each.id for each in tasks], torn


@given(st.integers(0, 600))
@settings(max_examples=25, deadline=None)
def test_any_cut_of_the_file_is_mended(cut: int) -> None:
    """Wherever a crash cut the list of sales off, it is whole again after the next start."""
    import tempfile

    tasks = [task(number) for number in range(2)]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "paid.jsonl")
        log = PaidLog(path)
        log.append(tasks)
        log.close()
        with open(path, "r+b") as file:
            file.truncate(min(cut, os.path.getsize(path)))
        again = PaidLog(path)
        again.mend(tasks)
        again.close()
        with open(path, encoding="utf-8") as text:
            assert [json.loads(line)["task_id"] for line in text] == [each.id for each in tasks]


def test_a_sale_that_the_disk_refused_is_owed(tmp_path: Path) -> None:
    """When the disk refuses a line, nothing half is left and the line goes with the next one."""
    log = PaidLog(str(tmp_path / "paid.jsonl"))
    tasks = [task(number) for number in range(3)]
    log.append(tasks[:1])
    before = (tmp_path / "paid.jsonl").read_bytes()
    with files_limited_to(len(before) + 20), pytest.raises(OSError, match="large"):
        log.append(tasks[1:2])
    assert (tmp_path / "paid.jsonl").read_bytes() == before
    log.append(tasks[2:])
    log.close()
    lines = (tmp_path / "paid.jsonl").read_text().splitlines()
    assert [json.loads(line)["task_id"] for line in lines] == [each.id for each in tasks]


def test_a_task_comes_back_as_it_was_written(tmp_path: Path) -> None:
    """Every field of a task survives the database, before and after its end."""
    state = open_state(str(tmp_path), wait_seconds=0)
    first, second = task(1, key="k"), task(2)
    assert state.writing.write([first, second]) == [first, second]
    assert state.reading.task(first.id) == first
    assert state.reading.by_key("owner", "k") == first
    assert state.reading.by_picture(second.picture) == second
    assert state.reading.unfinished() == [first, second]
    state.writing.write([Ended(first.id, 9.0, sha256="ff"), Ended(second.id, 9.5, error={"code": "500"})])
    assert [each.sha256 for each in state.reading.all()] == ["ff", None]
    assert [each.error for each in state.reading.all()] == [None, {"code": "500"}]
    assert state.reading.unfinished() == []
    state.close()


def test_a_key_is_sold_once_in_one_group(tmp_path: Path) -> None:
    """Two tasks of one key in the same transaction: the second gets the first."""
    state = open_state(str(tmp_path), wait_seconds=0)
    first, second = task(1, key="k"), task(2, key="k")
    assert state.writing.write([first, second]) == [first, first]
    state.close()


async def test_a_failed_commit_fails_those_who_wait_and_no_others(tmp_path: Path) -> None:
    """A group whose commit fails is refused to everyone in it; the next group is written."""
    import anyio

    state = open_state(str(tmp_path), wait_seconds=0)
    writer = Writer(state)
    async with anyio.create_task_group() as group:
        group.start_soon(writer.run)
        with files_limited_to(100), pytest.raises(apsw.IOError):
            await writer.accept(task(1))
        assert (await writer.accept(second := task(2))) == second
        group.cancel_scope.cancel()
    assert len((tmp_path / "paid.jsonl").read_text().splitlines()) == 1
    state.close()


def test_a_folder_belongs_to_one_gateway(tmp_path: Path) -> None:
    """A second gateway waits for a dying one and then gives up, saying what to do."""
    state = open_state(str(tmp_path), wait_seconds=0)
    naps: list[float] = []
    with pytest.raises(HeldElsewhere, match="--state"):
        open_state(str(tmp_path), wait_seconds=5, sleep=naps.append)
    assert 4.9 < sum(naps) < 5.2

    def predecessor_dies(_: float) -> None:
        state.close()

    open_state(str(tmp_path), wait_seconds=5, sleep=predecessor_dies).close()


def test_the_folder_is_private_and_keeps_its_credential(tmp_path: Path) -> None:
    """The folder is its owner's alone, so are its secrets, and the credential is made once."""
    tmp_path.chmod(0o755)
    state = open_state(str(tmp_path), wait_seconds=0)
    credential = state.credential()
    state.close()
    assert len(credential) > 30
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    for name in ("credential", "signing.key", "paid.jsonl", "lock"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600, name
    (tmp_path / "credential").write_text(f"{credential}\n")
    again = open_state(str(tmp_path), wait_seconds=0)
    assert again.credential() == credential
    assert again.signing_key == state.signing_key
    again.close()


def test_a_damaged_signing_key_is_named(tmp_path: Path) -> None:
    """A signing key of the wrong length is refused by name, and the folder is let go of."""
    open_state(str(tmp_path), wait_seconds=0).close()
    (tmp_path / "signing.key").write_bytes(b"short")
    for _ in range(2):
        with pytest.raises(Foreign, match=r"signing\.key"):
            open_state(str(tmp_path), wait_seconds=0)


def test_a_file_is_saved_whole_or_not_at_all(tmp_path: Path) -> None:
    """A disk that refuses leaves the old file and no remains."""
    path = tmp_path / "a.png"
    save_file(str(path), b"old")
    with files_limited_to(10), pytest.raises(OSError, match="large"):
        save_file(str(path), b"x" * 100)
    assert [each.name for each in tmp_path.iterdir()] == ["a.png"]
    assert path.read_bytes() == b"old"


async def test_no_secret_is_written_beside_the_credential(tmp_path: Path) -> None:
    """Keys are kept as hashes: neither the database nor the list of sales holds one."""
    async with house(tmp_path) as there:
        await there.bought()
    for name in os.listdir(tmp_path):
        if (path := tmp_path / name).is_file():
            assert KEY.encode() not in path.read_bytes(), name


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """No file of this process may grow beyond a size, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_sale_is_synced_before_it_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line of a sale is on the disk when `append` returns: the system was asked to sync the file with it."""
    log, path = PaidLog(str(tmp_path / "paid.jsonl")), tmp_path / "paid.jsonl"
    synced: list[tuple[int, int]] = []

    def fsync(descriptor: int) -> None:
        found = os.fstat(descriptor)
        synced.append((found.st_ino, found.st_size))

    monkeypatch.setattr(os, "fsync", fsync)
    log.append([task(1)])
    log.close()
    assert synced == [(path.stat().st_ino, path.stat().st_size)]

"""The judge of the crash explorer finds every breach that is planted, and none where there is none."""

import hashlib
import json
import os
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batchgen.selftest.checker import at_rest, at_the_end
from batchgen.selftest.evidence import Case
from batchgen.selftest.life import Place, facts, live, prepare
from batchgen.selftest.scene import CREDENTIAL, Scene, scene
from batchgen.selftest.shop import in_a_process, picture, shop

Facts = list[dict[str, Any]]
Break = Callable[[Scene, Facts], object]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A batch that was run to its end, judged again and again after some damage."""
    home = tmp_path_factory.mktemp("home")
    prepare(home)
    elsewhere = shop(home / "gateway", "replay", CREDENTIAL)
    pid, pipe = in_a_process(elsewhere)
    found = scene(home, "replay", elsewhere)
    assert live(found.place, None) == 0
    os.close(pipe)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    yield found
    elsewhere.listener.close()


def copied(lived: Scene, where: Path) -> Scene:
    """The same batch in another place."""
    shutil.copytree(lived.place.root, where / "root")
    shutil.copytree(lived.case.gateway, where / "gateway")
    place = Place(where / "root", lived.place.shop, own_shop=False)
    folder = where / "root/tree/outputs/story"
    case = replace(lived.case, folder=folder, gateway=where / "gateway", written=(folder, place.out))
    return Scene(place, case, lived.setting)


def write(case: Case, statement: str) -> None:
    """Change the journal, as damage or a bug would."""
    connection = sqlite3.connect(case.folder / ".batchgen/journal.db")
    connection.create_function("seal", -1, lambda *_: b"")
    for trigger in ("never_changed", "never_removed"):
        connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
    connection.execute(statement)
    connection.commit()
    connection.close()


def sell_again(found: Scene, _: Facts) -> None:
    """A second task for a job's prompt."""
    path = found.case.gateway / "paid.jsonl"
    line = json.loads(path.read_text().splitlines()[0])
    path.write_text(path.read_text() + json.dumps({**line, "task_id": "task_other"}) + "\n")


def flip(found: Scene, _: Facts) -> None:
    """Another whole picture under a final name."""
    (found.case.folder / "a.png").write_bytes(picture(7))


BREACHES: dict[str, tuple[str, Break]] = {
    "a job is gone": ("1", lambda found, _: write(found.case, "DELETE FROM jobs WHERE id = 'a'")),
    "a job is not stored": ("1", lambda found, _: write(found.case, "UPDATE jobs SET head = 1 WHERE id = 'a'")),
    "a task was sold twice": ("2", sell_again),
    "a payment that nobody knows": ("3", sell_again),
    "another picture": ("4", flip),
    "a missing picture": ("4", lambda found, _: (found.case.folder / "a.png").unlink()),
    "half a picture": ("5", lambda found, _: (found.case.folder / "x.png").write_bytes(picture(1)[:60])),
    "a picture of no job": ("5", lambda found, _: (found.case.folder / "x.png").write_bytes(picture(1))),
    "a part": ("5", lambda found, _: (found.case.folder / ".batchgen/parts/.1.part").write_bytes(b"")),
    "half a report": ("5", lambda found, _: (found.case.folder / "report.json").write_bytes(b'{"counts": {"sto')),
    "half an epoch": ("5", lambda found, _: (found.case.folder / ".batchgen/epoch").write_bytes(b'{"runs')),
    "an old report": (
        "1",
        lambda found, _: (found.case.folder / "report.json").write_text('{"counts": {"stored": 1}}'),
    ),
    "a stranger's file changed": ("6", lambda found, _: (found.case.folder / "c.png").write_bytes(picture(1))),
    "a stranger's file gone": ("6", lambda found, _: (found.case.folder / "c.png").unlink()),
    "a wrong sum": ("7", lambda found, _: write(found.case, "UPDATE totals SET amount = -1 WHERE what='money:spent'")),
    "a credential in the log": ("8", lambda found, _: found.place.out.write_text(f"Bearer {CREDENTIAL}")),
    "a signature in the journal": ("8", lambda found, _: write(found.case, "UPDATE runs SET reason = 'signature=1'")),
    "a lost milestone": ("9", lambda found, _: write(found.case, "DELETE FROM milestones WHERE position = 2")),
    "an unlisted task": ("9", lambda _, noted: noted.append({"bought": "task_nowhere"})),
    "a picture fetched again": ("10", lambda _, noted: noted.append({"saving": [1, 1]})),
}


def test_a_batch_that_ended_well_has_no_breach(lived: Scene) -> None:
    """Nothing is found where nothing is wrong."""
    assert at_the_end(lived.case, facts(lived.place)) == []
    assert at_rest(lived.case, facts(lived.place)) == []


@pytest.mark.parametrize("name", BREACHES)
def test_every_breach_is_found(name: str, lived: Scene, tmp_path: Path) -> None:
    """Each promise, once broken, is named by its number."""
    number, damage = BREACHES[name]
    found = copied(lived, tmp_path)
    noted = list(facts(found.place))
    damage(found, noted)
    assert number in {breach.partition(":")[0] for breach in at_the_end(found.case, noted)}


def test_the_cap_is_judged(lived: Scene) -> None:
    """More money than allowed is a breach."""
    assert at_rest(replace(lived.case, cap_micro_usd=-1), []) != []


def test_a_proof_may_come_back_after_a_power_cut_only(lived: Scene, tmp_path: Path) -> None:
    """A proof of a stored picture, or a torn part, is no breach once the power was cut; anything else is."""
    found = copied(lived, tmp_path)
    asset = found.case.folder / "a.png"
    proof = f".1.{hashlib.sha256(asset.read_bytes()).hexdigest()}.part"
    (found.case.folder / ".batchgen/parts" / proof).hardlink_to(asset)
    noted = list(facts(found.place))
    assert at_the_end(found.case, noted) != []
    (found.case.folder / ".batchgen/parts/.1.0123456789abcdef.part").write_bytes(b"")
    after_cut = replace(found.case, parts_may_return=True)
    assert at_the_end(after_cut, noted) == []
    (found.case.folder / ".batchgen/parts/.1.other.part").write_bytes(b"")
    assert at_the_end(after_cut, noted) != []

"""One rehearsal: a gateway with its script played before it, and its diary in the state folder."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager

from starlette.types import ASGIApp

from batchgen.gateway.faults import Script
from batchgen.gateway.faults.diary import Diary
from batchgen.gateway.faults.player import Player


@contextmanager
def playing(app: ASGIApp, script: Script | None, folder: str) -> Iterator[ASGIApp]:
    """The app as it is without a script, and with one behind a player that writes `faults.jsonl` in the folder."""
    if script is None:
        yield app
        return
    with closing(Diary(os.path.join(folder, "faults.jsonl"), script.seed)) as diary:
        yield Player(app, script, diary)

"""The list of the faults that were played, one JSON line each, to hold against what a client made of them."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from batchgen.gateway.faults import Fault, Mark, Played, Route


class Diary:
    """The file `faults.jsonl`; append-only. A start of the gateway begins with a line of its own."""

    def __init__(self, path: str, seed: int, clock: Callable[[], float] = time.time) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._clock = clock
        self._write({"began": True, "seed": seed})

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def note(self, route: Route, number: int, played: Played) -> None:
        """A request that met a fault."""
        phase = "before" if played.before else "after"
        self._write({"route": route, "number": number, phase: _name(played.fault), **asdict(played.fault)})

    def note_task(self, number: int, mark: Mark, task: str) -> None:
        """A task that was sold with something wrong; `number` is that of its submit."""
        self._write({"task": mark.kind, "number": number, "task_id": task, "looks": mark.looks})

    def _write(self, document: dict[str, Any]) -> None:
        line = {"at": round(self._clock(), 3), **{key: value for key, value in document.items() if value is not None}}
        os.write(self._file, json.dumps(line, separators=(",", ":")).encode() + b"\n")


def _name(fault: Fault) -> str:
    return type(fault).__name__.lower()

"""What a person typed besides the manifest: what to do again, and which jobs to work on."""

import hashlib
import heapq
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, get_args

from batchgen.batch.asked import RunOptions
from batchgen.errors import FailureClass, SettingsError
from batchgen.job import InputRow
from batchgen.journal import STATES, Choice, Record, Redo, Run, Selection, State, Totals, state_of
from batchgen.journal.choosing import pattern
from batchgen.journal.scratch import Scratch
from batchgen.manifest.expression import Expression, compile_expression
from batchgen.manifest.misread import Misread
from batchgen.manifest.vocabulary import Names
from batchgen.plan import Wishes

UNFINISHED: Final = frozenset({70, 75, 4, 130, 143})
"""Exit codes of a run that goes on with the next one."""

_CLASSES: Final = frozenset(get_args(FailureClass)) - {"dropped"}
_EXPRESSION: Final = re.compile(r"[=<>'\"()]|\s(?:and|or|in|not)\s|^not\s")


def wishes(options: RunOptions, runs: Sequence[Run], scratch: Scratch) -> Wishes:
    """The wishes of a run; `runs` are those before it, the newest first.

    Raises:
        SettingsError: they cannot be understood.
    """
    redo = redo_of(options.redo, runs)
    chosen = choice(options, scratch)
    words = [f"--redo {each}" for each in sorted(options.redo)]
    words += [f"--only {options.only}"] if options.only is not None else []
    words += [f"--sample {options.sample}"] if options.sample is not None else []
    return Wishes(redo, chosen, " ".join(words))


def redo_of(typed: Sequence[str], runs: Sequence[Run]) -> Redo | None:
    """What is to be done again, None for nothing. It was decided if a run that did not finish was told the same.

    Raises:
        SettingsError: a picks file cannot be read.
    """
    if not typed:
        return None
    picks: dict[str, int] = {}
    globs, words = [], []
    for word in sorted(set(typed)):
        if word in _CLASSES or word in {"changed", "failed", "in_doubt"}:
            words.append(word)
        elif os.path.isfile(word):
            picks |= _picks(word)
            words.append(f"picks:{hashlib.sha256(json.dumps(picks, sort_keys=True).encode()).hexdigest()[:16]}")
        else:
            globs.append(word)
            words.append(f"id:{word}")
    classes = _CLASSES if "failed" in typed else _CLASSES & set(typed)
    told = " ".join(words)
    return Redo(
        told,
        decided=_decided(runs, told),
        changed="changed" in typed,
        classes=frozenset(each for each in get_args(FailureClass) if each in classes),
        in_doubt="in_doubt" in typed,
        globs=tuple(globs),
        picks=picks,
    )


def _decided(runs: Sequence[Run], words: str) -> bool:
    """Whether one of the runs that did not finish was told the same: its choice stands and is only carried on."""
    for run in runs:
        if run.verb != "run":
            continue
        if run.exit_code is not None and run.exit_code not in UNFINISHED:
            return False
        if run.redo == words:
            return True
    return False


def _picks(path: str) -> dict[str, int]:
    """A picks file: JSON with `picks`, each an id and the attempt that was judged."""
    try:
        with open(path, encoding="utf-8") as file:
            found: Any = json.load(file)
        return {str(each["id"]): int(each["attempt"]) for each in found["picks"]}
    except OSError as error:
        raise SettingsError(f"--redo {path}: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError):
        raise SettingsError(
            f'--redo {path}: this is no picks file; it holds {{"picks": [{{"id": "…", "attempt": 1}}]}}'
        ) from None


def choice(options: RunOptions, scratch: Scratch) -> Choice | None:
    """Which jobs are to be worked on, None for all.

    Raises:
        SettingsError: the condition cannot be understood.
    """
    parts: list[Choice] = []
    if options.only is not None:
        parts.append(_only(options.only, scratch))
    if options.sample is not None:
        among = (job_id for _, job_id in scratch.chosen(parts[0])) if parts else scratch.ids()
        parts.append(_Sample(max(heapq.nsmallest(options.sample, map(_lot, among)), default=b"")))
    return _All(tuple(parts)) if parts else None


def _only(text: str, scratch: Scratch) -> Choice:
    if not _EXPRESSION.search(text):
        return _Glob(text)
    columns: dict[str, None] = {}
    axes: set[str] = set()
    for each in scratch.some(50):
        columns |= dict.fromkeys(each.row.cells if each.row else ())
        axes |= set(each.axes)
    names = Names(columns, axes | {"id", "state"})
    try:
        return _Condition(compile_expression(text, names), names.slugs)
    except Misread as wrong:
        at = f" at its character {wrong.offset + 1}"
        raise SettingsError(f"--only{at}: {wrong}{f'; {wrong.hint}' if wrong.hint else ''}") from None


@dataclass(frozen=True, slots=True)
class _All:
    parts: tuple[Choice, ...]

    def __call__(self, job_id: str, state: State, row: InputRow | None, axes: Mapping[str, str]) -> bool:
        return all(part(job_id, state, row, axes) for part in self.parts)


@dataclass(frozen=True, slots=True)
class _Glob:
    glob: str

    def __call__(self, job_id: str, state: State, row: InputRow | None, axes: Mapping[str, str]) -> bool:  # noqa: ARG002
        return bool(pattern(self.glob).match(job_id))


@dataclass(frozen=True, slots=True)
class _Condition:
    expression: Expression
    slugs: Mapping[str, str]

    def __call__(self, job_id: str, state: State, row: InputRow | None, axes: Mapping[str, str]) -> bool:
        cells = row.cells if row else {}
        named = {self.slugs.get(header, header): cell for header, cell in cells.items()}
        try:
            return self.expression.matches({**cells, **named, **axes, "id": job_id, "state": state}, cells)
        except ValueError as wrong:
            raise SettingsError(f"--only at {job_id}: {wrong}") from None


@dataclass(frozen=True, slots=True)
class _Sample:
    """Ids up to a bound in an order that has nothing to do with theirs."""

    threshold: bytes

    def __call__(self, job_id: str, state: State, row: InputRow | None, axes: Mapping[str, str]) -> bool:  # noqa: ARG002
        return _lot(job_id) <= self.threshold


def _lot(job_id: str) -> bytes:
    return hashlib.sha256(job_id.encode("utf-8", "surrogatepass")).digest()


def chosen_totals(record: Record, choice: Choice) -> Totals:
    """The totals of a batch with the counts of the chosen jobs alone; blocks."""
    counts: dict[State, int] = dict.fromkeys(STATES, 0)
    kept = 0
    for each in record.entries(Selection(standings=frozenset({"current"}))):
        state = state_of(each.milestone)
        if choice(each.job.id, state, each.row, each.axes):
            counts[state] += 1
            kept += each.changed and state == "stored"
    return replace(record.totals(), counts=counts, kept=kept, models={})

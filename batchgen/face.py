"""Batches from Python: what `plan` and `run` do, for programs. Prints nothing and touches no signal.

Of the environment it looks at what the manifest names for the credential, at proxies and at certificates, and at
nothing at all when it is handed an `environ`.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeAlias, TypedDict, Unpack

import anyio

from batchgen import batch
from batchgen.batch import Ending, Observer, RunOptions, Unwatched
from batchgen.errors import SettingsError
from batchgen.journal import STATES, Run, State
from batchgen.location import Location, locate
from batchgen.manifest.load import Manifest
from batchgen.manifest.quantities import micro_usd
from batchgen.plan import Plan
from batchgen.report import export
from batchgen.report.closing import Ended, closing
from batchgen.report.summary import FailureCount, Summary, summary

Source: TypeAlias = Manifest | str | os.PathLike[str]
"""A manifest that was loaded, or the file of one."""

AGAIN: Final = frozenset({70, 75, 130, 143})
"""Exit codes after which the same call goes on, with nobody's help."""

MOST_USD: Final = 1_000_000_000


class Options(TypedDict, total=False):
    """What may be asked of a plan and of a run, by keyword; each left out is as on the command line.

    `max_usd` and `max_pictures` allow and bound what this run buys: nobody is there to be asked. `plan` is one made by
    `plan_batch` or written by `batchgen plan -o`: it allows what it says, and anything that moved since is refused.
    `deadline_seconds` after which nothing more is bought, `grace_seconds` how long what is open then, or when the call
    is cancelled, may go on. `redo`, `only` and `sample` as `--redo`, `--only`, `--sample`. `outputs` and `journal` are
    places, `store` the address of another one for pictures, `rows` another table, `root` the folder where references
    start, `provider` `local` or a URL, `dask` `local` or the address of the scheduler whose workers carry the jobs of a
    run. `offline` plans without asking the provider about its models. `environ` is where the credential, proxies and
    certificates are looked for in place of `os.environ`.
    """

    outputs: str | os.PathLike[str]
    journal: str | os.PathLike[str]
    provider: str
    store: str
    dask: str
    root: str | os.PathLike[str]
    rows: str | os.PathLike[str]
    redo: str | Sequence[str]
    only: str
    sample: int
    max_usd: float | Decimal
    max_pictures: int
    deadline_seconds: float
    grace_seconds: float
    plan: Plan | str | os.PathLike[str]
    offline: bool
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a batch, read from its journal: `ending` is how the run ended, `location` where the batch is."""

    ending: Ending
    location: Location

    @classmethod
    def read(
        cls, source: str | os.PathLike[str], *, outputs: str | None = None, journal: str | None = None
    ) -> "Report":
        """How a batch stands now, and its newest run; `source` is a manifest's file or a batch folder. Blocks.

        The exit code of a run that has no end, because it goes on or was killed, is 75.

        Raises:
            SettingsError: there is no such batch, or it was never run.
            JournalError: its journal cannot be read.
        """
        location = locate(os.fspath(source), outputs=outputs, provider=None, journal=journal)
        if not location.exists:
            raise SettingsError(f"{location.folder} holds no batch yet; `run_batch` begins one")
        with batch.open_record(location) as record:
            return cls(_ending(summary(record, str(location.folder), location.kept_in()), record.runs[0]), location)

    @property
    def exit_code(self) -> int:
        """What the command line would have ended with (docs/cli.md, exit codes)."""
        return self.ending.exit_code

    @property
    def reason(self) -> str:
        """One sentence on why it ended so."""
        return self.ending.reason

    @property
    def complete(self) -> bool:
        """Whether all is there that the manifest asks for, but for what its `failures.accept` lets be missing."""
        return self.exit_code == 0

    @property
    def again(self) -> bool:
        """Whether the same call goes on later with nobody's help."""
        return self.exit_code in AGAIN

    @property
    def name(self) -> str:
        """The batch's name."""
        return self.ending.summary.name

    @property
    def folder(self) -> Path:
        """Where its pictures are, absolute."""
        return self.location.folder

    @property
    def counts(self) -> Mapping[State, int]:
        """Jobs by state; a state without jobs counts 0."""
        return {state: self.ending.summary.of(state) for state in STATES}

    @property
    def failures(self) -> Sequence[FailureCount]:
        """What failed for good: class, reason and number of jobs, the most frequent first."""
        return self.ending.summary.failures

    @property
    def run_spent_usd(self) -> Decimal:
        """What the run has spent; 0 in a report that was read later, as a journal keeps sums of batches."""
        return _usd(self.ending.spent_micro_usd)

    @property
    def spent_usd(self) -> Decimal:
        """What the batch has cost in all its runs."""
        return _usd(self.ending.summary.money.spent)

    @property
    def in_doubt_usd(self) -> Decimal:
        """What may have been paid beyond that, and waits for a decision."""
        return _usd(self.ending.summary.money.in_doubt)

    def rows(self) -> Iterator[dict[str, Any]]:
        """A row for each job with the keys of `batchgen export`, streamed from the journal as it is now. Blocks."""
        with batch.open_record(self.location) as record:
            yield from export.rows(record)

    def lines(self) -> tuple[str, ...]:
        """The last lines of `batchgen run`, without the command that goes on."""
        how = self.ending
        ended = Ended(how.exit_code, how.reason, (), (), how.run, how.seconds, how.spent_micro_usd, how.summary)
        return tuple(line for line in closing(ended) if not line.startswith("  next "))

    def as_json(self) -> dict[str, Any]:
        """The figures of run and batch, as `run --json` ends with them."""
        return self.ending.as_json()


async def plan_batch(manifest: Source, **options: Unpack[Options]) -> Plan:
    """What `run_batch` would do, and what it would cost. Writes nothing and buys nothing.

    Raises:
        ManifestError: with every problem found, in the file and in what would be sent.
        SettingsError, JournalError: there is something to mend first.
    """
    return await batch.plan(_asked(manifest, options))


async def run_batch(manifest: Source, observer: Observer | None = None, **options: Unpack[Options]) -> Report:
    """Buy what is owed; the same call again goes on where the last one stopped, whatever stopped it.

    A run that was begun ends in a Report, also one that could not finish. It may be cancelled at any moment: what is
    open has the grace to end, and the next call goes on.

    Raises:
        BatchgenError: nothing could be begun, or the journal failed; `exit_code` says what to do.
    """
    asked = _asked(manifest, options)
    ending = await batch.run(asked, Unwatched() if observer is None else observer)
    return Report(ending, await anyio.to_thread.run_sync(batch.where, asked))


def _ending(found: Summary, last: Run) -> Ending:
    code = 75 if last.exit_code is None else last.exit_code
    seconds = (last.ended or last.began) - last.began
    return Ending(code, last.reason or "it has no end yet", found.folder, last.number, seconds, 0, found)


def _asked(manifest: Source, options: Options) -> RunOptions:
    """The options as the room below takes them.

    Raises:
        TypeError: an option is not there.
        SettingsError: one makes no sense.
    """
    for name in options:
        if name not in Options.__annotations__:
            raise TypeError(f"there is no option {name!r}; there are {', '.join(sorted(Options.__annotations__))}")
    loaded = manifest if isinstance(manifest, Manifest) else None
    if loaded is not None and {"provider", "root"} & options.keys():
        raise SettingsError("provider and root of a manifest that was loaded already: give them to Manifest.load")
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    for name in {"outputs", "journal", "root", "rows", "plan"} & given.keys():
        given[name] = given[name] if isinstance(given[name], Plan) else os.fspath(given[name])
    if "max_usd" in given:
        given["max_micro_usd"] = _micro_usd(given.pop("max_usd"))
    if isinstance(given.get("redo"), str):
        given["redo"] = (given["redo"],)
    given["redo"] = tuple(given.get("redo", ()))
    path = os.fspath(manifest.path if isinstance(manifest, Manifest) else manifest)
    return RunOptions(path, read=loaded, on_paper=True, **given)


def _micro_usd(amount: float | Decimal) -> int:
    if not 0 <= amount <= MOST_USD:
        raise SettingsError(f"max_usd={amount} is no sum in dollars")
    return micro_usd(float(amount))


def _usd(amount: int) -> Decimal:
    return Decimal(amount) / 1_000_000

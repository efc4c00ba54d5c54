"""Doors of our own making, and a way to type a command at them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from click.testing import CliRunner, Result

from batchgen.api.models import Catalogue
from batchgen.batch import Ending, Observer, RunOptions, Whom
from batchgen.cli import program
from batchgen.cli.doors import Doors
from batchgen.decide import Decision
from batchgen.gateway.serve import Ready, ServeOptions
from batchgen.journal import Comparison, Progress, Record
from batchgen.location import Location
from batchgen.plan import Plan
from batchgen.report.summary import summary
from batchgen.view.serve import ViewOptions
from tests.report.made import FakeRecord

FOLDER = "/abs/outputs/autumn"


@dataclass
class FakeDoors(Doors):
    """Doors that answer what they were given and remember what they were asked."""

    record: FakeRecord = field(default_factory=FakeRecord)
    exists: bool = True
    exit_code: int = 0
    number: int = 2
    reason: str = ""
    tell: Callable[[Observer], None] = lambda _: None
    broken: BaseException | None = None
    planned: Plan = field(default_factory=lambda: Plan(FOLDER, "autumn", 1, True, Comparison({"new": 8}, 8, {})))
    catalogue: Catalogue = field(default_factory=Catalogue)
    options: list[RunOptions] = field(default_factory=list)
    located: list[tuple[str, str | None, str | None, str | None]] = field(default_factory=list)
    decided: list[tuple[Decision, Sequence[str] | None]] = field(default_factory=list)
    served: list[ServeOptions] = field(default_factory=list)
    viewed: list[ViewOptions] = field(default_factory=list)

    def run(self, options: RunOptions, observer: Observer) -> Ending:
        """Tell the observer, then end."""
        self.options.append(options)
        if self.broken is not None:
            raise self.broken
        self.tell(observer)
        found = summary(self.record, FOLDER)
        return Ending(self.exit_code, self.reason, FOLDER, self.number, 60.0, found.money.spent, found)

    def plan(self, options: RunOptions) -> Plan:
        """The plan that was given."""
        self.options.append(options)
        return self.planned

    def models(self, options: RunOptions) -> Catalogue:
        """The catalogue that was given."""
        self.options.append(options)
        return self.catalogue

    def locate(self, source: str, *, outputs: str | None, provider: str | None, journal: str | None) -> Location:
        """A batch whose journal is there or not."""
        self.located.append((source, outputs, provider, journal))
        return Location(Path(FOLDER), "autumn", Path(__file__ if self.exists else "/nowhere/journal.db"))

    def open_record(self, location: Location) -> AbstractContextManager[Record]:
        """The record that was given."""

        @contextmanager
        def opened() -> Iterator[Record]:
            if self.broken is not None:
                raise self.broken
            yield self.record

        return opened()

    def decide(self, location: Location, decision: Decision, names: Sequence[str] | None, whom: Whom) -> list[Progress]:
        """Remember the decision; it concerns all jobs."""
        self.decided.append((decision, names))
        return list(self.record.jobs)

    def serve(self, options: ServeOptions, ready: Callable[[Ready], None]) -> None:
        """Be ready, then be told to stop."""
        self.served.append(options)
        ready(Ready("http://127.0.0.1:8787", "made-key", options.state_dir, None))

    def view(self, options: ViewOptions, ready: Callable[[str], None]) -> None:
        """Be ready, then be told to stop."""
        self.viewed.append(options)
        ready("http://127.0.0.1:8780/")


def typed(*words: str, doors: Doors | None = None, **more: str) -> Result:
    """Type a command; keywords become its environment."""
    return CliRunner().invoke(program, list(words), obj=doors or FakeDoors(), env=more)


def flat(text: str) -> str:
    """The text as if on one line: last lines are wrapped wherever a path is long."""
    return " ".join(text.split())

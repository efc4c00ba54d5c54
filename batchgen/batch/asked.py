"""What a run is asked for, who watches it, how it ends; and the manifest, read, with its place."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from pydantic import BaseModel

from batchgen.batch.means import Means
from batchgen.batch.storing import pictures_of, require_lasting
from batchgen.errors import SettingsError
from batchgen.guard import is_loopback
from batchgen.job import Job
from batchgen.journal import Caps, Choice, Identity, Progress
from batchgen.location import Location, locate, place
from batchgen.manifest.load import Manifest, load
from batchgen.manifest.provider import Local, Remote
from batchgen.plan import Plan
from batchgen.report.figures import Figures
from batchgen.report.summary import Summary, as_json
from batchgen.report.words import dollars
from batchgen.settings import environment


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a person or a program asked for; None means as the manifest says.

    `unattended` means that nobody is there to answer; `confirm` asks a person a yes-or-no question. `redo`, `only` and
    `sample` are what batchgen.batch.wishes reads; `rows` is another table than the manifest's, `plan` a plan or its
    file, `on_paper` that the plan is to be held to later. `read` is the manifest if it was read before, `signals` that
    SIGINT, SIGTERM and SIGHUP are heard, `environ` where credential, proxies and certificates are looked for. `dask`
    is the address of a cluster that carries the jobs, or `local` for one that this machine makes for the run.
    """

    manifest: str
    outputs: str | None = None
    journal: str | None = None
    provider: str | None = None
    store: str | None = None
    grace_seconds: float = 25
    max_pictures: int | None = None
    max_micro_usd: int | None = None
    deadline_seconds: float | None = None
    redo: tuple[str, ...] = ()
    only: str | None = None
    sample: int | None = None
    rows: str | None = None
    root: str | None = None
    dask: str | None = None
    plan: str | Plan | None = None
    on_paper: bool = False
    offline: bool = False
    unattended: bool = True
    confirm: Callable[[str], bool] = lambda _: False
    means: Means = field(default_factory=Means)
    read: Manifest | None = None
    signals: bool = False
    environ: Mapping[str, str] = field(default_factory=environment)


@dataclass(frozen=True, slots=True)
class Whom:
    """Whom to ask: the manifest or batch folder that was named, and a provider in place of the manifest's."""

    source: str
    provider: str | None = None


class Observer(Protocol):
    """Whoever watches a run; called from the event loop, and never asked for anything.

    A class that names it as its base has all three, and overrides those that it wants to hear: no body is empty, as an
    empty one would be abstract.
    """

    def opened(self, folder: str, run: int, new: bool) -> None:  # noqa: ARG002, FBT001  # an event, not a switch
        """The batch is known, before anything is bought."""
        return

    def finished(self, progress: Progress) -> None:  # noqa: ARG002
        """A picture is stored, or a job is over without one."""
        return

    def figures(self, figures: Figures) -> None:  # noqa: ARG002
        """Where the run stands, a few times a second."""
        return


class Unwatched(Observer):
    """An observer that does not look."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended. `run` is its number, 0 when there was nothing to do; `spent_micro_usd` is its own."""

    exit_code: int
    reason: str
    folder: str
    run: int
    seconds: float
    spent_micro_usd: int
    summary: Summary

    def as_json(self) -> dict[str, Any]:
        """The figures of the run and of the batch, as the last line of `run --json` has them."""
        return {
            "exit_code": self.exit_code,
            "reason": self.reason,
            "run": self.run,
            "seconds": round(self.seconds, 1),
            "spent_usd": dollars(self.spent_micro_usd),
            "batch": as_json(self.summary),
        }


def nothing(_: object) -> None:
    """No price is known, and no URL has a signature."""


@dataclass(frozen=True, slots=True)
class Buying:
    """How a run buys: the price of a job in micro-USD, what may not be exceeded, which jobs are worked on.

    `signed` gives a URL with the signature that the journal does not keep.
    """

    price: Callable[[Job], int | None] = nothing
    caps: Caps = field(default_factory=Caps)
    signed: Callable[[str], str | None] = nothing
    choice: Choice | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A manifest, where its batch lives, and how its pictures are bought."""

    manifest: Manifest
    location: Location
    buying: Buying = field(default_factory=Buying)
    environ: Mapping[str, str] = field(default_factory=environment)

    @property
    def provider(self) -> str:
        """Whom the batch belongs to: `local`, `loopback` whatever its port, or an origin."""
        match self.manifest.provider:
            case Local():
                return "local"
            case Remote(base_url=url):
                return "loopback" if is_loopback(urlsplit(url).hostname or "") else url

    @property
    def free(self) -> bool:
        """Whether buying costs nothing: at the gateway of the run itself, or any on this machine."""
        return self.provider in {"local", "loopback"}

    @property
    def aliases(self) -> frozenset[str]:
        """Other names under which this provider may have begun the batch."""
        match self.manifest.provider:
            case Local():
                return frozenset()
            case Remote(also_known_as=names):
                return frozenset(names)

    def identity(self) -> Identity:
        """Whose journal it is, with a batch id in case it is new."""
        return Identity(secrets.token_hex(16), self.manifest.name, str(self.manifest.path), self.provider)


def asked(options: RunOptions) -> Asked:
    """Read the manifest; blocks.

    Raises:
        ManifestError: with every problem found.
        SettingsError: the command line is wrong.
    """
    if options.max_pictures is not None and options.max_pictures < 0:
        raise SettingsError("--max-pictures takes a number from 0")
    manifest = _with_options(options.read or load(options.manifest, options.provider, options.root), options)
    found = Asked(manifest, _placed(manifest, options), environ=options.environ)
    require_lasting(pictures_of(found.location), free=found.free)
    return found


def where(options: RunOptions) -> Location:
    """Where the batch lives, found without reading all of its manifest; blocks.

    Raises:
        SettingsError, ManifestError: there is no such manifest, or it has no name.
    """
    if options.read is not None:
        return _placed(options.read, options)
    found = locate(options.manifest, outputs=options.outputs, provider=options.provider, journal=options.journal)
    return replace(found, store=options.store or "")


def _placed(manifest: Manifest, options: RunOptions) -> Location:
    journal = options.journal or manifest.database or (str(manifest.journal) if manifest.journal else None)
    local = isinstance(manifest.provider, Local)
    path = Path(options.manifest).absolute()
    found = place(path, manifest.name, local=local, outputs=options.outputs, journal=journal)
    return replace(found, store=options.store or "")


def _with_options(manifest: Manifest, options: RunOptions) -> Manifest:
    """The manifest with what the command says over it."""
    if options.deadline_seconds is not None:
        limits = replace(manifest.terms.limits, deadline_seconds=options.deadline_seconds)
        manifest = replace(manifest, terms=replace(manifest.terms, limits=limits))
    if options.rows is not None:
        manifest = _with_table(manifest, str(Path(options.rows).absolute()))
    return manifest


def _with_table(manifest: Manifest, path: str) -> Manifest:
    """The manifest with another table, wherever it lies; its name stands in the keys too, for the digest of inputs."""
    keys = manifest.document.keys
    if not isinstance(keys.rows, BaseModel):
        raise SettingsError("--rows is another table for a manifest with `rows`; this one has none")
    other = keys.model_copy(update={"rows": keys.rows.model_copy(update={"from_": path})})
    return replace(manifest, document=replace(manifest.document, keys=other), table=Path(path))

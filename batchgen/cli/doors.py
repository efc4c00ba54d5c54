"""What the verbs call below the roof, each part imported when it is called; tests hand in doors of their own."""

import gc
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from batchgen.api.models import Catalogue
    from batchgen.batch import Ending, Observer, RunOptions, Whom
    from batchgen.batch.doctor import Examined
    from batchgen.batch.explaining import Explained
    from batchgen.batch.keeping import Verified, VerifyOptions
    from batchgen.decide import Decision
    from batchgen.gateway.serve import Ready, ServeOptions
    from batchgen.journal import Progress, Record
    from batchgen.location import Location
    from batchgen.plan import Plan
    from batchgen.prune import Leftover
    from batchgen.selftest import Options, Outcome
    from batchgen.view.serve import ViewOptions


class Doors:
    """The real doors. The event loop lives in here; the verbs are plain functions."""

    def run(self, options: "RunOptions", observer: "Observer") -> "Ending":
        """Buy what is owed."""
        import anyio

        from batchgen import batch

        spare_the_collector()
        return anyio.run(batch.run, options, observer, backend_options=quickest_loop())

    def plan(self, options: "RunOptions") -> "Plan":
        """Say what a run would do."""
        import anyio

        from batchgen import batch

        return anyio.run(batch.plan, options)

    def write_plan(self, plan: "Plan", path: str) -> None:
        """Put a plan on paper."""
        from batchgen import batch

        batch.write_plan(plan, path)

    def explain(self, source: str, location: "Location", name: str) -> "Explained":
        """Tell all of one job, by its id or its picture."""
        from batchgen.batch.explaining import explain

        return explain(source, location, name)

    def models(self, options: "RunOptions") -> "Catalogue":
        """Ask the provider about its models."""
        import anyio

        from batchgen import batch

        return anyio.run(batch.catalogue, options)

    def locate(self, source: str, *, outputs: str | None, provider: str | None, journal: str | None) -> "Location":
        """Find a batch by its manifest or its folder."""
        from batchgen.location import locate

        return locate(source, outputs=outputs, provider=provider, journal=journal)

    def open_record(self, location: "Location") -> "AbstractContextManager[Record]":
        """Open a batch's journal for reading."""
        from batchgen import batch

        return batch.open_record(location)

    def budget(self, source: str) -> int | None:
        """What a manifest says the batch may cost, in micro-USD; None when it says nothing or cannot be read."""
        from batchgen.errors import BatchgenError
        from batchgen.manifest.load import load

        try:
            return load(source).terms.budget.max_micro_usd if os.path.isfile(source) else None
        except BatchgenError:
            return None

    def decide(
        self, location: "Location", decision: "Decision", names: Sequence[str] | None, whom: "Whom"
    ) -> "list[Progress]":
        """Write a decision about the jobs of these ids or globs, or (None) about all in doubt."""
        import anyio

        from batchgen import batch

        return anyio.run(batch.decide, location, decision, names, whom)

    def verify(self, options: "VerifyOptions") -> "Verified":
        """Hold files and journal against each other."""
        import anyio

        from batchgen.batch import keeping

        return anyio.run(keeping.verify, options)

    def prune(self, location: "Location", *, delete: bool) -> "list[Leftover]":
        """Find pictures that are not asked for any more, and remove them if told to."""
        import anyio

        from batchgen.batch import keeping

        return anyio.run(partial(keeping.prune, location, delete=delete))

    def doctor(self, location: "Location", source: str, provider: str | None) -> "list[Examined]":
        """Look at everything that a run would need."""
        import anyio

        from batchgen.batch import doctor

        return anyio.run(doctor.doctor, location, source, provider)

    def explore(self, options: "Options", told: "Callable[[int, int], None]") -> "Outcome":
        """Die every death that is asked for."""
        from batchgen.selftest import explore

        return explore(options, told)

    def serve(self, options: "ServeOptions", ready: "Callable[[Ready], None]") -> None:
        """Play the provider until told to stop."""
        import anyio

        from batchgen.gateway.serve import serve

        anyio.run(serve, options, ready, backend_options=quickest_loop())

    def view(self, options: "ViewOptions", ready: "Callable[[str], None]") -> None:
        """Show a batch in the browser until told to stop."""
        import anyio

        from batchgen import batch
        from batchgen.view.serve import serve

        anyio.run(serve, options, batch.open_record, ready)


class Desk(NamedTuple):
    """What every verb is handed: the doors, and the words of the command as typed after the program's name."""

    doors: Doors
    words: tuple[str, ...]


def quickest_loop() -> dict[str, bool]:
    """The event loop for verbs with much to do: uvloop where it is installed, which the extra `fast` does."""
    from importlib.util import find_spec

    return {"use_uvloop": find_spec("uvloop") is not None}


def spare_the_collector() -> None:
    """Let the collector of garbage leave alone what is loaded, which lives as long as the command; and come less often.

    Carrying a job makes hundreds of objects and hardly a cycle.
    """
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)

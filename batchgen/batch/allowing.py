"""Before a run buys: whether it may, and within which bounds."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batchgen.batch.asked import Asked, Buying, RunOptions
from batchgen.batch.planning import Planned
from batchgen.errors import SettingsError
from batchgen.expansion import Expansion
from batchgen.job import Job
from batchgen.journal import Caps
from batchgen.manifest.inputs import moved as moved_inputs
from batchgen.plan import Allowance, Plan, Prices, consent, paper


def allow(read: Asked, plan: Plan, options: RunOptions) -> None:
    """Make sure that this run may buy what is planned.

    Raises:
        SettingsError: nobody allowed it, it was bought before under another name, or there is no room for it.
    """
    on_paper = options.plan is not None
    if options.plan is not None:
        given = _given(options.plan)
        paper.hold_to(given, plan, moved_inputs(str(given.get("inputs", "")), read.manifest))
    if not plan.to_buy:
        return
    confirm = None if options.unattended else options.confirm
    if plan.siblings and (confirm is None or not confirm(f"{plan.siblings[0]}. Buy them anew?")):
        raise SettingsError(f"{plan.siblings[0]}; nothing was sent")
    if not plan.forecast.fits:
        needed, free = (round((each or 0) / 1e9, 1) for each in (plan.forecast.needed_bytes, plan.forecast.free_bytes))
        raise SettingsError(
            f"{plan.folder} has room for {free:,} GB, and the pictures need about {needed:,} GB; make room, or name "
            "another place with --outputs. Nothing was sent"
        )
    if not read.free:
        allowed = Allowance(options.max_micro_usd, options.max_pictures, planned=on_paper)
        consent(plan, allowed, read.manifest.terms.budget.ask_above_micro_usd, confirm)


def _given(plan: str | Plan) -> Mapping[str, Any]:
    """A plan on paper, from its file or as it was made."""
    return paper.on_paper(plan) if isinstance(plan, Plan) else paper.read(plan)


@dataclass(frozen=True, slots=True)
class PriceOf:
    """The price of a job, for whoever carries it."""

    prices: Prices

    def __call__(self, job: Job) -> int | None:
        """In micro-USD, None when unknown."""
        return self.prices.of(job.request)


def buying_of(found: Planned, expansion: Expansion, options: RunOptions) -> Buying:
    """How the run buys."""
    budget = found.prices.budget
    most = [each for each in (options.max_micro_usd, _of_plan(found.plan, options)) if each is not None]
    caps = Caps(
        batch=budget.max_micro_usd,
        day=budget.max_micro_usd_per_day,
        run=min(most, default=None),
        run_pictures=options.max_pictures,
    )
    return Buying(PriceOf(found.prices), caps, expansion.scratch.signed, found.wishes.choice)


def _of_plan(plan: Plan, options: RunOptions) -> int | None:
    """A plan on paper allows what it costs, and nothing more."""
    return plan.cost_micro_usd if options.plan is not None else None


def write_plan(plan: Plan, path: str) -> None:
    """Put a plan on paper.

    Raises:
        SettingsError: the file cannot be written.
    """
    try:
        Path(path).write_text(paper.as_text(plan), encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"-o {path}: {error.strerror or error}") from None

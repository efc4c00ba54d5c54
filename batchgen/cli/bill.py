"""A plan as people read it and as programs do: the difference, the bill, the time, the room, three pictures."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from batchgen.job import Draft, effective
from batchgen.journal import Change, Difference, Kind
from batchgen.report.plain import columns, fit, fit_end, harmless, wrapped
from batchgen.report.words import dollars, first_lines, many, span, usd, volume

if TYPE_CHECKING:
    from batchgen.plan import Cost, Plan

_KINDS: Final[dict[Kind, str]] = {
    "new": "to be bought",
    "changed": "kept as they were bought; --redo changed buys them",
    "unchanged": "nothing to do",
    "renamed": "the same pictures under another id",
    "gone": "no longer asked for; files stay",
}

_EXAMPLES: Final = 3
_WIDTH: Final = 80
_MARGIN: Final = " " * 15


def lines(plan: "Plan") -> Iterator[str]:
    """A plan for people, at most 80 columns wide but for the folder."""
    yield first_lines(plan.folder, plan.run, new=plan.new, store=plan.store)
    for kind, meaning in _KINDS.items():
        if count := plan.comparison.counts.get(kind, 0):
            yield f"  {kind:<12} {count:>9,}  {meaning}"
            if kind != "unchanged":
                for each in plan.comparison.examples.get(kind, ())[:_EXAMPLES]:
                    yield from _example(each)
    if plan.comparison.redone:
        yield f"  {'done again':<12} {plan.comparison.redone:>9,}  because --redo says so"
    if plan.comparison.skipped:
        yield f"  {'left alone':<12} {plan.comparison.skipped:>9,}  not chosen now"
    for said in (*plan.siblings, *plan.warnings):
        yield from _wrapped("note", harmless(said))
    if not plan.to_buy:
        yield "  nothing to buy: everything is there"
        return
    yield from _money(plan)
    yield from _needs(plan)
    yield from _samples(plan)


def _example(difference: Difference) -> Iterator[str]:
    was = f" (was {harmless(difference.was)})" if difference.was else ""
    left = fit(f"{harmless(difference.id)}{was}", 40)
    if not difference.changes:
        yield f"{'':<26}{left}  {fit(harmless(difference.reason), 52 - columns(left))}".rstrip()
        return
    yield f"{'':<26}{left}"
    for change in difference.changes:
        yield from _change(change)


def _change(change: Change) -> Iterator[str]:
    old, new = (harmless(each.replace("\n", " ")) or "unset" for each in (change.old, change.new))
    room = _WIDTH - 28 - len(change.field) - 2
    if columns(old) + columns(new) + 4 <= room:
        yield f"{'':<28}{change.field}: {old} -> {new}"
        return
    yield f"{'':<28}{change.field}: {fit(old, room)}"
    yield f"{'':<28}{'->':>{len(change.field) + 1}} {fit(new, room)}"


def _money(plan: "Plan") -> Iterator[str]:
    price = usd(plan.cost_micro_usd) if plan.cost_micro_usd else "a price that is not known"
    price = "nothing, as a rehearsal" if plan.free else price
    yield f"  to buy       {many(plan.to_buy, 'picture')} for {price}"
    if plan.free:
        return
    for each in plan.costs:
        yield f"{_MARGIN}{_cost(each)}"
    if plan.unpriced and plan.cost_micro_usd:
        yield f"{_MARGIN}{many(plan.unpriced, 'picture')} of them at a price that is not known"
    if plan.budget_micro_usd is None:
        return
    left = usd(plan.budget_micro_usd)
    if plan.too_dear:
        short = usd(plan.cost_micro_usd - plan.budget_micro_usd)
        yield from _wrapped("budget", f"EXCEEDED: {left} left, {short} short; the run stops there")
    else:
        yield f"  budget       {left} left, enough for all"


def _cost(cost: "Cost") -> str:
    if cost.price_micro_usd is None:
        return fit(f"{cost.pictures:>7,} x {harmless(cost.name)}: price unknown", _WIDTH - len(_MARGIN))
    moved = f", was {usd(cost.before_micro_usd)}" if cost.moved and cost.before_micro_usd is not None else ""
    priced = f"at {usd(cost.price_micro_usd)} ({cost.source}{moved})"
    return fit(f"{cost.pictures:>7,} x {harmless(cost.name)} {priced}", _WIDTH - len(_MARGIN))


def _needs(plan: "Plan") -> Iterator[str]:
    found = plan.forecast
    if found.reason:
        guess = "; no picture was timed yet" if found.guessed else ""
        yield from _wrapped("time", f"about {span(found.seconds)}, held back by {found.reason}{guess}")
    free = "" if found.free_bytes is None else f", {volume(found.free_bytes)} free"
    where = "size" if plan.store else "disk"
    yield f"  {where}         about {volume(found.needed_bytes)}{free}{'' if found.fits else ': NOT ENOUGH'}"


def _samples(plan: "Plan") -> Iterator[str]:
    for draft in plan.samples:
        yield f"  {'picture':<12} {fit(harmless(draft.id), _WIDTH - 15)}"
        yield f"{_MARGIN}{fit(_fields(draft), _WIDTH - 15)}"
        yield f"{_MARGIN}{fit_end(harmless(draft.path), _WIDTH - 16)}"
        words = " ".join(draft.request.prompt.split())
        yield f"{_MARGIN}{fit(harmless(words), _WIDTH - 15)}"


def _fields(draft: Draft) -> str:
    fields = {name: value for name, value in effective(draft.request).items() if name not in {"prompt", "model"}}
    told = [harmless(str(value)) for value in (draft.request.model, *fields.values())]
    references = len(draft.request.references)
    return ", ".join([*told, *([many(references, "reference")] if references else [])])


def _wrapped(name: str, text: str) -> Iterator[str]:
    for index, each in enumerate(wrapped(text, _WIDTH - 15)):
        yield f"  {name if index == 0 else '':<12} {each}"


def as_json(plan: "Plan") -> dict[str, Any]:
    """A plan for programs; sums in USD."""
    found = plan.comparison
    return {
        "v": 1,
        "name": plan.name,
        "folder": plan.folder,
        "run": plan.run,
        "new_batch": plan.new,
        "counts": {kind: found.counts.get(kind, 0) for kind in _KINDS},
        "to_buy": plan.to_buy,
        "done_again": found.redone,
        "not_chosen": found.skipped,
        "cost_usd": dollars(plan.cost_micro_usd),
        "unpriced": plan.unpriced,
        "costs": [_cost_as_json(each) for each in plan.costs],
        "budget_left_usd": None if plan.budget_micro_usd is None else dollars(plan.budget_micro_usd),
        "exceeds_budget": plan.too_dear,
        "seconds": round(plan.forecast.seconds, 1),
        "held_back_by": plan.forecast.reason or None,
        "needed_bytes": plan.forecast.needed_bytes,
        "free_bytes": plan.forecast.free_bytes,
        "examples": {
            kind: [_difference_as_json(each) for each in examples] for kind, examples in found.examples.items()
        },
        "pictures": [
            {"id": each.id, "path": each.path, **effective(each.request), "take": each.request.take}
            for each in plan.samples
        ],
        "warnings": [*plan.siblings, *plan.warnings],
        **({"store": plan.store} if plan.store else {}),
    }


def _cost_as_json(cost: "Cost") -> dict[str, Any]:
    return {
        "name": cost.name,
        "pictures": cost.pictures,
        "price_usd": None if cost.price_micro_usd is None else dollars(cost.price_micro_usd),
        "source": cost.source or None,
        "before_usd": None if cost.before_micro_usd is None else dollars(cost.before_micro_usd),
    }


def _difference_as_json(difference: Difference) -> dict[str, Any]:
    told = {"id": difference.id, "reason": difference.reason, "was": difference.was or None}
    changes = [{"field": each.field, "old": each.old, "new": each.new} for each in difference.changes]
    return {**told, "changes": changes} if changes else told

"""A plan on paper: written by `plan -o`, held against what is so now by `run --plan`."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from batchgen.errors import SettingsError
from batchgen.plan.plans import Plan
from batchgen.report.words import many, usd

FORMAT: Final = 1


def on_paper(plan: Plan) -> dict[str, Any]:
    """All that must still be so when the plan is carried out."""
    return {
        "v": FORMAT,
        "name": plan.name,
        "folder": plan.folder,
        "run": plan.run,
        "counts": dict(plan.comparison.counts),
        "to_buy": plan.to_buy,
        "cost_micro_usd": plan.cost_micro_usd,
        "unpriced": plan.unpriced,
        "prices": {each.name: each.price_micro_usd for each in plan.costs},
        "wishes": plan.wishes,
        "inputs": plan.inputs,
        "jobs": plan.digest,
    }


def as_text(plan: Plan) -> str:
    """A plan as a file holds it."""
    return json.dumps(on_paper(plan), indent=1) + "\n"


def read(path: str) -> Mapping[str, Any]:
    """A plan from its file.

    Raises:
        SettingsError: there is none, or it is none.
    """
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except OSError as error:
        raise SettingsError(f"--plan {path}: {error.strerror or error}; `batchgen plan -o` writes one") from None
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("v") != FORMAT or set(found) < {"jobs", "prices", "to_buy"}:
        raise SettingsError(f"--plan {path}: this is no plan of this batchgen; `batchgen plan -o` writes one")
    return found


def hold_to(paper: Mapping[str, Any], plan: Plan, moved_inputs: list[str]) -> None:
    """Make sure that a plan on paper still holds. Less to buy than planned is no surprise: a run had begun.

    `moved_inputs` names the files that are not as they were.

    Raises:
        SettingsError: it does not hold; says what moved. Nothing was sent.
    """
    found = list(_moved(paper, plan, moved_inputs))
    if found:
        raise SettingsError(
            f"the plan no longer holds: {'; '.join(found)}. Nothing was sent; plan again and look at it"
        )


def _moved(paper: Mapping[str, Any], plan: Plan, moved_inputs: list[str]) -> Iterator[str]:
    if paper.get("folder") != plan.folder:
        yield f"it is for the batch in {paper.get('folder')}"
    if paper.get("wishes") != plan.wishes:
        yield f"it was made with {paper.get('wishes') or 'no options'}, not with {plan.wishes or 'none'}"
    if paper["jobs"] != plan.digest:
        yield f"what is asked for has changed ({', '.join(moved_inputs[:5]) or 'the files that it names'})"
    for each in plan.costs:
        planned = paper["prices"].get(each.name)
        if planned != each.price_micro_usd:
            yield f"{each.name} costs {_told(each.price_micro_usd)}, planned was {_told(planned)}"
    if plan.to_buy > int(paper["to_buy"]):
        yield f"{many(plan.to_buy, 'picture')} would be bought, planned were {paper['to_buy']:,}"


def _told(micro_usd: int | None) -> str:
    return "an unknown price" if micro_usd is None else usd(micro_usd)

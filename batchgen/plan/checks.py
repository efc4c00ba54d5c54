"""What is wrong with what would be sent: models, parameters, prices; once for each shape, told with examples."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from batchgen.expansion import Expansion
from batchgen.job import Request
from batchgen.manifest.problems import ManifestProblems, Problem
from batchgen.plan.prices import Prices
from batchgen.report.words import usd

EXAMPLES: Final = 20
"""Places in the manifest that are named for one cause."""


def check(expansion: Expansion, shapes: Mapping[int, int], prices: Prices) -> None:
    """Find everything in the jobs to be sent that their models do not take, and whatever costs more than it may.

    `shapes` are the jobs to be sent by shape.

    Raises:
        ManifestProblems: each problem at its place in the manifest, once for all jobs that have it from there.
    """
    problems = [each for shape, count in shapes.items() for each in _wrong(expansion, shape, count, prices)]
    if problems:
        raise ManifestProblems(problems)


def _wrong(expansion: Expansion, shape: int, count: int, prices: Prices) -> Iterator[Problem]:
    request = expansion.scratch.shapes[shape]
    for wrong in prices.catalogue.check(request):
        hint = f"did you mean `{wrong.suggestion}`?" if wrong.suggestion else ""
        yield from _placed(expansion, shape, count, wrong.field, (wrong.message, hint))
    yield from _too_dear(expansion, shape, count, request, prices)


def _too_dear(expansion: Expansion, shape: int, count: int, request: Request, prices: Prices) -> Iterator[Problem]:
    most, price = prices.budget.max_micro_usd_per_picture, prices.of(request)
    if most is None:
        return
    if price is None and prices.asked:
        message = f"nobody says what a picture costs, and budget.max_usd_per_picture allows {usd(most)}"
        hint = f"say it in dollars: budget: {{prices: {{{request.model}: …}}}}"
        yield from _placed(expansion, shape, count, "model", (message, hint))
    elif price is not None and price > most:
        message = f"a picture costs {usd(price)}, and budget.max_usd_per_picture allows {usd(most)}"
        yield from _placed(expansion, shape, count, "model", (message, ""))


def _placed(expansion: Expansion, shape: int, count: int, field: str, said: tuple[str, str]) -> Iterator[Problem]:
    """A problem at each of its places; with how many jobs share it, where they are too many to name."""
    message, hint = said
    found = expansion.scratch.of_shape(shape, EXAMPLES)
    problems = [expansion.where(each, field).problem(message, hint=hint) for each in found]
    distinct = list(dict.fromkeys(problems))
    if count > len(distinct):
        ids = ", ".join(f"`{each.draft.id}`" for each in found[:3])
        told = f"{message} ({count:,} jobs: {ids}{', …' if count > 3 else ''})"
        distinct = [replace(each, message=told) for each in distinct]
    yield from distinct

"""What a picture costs: the manifest's own prices first, then the provider's list; sums in micro-USD, None unknown."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from batchgen.api.models import Catalogue
from batchgen.job import Request, effective
from batchgen.terms import Budget

OURS: Final = "budget.prices"
THEIRS: Final = "the provider's list"


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices that a run knows; `asked` says that the provider was asked for its list, whatever it said."""

    budget: Budget = field(default_factory=Budget)
    catalogue: Catalogue = field(default_factory=Catalogue)
    asked: bool = False

    def of(self, request: Request) -> int | None:
        """The price of one picture."""
        ours = self._ours(request)
        return self.catalogue.price_micro_usd(request) if ours is None else ours

    def source(self, request: Request) -> str:
        """Where its price comes from, empty when there is none."""
        if self._ours(request) is not None:
            return OURS
        return THEIRS if self.catalogue.price_micro_usd(request) is not None else ""

    def _ours(self, request: Request) -> int | None:
        price = self.budget.prices.get(request.model)
        return None if price is None else price.of(effective(request).get("resolution"))


@dataclass(frozen=True, slots=True)
class Cost:
    """So many pictures of one model and size at one price; `before` is what the last run knew it to be."""

    name: str
    pictures: int
    price_micro_usd: int | None
    source: str
    before_micro_usd: int | None = None

    @property
    def moved(self) -> bool:
        """Whether the price is another one than the last run knew."""
        return (
            None not in {self.before_micro_usd, self.price_micro_usd} and self.before_micro_usd != self.price_micro_usd
        )


def name_of(request: Request) -> str:
    """The model and the size, as prices go by them."""
    size = effective(request).get("resolution")
    return f"{request.model} {size}" if size else request.model


def costs(shapes: Iterable[tuple[Request, int]], prices: Prices, before: Mapping[str, int]) -> tuple[Cost, ...]:
    """What so many pictures of each shape cost, by model and size, the dearest first."""
    found: dict[str, Cost] = {}
    for request, count in shapes:
        name = name_of(request)
        pictures = count + (found[name].pictures if name in found else 0)
        found[name] = Cost(name, pictures, prices.of(request), prices.source(request), before.get(name))
    return tuple(sorted(found.values(), key=lambda cost: -(cost.price_micro_usd or 0) * cost.pictures))

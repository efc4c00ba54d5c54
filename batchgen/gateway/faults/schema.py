"""A faults file: its keys, and what they become."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from batchgen.gateway.faults import Crop, Cut, Drip, Fault, Late, Mark, Played, Refuse, Route, Script, Stall, Swap, When

_SECONDS: Final = 5.0
_CUTS: Final = ("cut", "reset", "stall")
_TIMED: Final = frozenset({"stall", "late", "slow"})


def _share(value: Any) -> Any:
    if isinstance(value, str) and value.strip().endswith("%"):
        try:
            return float(value.strip().removesuffix("%")) / 100
        except ValueError:
            raise ValueError("a rate is a share like 5%") from None
    raise ValueError("a rate is a share like 5%")


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, int) else value


def _instead(value: Any) -> Any:
    if value in _CUTS or (isinstance(value, int) and not isinstance(value, bool) and 400 <= value <= 599):
        return value
    raise ValueError(f"before is {', '.join(_CUTS)}, or a status of 400 to 599")


Share = Annotated[float, BeforeValidator(_share), Field(ge=0, le=1)]
Number = Annotated[int, Field(ge=1)]
Numbers = Annotated[list[Number], BeforeValidator(_listed), Field(min_length=1)]
Instead = Annotated[str | int, BeforeValidator(_instead)]
Seconds = Annotated[float, Field(gt=0, le=3600)]


class Table(BaseModel):
    """Keys that are spelled right, values of the right kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(Table):
    """When a fault strikes: exactly one of `at`, `every` and `rate`, and between which requests."""

    at: Numbers | None = None
    every: Number | None = None
    rate: Share | None = None
    first: Number = 1
    last: Number | None = None

    @model_validator(mode="after")
    def _once(self) -> Self:
        if sum(each is not None for each in (self.at, self.every, self.rate)) != 1:
            raise ValueError("a rule has exactly one of at, every and rate")
        return self

    def when(self) -> When:
        """The requests that it means."""
        return When(frozenset(self.at or ()), self.every, self.rate or 0.0, self.first, self.last)


class CallRule(Rule):
    """One fault of a route, `before` or `after` the request is served."""

    before: Instead | None = None
    after: (
        Literal["cut", "reset", "stall", "late", "slow", "truncated", "short", "garbage", "html", "stranger"] | None
    ) = None
    seconds: Seconds | None = None
    retry_after: Seconds | None = None
    as_date: bool = False

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.before is None) == (self.after is None):
            raise ValueError("a rule has either before or after")
        if self.seconds is not None and not {self.before, self.after} & _TIMED:
            raise ValueError("seconds belong to stall, late and slow")
        if (self.retry_after is not None or self.as_date) and not isinstance(self.before, int):
            raise ValueError("retry_after and as_date belong to a status")
        if self.as_date and self.retry_after is None:
            raise ValueError("as_date needs retry_after")
        return self

    def played(self) -> Played:
        """The fault in its phase."""
        return Played(before=self.before is not None, fault=self._fault())

    def _fault(self) -> Fault:
        seconds = self.seconds or _SECONDS
        match self.before if self.before is not None else self.after:
            case int(status):
                return Refuse(status, self.retry_after, self.as_date)
            case "stall":
                return Stall(seconds)
            case "late":
                return Late(seconds)
            case "slow":
                return Drip(seconds)
            case "truncated" | "short" as kind:
                return Crop(whole=kind == "short")
            case "garbage" | "html" | "stranger" as body:
                return Swap(body)
            case kind:
                return Cut(reset=kind == "reset")


class TaskRule(Rule):
    """One fault of the tasks that are sold, counted by submits."""

    task: Literal["fails", "refused", "hangs", "missing", "strange"]
    looks: Number | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.looks is not None and self.task in {"fails", "refused"}:
            raise ValueError(f"looks do not belong to {self.task}: that is for ever")
        return self

    def mark(self) -> Mark:
        """What is wrong with the task."""
        few = {"missing": 2, "strange": 3}
        return Mark(self.task, self.looks or few.get(self.task))


class FaultsFile(Table):
    """The whole file."""

    faults: Literal[1]
    seed: int = 1
    submit: list[CallRule] = []
    poll: list[CallRule] = []
    models: list[CallRule] = []
    file: list[CallRule] = []
    tasks: list[TaskRule] = []

    @model_validator(mode="after")
    def _strangers(self) -> Self:
        for name, rules in (("submit", self.submit), ("models", self.models), ("file", self.file)):
            if any(rule.after == "stranger" for rule in rules):
                raise ValueError(f"stranger belongs to poll, not to {name}")
        return self

    def script(self) -> Script:
        """What is played."""
        named: tuple[tuple[Route, list[CallRule]], ...] = (
            ("submit", self.submit),
            ("poll", self.poll),
            ("models", self.models),
            ("file", self.file),
        )
        routes = {route: tuple((rule.when(), rule.played()) for rule in rules) for route, rules in named}
        tasks = tuple((rule.when(), rule.mark()) for rule in self.tasks)
        return Script(self.seed, routes, tasks)

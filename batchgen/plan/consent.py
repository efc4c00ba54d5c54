"""Who allows what a run may cost: a number given beforehand, a plan that somebody saw, or a person who is asked."""

from collections.abc import Callable
from dataclasses import dataclass

from batchgen.errors import SettingsError
from batchgen.plan.plans import Plan
from batchgen.report.words import many, usd


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a person allowed in the command: a sum in micro-USD, a number of pictures, or all of a plan."""

    max_micro_usd: int | None = None
    max_pictures: int | None = None
    planned: bool = False


def consent(plan: Plan, allowed: Allowance, ask_above_micro_usd: int, confirm: Callable[[str], bool] | None) -> None:
    """Make sure that somebody allows what this run may cost. An unknown price counts as a high one.

    `confirm` asks a person, None when nobody is there.

    Raises:
        SettingsError: nobody allowed it; nothing was sent.
    """
    if not plan.to_buy or allowed.planned or (not plan.unpriced and plan.cost_micro_usd <= ask_above_micro_usd):
        return
    lacking = _lacking(plan, allowed)
    if not lacking:
        return
    if confirm is None:
        raise SettingsError(_refusal(plan, allowed, " ".join(lacking)))
    if not confirm(f"Buy {_bill(plan)}?"):
        raise SettingsError("not allowed; nothing was sent")


def _lacking(plan: Plan, allowed: Allowance) -> list[str]:
    """The options that would allow it; for a new batch they must cover all of it."""
    found = []
    dollars, pictures = allowed.max_micro_usd, allowed.max_pictures
    if plan.cost_micro_usd and (dollars is None or (plan.new and dollars < plan.cost_micro_usd)):
        found.append(f"--max-usd {_rounded_up(plan.cost_micro_usd)}")
    if plan.unpriced and (pictures is None or (plan.new and pictures < plan.to_buy)):
        found.append(f"--max-pictures {plan.to_buy}")
    return found


def _refusal(plan: Plan, allowed: Allowance, options: str) -> str:
    given = allowed.max_micro_usd is not None or allowed.max_pictures is not None
    if given and plan.new:
        return (
            f"a new batch starts only if its allowance covers all of it: {_bill(plan)}; nothing was sent. "
            f"Say {options}, or begin with a smaller manifest"
        )
    return f"this would buy {_bill(plan)}, and nobody is there to ask; nothing was sent. Say {options} to allow it"


def _bill(plan: Plan) -> str:
    if not plan.cost_micro_usd:
        return f"{many(plan.to_buy, 'picture')} at a price that is not known"
    more = f" and {plan.unpriced:,} of them at a price that is not known" if plan.unpriced else ""
    return f"{many(plan.to_buy, 'picture')} for {usd(plan.cost_micro_usd)}{more}"


def _rounded_up(micro_usd: int) -> str:
    """Dollars that cover a sum."""
    cents = -(-micro_usd // 10_000)
    return f"{cents / 100:.2f}".removesuffix(".00")

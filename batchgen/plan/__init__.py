"""Manifest, journal and models held against each other: what a run would do, what is wrong, and who allows it."""

from batchgen.plan.checks import check
from batchgen.plan.consent import Allowance, consent
from batchgen.plan.forecast import Forecast, experience, forecast
from batchgen.plan.plans import Plan, Wishes, compared, digest, samples, shapes
from batchgen.plan.prices import Cost, Prices, costs, name_of

__all__ = [
    "Allowance",
    "Cost",
    "Forecast",
    "Plan",
    "Prices",
    "Wishes",
    "check",
    "compared",
    "consent",
    "costs",
    "digest",
    "experience",
    "forecast",
    "name_of",
    "samples",
    "shapes",
]

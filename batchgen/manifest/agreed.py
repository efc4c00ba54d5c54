"""The terms that a manifest states, over the built-in ones."""

from dataclasses import fields, replace
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from batchgen.manifest import schema
from batchgen.manifest.provider import Local, Provider, Remote
from batchgen.manifest.quantities import micro_usd
from batchgen.terms import (
    LOCAL,
    LOCAL_LIMITS,
    Budget,
    Expert,
    Failures,
    Hold,
    InDoubtPolicy,
    Limits,
    Price,
    Profile,
    Resend,
    StopAt,
    Terms,
)

_Table = TypeVar("_Table", Limits, Expert, Failures, Profile, StopAt)
_SUMS: Final = ("max_usd", "max_usd_per_day", "max_usd_per_picture", "ask_above_usd")


def provider(choice: schema.Server | str) -> Provider:
    """The provider that a manifest names."""
    if isinstance(choice, str):
        return Local()
    return Remote(
        base_url=choice.base_url,
        api_key_source=choice.api_key,
        profile=_over(Profile(), choice.profile),
        private_hosts=tuple(choice.private_hosts),
        also_known_as=tuple(choice.also_known_as),
    )


def terms(manifest: schema.ManifestFile, seller: Provider) -> Terms:
    """What was agreed with this provider; what the manifest leaves out is built in, for the local one its own."""
    profile, built_in = (LOCAL, LOCAL_LIMITS) if isinstance(seller, Local) else (seller.profile, Limits())
    limits = replace(_over(built_in, manifest.limits), expert=_expert(built_in.expert, manifest.limits.expert))
    return Terms(
        profile=profile,
        failures=_failures(manifest.failures),
        limits=limits,
        budget=_budget(manifest.budget),
        models={name: _over(limits, own) for name, own in manifest.limits.models.items()},
    )


def _failures(table: schema.FailuresTable) -> Failures:
    built_in = Failures()
    match table.in_doubt:
        case schema.ResendTable(resend_up_to_usd=dollars):
            in_doubt: InDoubtPolicy = Resend(micro_usd(dollars))
        case _:
            in_doubt = Hold()
    match table.stop_at:
        case schema.StopTable() as own:
            stop_at: StopAt | None = _over(StopAt(), own)
        case word:
            stop_at = None if word == "off" else built_in.stop_at
    return replace(_over(built_in, table), in_doubt=in_doubt, stop_at=stop_at)


def _budget(table: schema.BudgetTable) -> Budget:
    stated = {name: getattr(table, name) for name in _SUMS}
    sums: dict[str, Any] = {
        name.replace("_usd", "_micro_usd"): micro_usd(dollars)
        for name, dollars in stated.items()
        if dollars is not None
    }
    return Budget(**sums, prices={model: _price(entry) for model, entry in table.prices.items()})


def _price(entry: float | dict[str, float]) -> Price:
    if isinstance(entry, dict):
        return Price(tiers_micro_usd={name: micro_usd(dollars) for name, dollars in entry.items()})
    return Price(micro_usd(entry))


def _expert(built_in: Expert, table: schema.ExpertTable | None) -> Expert:
    expert = _over(built_in, table)
    if table is None or table.submit_slots_most is None:
        return replace(expert, submit_slots_most=max(expert.submit_slots, expert.submit_slots_most))
    return expert


def _over(built_in: _Table, table: BaseModel | None) -> _Table:
    """The built-in values with those that the manifest sets; times get their unit's name."""
    if table is None:
        return built_in
    known = {field.name for field in fields(built_in)} - {"expert", "in_doubt", "stop_at"}
    asked = ((name, getattr(table, name)) for name in table.model_fields_set)
    named: dict[str, Any] = {
        field: value for name, value in asked for field in (name, f"{name}_seconds") if field in known
    }
    return replace(built_in, **{name: value for name, value in named.items() if not _is_unset(name, value)})


def _is_unset(name: str, value: object) -> bool:
    """None lifts a rate or a deadline; anywhere else it is an empty value, which sets nothing."""
    return value is None and name not in {"rate", "deadline_seconds"}

"""The terms that a manifest states, over the built-in ones."""

from dataclasses import fields, replace
from typing import Any, TypeVar

from pydantic import BaseModel

from batchgen.manifest import schema
from batchgen.manifest.provider import Local, Provider, Remote
from batchgen.terms import LOCAL, LOCAL_LIMITS, Expert, Failures, Limits, Profile, Terms

_Table = TypeVar("_Table", Limits, Expert, Failures, Profile)


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
        failures=_over(Failures(), manifest.failures),
        limits=limits,
        models={name: _over(limits, own) for name, own in manifest.limits.models.items()},
    )


def _expert(built_in: Expert, table: schema.ExpertTable | None) -> Expert:
    expert = _over(built_in, table)
    if table is None or table.submit_slots_most is None:
        return replace(expert, submit_slots_most=max(expert.submit_slots, expert.submit_slots_most))
    return expert


def _over(built_in: _Table, table: BaseModel | None) -> _Table:
    """The built-in values with those that the manifest sets; times get their unit's name."""
    if table is None:
        return built_in
    known = {field.name for field in fields(built_in)} - {"expert", "in_doubt", "accept", "stop_at"}
    asked = ((name, getattr(table, name)) for name in table.model_fields_set)
    named: dict[str, Any] = {
        field: value for name, value in asked for field in (name, f"{name}_seconds") if field in known
    }
    return replace(built_in, **{name: value for name, value in named.items() if not _is_unset(name, value)})


def _is_unset(name: str, value: object) -> bool:
    """None lifts a rate or a deadline; anywhere else it is an empty value, which sets nothing."""
    return value is None and name not in {"rate", "deadline_seconds"}

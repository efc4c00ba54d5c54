"""The file of `serve --config`: accounts, limits and lifetimes in YAML, read again when it changes."""

import os
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from batchgen.errors import SettingsError
from batchgen.gateway.book import key_digest
from batchgen.gateway.rules import BOTTOMLESS, Account, Rules
from batchgen.gateway.yaml_file import load_yaml
from batchgen.terms import Rate

_RATE: Final = re.compile(r"([1-9]\d{0,6})/(?:([1-9]\d{0,5}(?:\.\d+)?)s|(s|m|h))")
_SPAN: Final = re.compile(r"(\d{1,9}(?:\.\d+)?)(s|m|h|d)")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def rate_of(text: str) -> Rate:
    """A rate such as 20/10s, 5/s, 100/m; a ValueError otherwise."""
    found = _RATE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no rate; write it as 20/10s, 5/s or 100/m")
    count, seconds, unit = found.groups()
    return Rate(int(count), float(seconds) if seconds else float(_SECONDS[unit]))


def _span(value: Any) -> float:
    found = _SPAN.fullmatch(str(value))
    if found is None or float(found[1]) == 0:
        raise ValueError("is no length of time; write it as 30s, 20m, 24h or 14d")
    return float(found[1]) * _SECONDS[found[2]]


def micro_usd(value: Any) -> int:
    """An amount of dollars in millionths; a ValueError when it is none, or below zero."""
    try:
        amount = Decimal(str(value)) * 1_000_000
    except ArithmeticError:
        raise ValueError(f"{value!r} is no amount of dollars; write it as 25 or 0.50") from None
    if isinstance(value, bool) or not amount.is_finite() or not 0 <= amount <= BOTTOMLESS:
        raise ValueError(f"{value!r} is no amount of dollars; write it as 25 or 0.50")
    return int(amount)


def _rate(value: Any) -> Rate:
    return value if isinstance(value, Rate) else rate_of(str(value))


Span = Annotated[float, BeforeValidator(_span)]
Money = Annotated[int, BeforeValidator(micro_usd)]
Pace = Annotated[Rate, BeforeValidator(_rate)]


class Limits(BaseModel):
    """What an account may do; nothing said is no limit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    balance_usd: Money = BOTTOMLESS
    rate: Pace | None = None
    running: int | None = Field(default=None, ge=1, strict=True)
    models: list[str] | None = None


class AccountFile(Limits):
    """One account: its keys by env:NAME, file:PATH or sha256:HEX; a key that is taken out is revoked."""

    keys: list[str] = Field(max_length=100)


class ConfigFile(Limits):
    """The whole file; limits at the top are those of the gateway's own key."""

    accounts: dict[str, AccountFile] = {}
    token_ttl: Span | None = None
    task_ttl: Span | None = None
    file_ttl: Span | None = None
    url_ttl: Span = Rules().url_ttl_seconds
    retry_after: Literal["seconds", "date", "none"] = "seconds"


class Config:
    """A configuration file and the gateway's own key.

    Args:
        path: the file, None for none.
        own_key: a key that is always taken, None for none.
        environment: where env:NAME is looked up.
        limits: those of the own key when the file says nothing.
    """

    def __init__(
        self, path: str | None, own_key: str | None, environment: Mapping[str, str], limits: Limits | None = None
    ) -> None:
        self._path, self._own_key, self._environment = path, own_key, environment
        self._limits = limits or Limits()
        self._seen: object = None

    def read(self) -> Rules:
        """The rules as the file has them now.

        Raises:
            SettingsError: file, place and what to mend.
        """
        self._seen = self._stamp()
        file = ConfigFile() if self._path is None else load_yaml(self._path, ConfigFile)
        accounts = {} if self._own_key is None else self._own(file)
        for name, each in file.accounts.items():
            for source in each.keys:
                accounts[self._digest(name, source)] = _account(f"account:{name}", name, each)
        return Rules(
            accounts,
            token_ttl_seconds=file.token_ttl,
            task_ttl_seconds=file.task_ttl,
            file_ttl_seconds=file.file_ttl,
            url_ttl_seconds=file.url_ttl,
            retry_after=file.retry_after,
        )

    @property
    def read_again(self) -> Callable[[], Rules | None] | None:
        """Reads the file if it changed since; None when there is no file."""
        return None if self._path is None else self._changed

    def _changed(self) -> Rules | None:
        return None if self._stamp() == self._seen else self.read()

    def _stamp(self) -> object:
        try:
            found = os.stat(self._path or "")
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _own(self, file: ConfigFile) -> dict[str, Account]:
        digest = key_digest(self._own_key or "")
        given = {name: getattr(file, name) for name in Limits.model_fields if name in file.model_fields_set}
        return {digest: _account(digest, "own", self._limits.model_copy(update=given))}

    def _digest(self, name: str, source: str) -> str:
        kind, _, place = source.partition(":")
        match kind:
            case "sha256" if re.fullmatch("[0-9a-f]{64}", place):
                return place
            case "env" | "file" if place:
                return key_digest(self._key(name, kind, place))
        raise SettingsError(
            f"{self._path}: account {name}: a key is given as env:NAME, file:PATH or sha256:HEX, never itself"
        )

    def _key(self, name: str, kind: str, place: str) -> str:
        try:
            key = self._environment.get(place, "") if kind == "env" else self._file(place)
        except (OSError, UnicodeDecodeError):
            key = ""
        if not key.strip():
            raise SettingsError(f"{self._path}: account {name}: {kind}:{place} holds no key; put it there")
        return key

    def _file(self, place: str) -> str:
        with open(os.path.join(os.path.dirname(self._path or ""), place), encoding="utf-8") as file:
            return file.read()


def _account(owner: str, name: str, limits: Limits) -> Account:
    models = None if limits.models is None else frozenset(limits.models)
    return Account(owner, name, limits.balance_usd, limits.rate, limits.running, models)

"""What can go wrong, sorted by what to do next.

BatchgenError
├── ManifestError            mend the file                                exit 2
├── SettingsError            mend the command or the environment          exit 2
├── ProviderError
│   ├── NotTaken             nothing was bought: try again
│   │   └── Throttled        … not before the time they asked for
│   ├── Unavailable          a free call failed: try again
│   ├── OutcomeUnknown       a paid call whose fate is not known          in doubt
│   ├── Rejected             do not send this job again
│   ├── TaskFailed           attempt again or give up, by class
│   ├── OfferExpired         ask the task for a fresh URL
│   ├── Parked               this job waits; the others go on             exit 75
│   └── Stop                 a person must act: end the run               exit 4
├── BadAsset                 fetch again
│   └── Blocked              not fetched: its address may not be asked    exit 75
├── Unfinished               nothing is wrong, run again later            exit 75
└── JournalError
    ├── Superseded           another runner was faster: let go
    ├── NoHeadroom           a cap is reached                             exit 3, 4 or 75
    ├── TaskTaken            a task that another job has: in doubt           exit 3
    ├── Foreign, Damaged     not usable                                   exit 5
    └── HeldElsewhere        another run holds the batch                  exit 75

A class docstring is the default message. Nothing here ever holds a credential, a prompt or the query of a URL.
"""

from functools import partial
from typing import Any, ClassVar, Final, Literal, TypeAlias

FailureClass: TypeAlias = Literal["transient", "refused", "rejected", "expired", "bad_asset", "dropped"]
"""Why an attempt failed; only `transient` is attempted again without a person."""


WORST_FIRST: Final = (143, 130, 70, 5, 2, 4, 75, 3, 1, 0)
"""The exit codes of a run in the order in which they win, when several apply."""


class BatchgenError(Exception):
    """batchgen could not go on; the message says where and what to do."""

    exit_code: ClassVar[int] = 70

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").split("\n\n", maxsplit=1)[0])


class ManifestError(BatchgenError):
    """The manifest is wrong; mend the file, nothing was sent."""

    exit_code = 2


class SettingsError(BatchgenError):
    """The command or the environment is wrong; mend it, nothing was sent."""

    exit_code = 2


class ProviderError(BatchgenError):
    """The provider did not do as asked."""


class NotTaken(ProviderError):
    """The request was not taken and nothing was bought; it can be sent again."""

    exit_code = 75

    def __init__(self, message: str | None = None, *, answered: bool = False) -> None:
        super().__init__(message)
        self.answered = answered


class Throttled(NotTaken):
    """The provider asks us to slow down; it can be sent again after the time it names.

    `retry_after_seconds` is a floor, None when the provider named no time; `too_many` that we sent too much (429),
    and not that the provider is busy with others (503).
    """

    def __init__(
        self, message: str | None = None, *, retry_after_seconds: float | None = None, too_many: bool = True
    ) -> None:
        super().__init__(message, answered=True)
        self.retry_after_seconds = retry_after_seconds
        self.too_many = too_many


class Unavailable(ProviderError):
    """A free call got no usable answer; ask again.

    `retry_after_seconds` is a floor, None when no time was named; `answered` tells a bad answer from none.
    """

    exit_code = 75

    def __init__(
        self, message: str | None = None, *, answered: bool = False, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message)
        self.answered = answered
        self.retry_after_seconds = retry_after_seconds


class OutcomeUnknown(ProviderError):
    """A paid call was sent and nobody knows whether it was taken; it is in doubt until a person or a token decides.

    `reach` says how far the request got: headers, body, answer; `known_paid` that the provider holds this token.
    """

    exit_code = 3

    def __init__(self, message: str | None = None, *, reach: str, known_paid: bool = False) -> None:
        super().__init__(message)
        self.reach = reach
        self.known_paid = known_paid


class Rejected(ProviderError):
    """The provider refused this request; mend the job, it is not sent again as it is."""

    exit_code = 1

    def __init__(self, message: str | None = None, *, failure: FailureClass = "rejected") -> None:
        super().__init__(message)
        self.failure: FailureClass = failure


class TaskFailed(ProviderError):
    """The provider's task failed.

    `failure` decides whether the job is attempted again; `cost_micro_usd` is what the provider billed, None unsaid;
    `missing` that the provider does not know the task, which may be a replica that lags behind a young task.
    """

    exit_code = 1

    def __init__(
        self,
        message: str | None = None,
        *,
        failure: FailureClass,
        cost_micro_usd: int | None = None,
        missing: bool = False,
    ) -> None:
        super().__init__(message)
        self.failure: FailureClass = failure
        self.cost_micro_usd = cost_micro_usd
        self.missing = missing


class OfferExpired(ProviderError):
    """The result URL is no longer valid; the task is asked for a fresh one."""

    exit_code = 1


class Parked(ProviderError):
    """This job cannot go on now and keeps its place; run again later."""

    exit_code = 75


class Stop(ProviderError):
    """The provider refuses this run as a whole; a person must act before it goes on.

    `credential` is true when no further call can succeed, not even a free one.
    """

    exit_code = 4

    def __init__(self, message: str | None = None, *, credential: bool = False) -> None:
        super().__init__(message)
        self.credential = credential


class BadAsset(BatchgenError):
    """What came down is not the picture that was paid for; it is fetched again."""

    exit_code = 1


class Blocked(BadAsset):
    """A picture was offered at an address that may not be asked; nothing was sent there, and its task is kept."""

    exit_code = 75


class Unfinished(BatchgenError):
    """Not finished, and nothing is wrong; run the same command again later."""

    exit_code = 75


class JournalError(BatchgenError):
    """The journal could not be used."""

    exit_code = 5


class Superseded(JournalError):
    """Another runner has moved this job on; this one lets go."""

    exit_code = 75


class NoHeadroom(JournalError):
    """A cap is reached; nothing more is bought in this run.

    `cap` names it: batch, day, run, pictures or resent.
    """

    def __init__(self, message: str | None = None, *, cap: str) -> None:
        super().__init__(message)
        self.cap = cap

    def __reduce__(self) -> tuple[Any, ...]:
        """How it is rebuilt in another process."""
        return partial(NoHeadroom, cap=self.cap), self.args

    @property
    def exit_code(self) -> int:  # type: ignore[override]  # the code depends on which cap was met
        """A daily or per-run allowance ends by itself; a cap of the batch needs a person, and so does a doubt."""
        return {"batch": 4, "resent": 3}.get(self.cap, 75)


class TaskTaken(JournalError):
    """The provider named a task that another job of this batch has; whether this one was paid for is in doubt."""

    exit_code = 3


class Foreign(JournalError):
    """This journal belongs to another batch or provider, or was written by a newer batchgen."""


class Damaged(JournalError):
    """The journal is damaged; keep it, and put a copy back or ask for help before running again."""


class HeldElsewhere(JournalError):
    """Another run holds this batch; run again when it has ended."""

    exit_code = 75

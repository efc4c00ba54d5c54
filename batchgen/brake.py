"""When a run must stop buying: a count of what went wrong, and the sentence once it is too much."""

from dataclasses import dataclass, field
from typing import Final

from batchgen.terms import StopAt

DOUBTS: Final = 10


@dataclass(slots=True)
class Brake:
    """Fed with the outcome of every submit and the end of every job; each method returns why to stop, or None.

    `stop_at` None never stops for failures; ten doubts in a row always do, since each may have been paid.
    """

    stop_at: StopAt | None = field(default_factory=StopAt)
    refusals: int = 0
    reason: str = ""
    doubts: int = 0
    ended: int = 0
    failures: int = 0

    def taken(self) -> None:
        """A submit was taken: whatever was wrong is over."""
        self.refusals = self.doubts = 0

    def refused(self, reason: str) -> str | None:
        """A submit was answered no."""
        self.doubts = 0
        self.refusals = self.refusals + 1 if reason == self.reason else 1
        self.reason = reason
        if self.stop_at is None or self.refusals < self.stop_at.in_a_row:
            return None
        return f"{self.refusals} submits in a row were refused with one reason: {reason}"

    def doubted(self) -> str | None:
        """A submit got no answer after it was sent."""
        self.doubts += 1
        if self.doubts < DOUBTS:
            return None
        return f"{self.doubts} submits in a row were sent and never answered; each may have been paid"

    def stored(self) -> None:
        """A job ended with its picture."""
        self.ended += 1

    def failed(self) -> str | None:
        """A job ended without a picture."""
        return self.judged(self.ended + 1, self.failures + 1)

    def judged(self, ended: int, failures: int) -> str | None:
        """So many jobs have ended, so many of them without a picture."""
        self.ended, self.failures = ended, failures
        rule = self.stop_at
        if rule is None or self.ended < rule.of_at_least or self.failures < rule.share * self.ended:
            return None
        return f"{self.failures} of the {self.ended} jobs that this run ended have failed (`failures.stop_at`)"

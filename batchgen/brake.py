"""When a run must stop buying: a count of what went wrong in a row, and the sentence once it is too much."""

from dataclasses import dataclass
from typing import Final

SAME_REFUSALS: Final = 20
DOUBTS: Final = 10


@dataclass(slots=True)
class Brake:
    """Fed with the outcome of every submit; each method returns why the run must stop, or None."""

    refusals: int = 0
    reason: str = ""
    doubts: int = 0

    def taken(self) -> None:
        """A submit was taken: whatever was wrong is over."""
        self.refusals = self.doubts = 0

    def refused(self, reason: str) -> str | None:
        """A submit was answered no."""
        self.doubts = 0
        self.refusals = self.refusals + 1 if reason == self.reason else 1
        self.reason = reason
        if self.refusals < SAME_REFUSALS:
            return None
        return f"{SAME_REFUSALS} submits in a row were refused with one reason: {reason}"

    def doubted(self) -> str | None:
        """A submit got no answer after it was sent."""
        self.doubts += 1
        if self.doubts < DOUBTS:
            return None
        return f"{DOUBTS} submits in a row were sent and never answered; each may have been paid"

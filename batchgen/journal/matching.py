"""Which job a draft is, in plain Python over lists; the SQLite journal says the same in SQL."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from batchgen.job import Draft, InputRow, Job, fingerprint
from batchgen.journal import Choice, Comparison, Difference, Kind, Place, Progress, Redo, state_of
from batchgen.journal.choosing import BOUGHT, EXAMPLES, TO_BUY, again, anew, difference, differing
from batchgen.journal.codec import decode_request, encode_request
from batchgen.lifecycle import Milestone, Stored


@dataclass(slots=True, eq=False)
class Life:
    """A job with all its milestones, each with its run and time."""

    job: Job
    place: int
    written: list[tuple[Milestone, int, float]]
    standing: Place = "current"
    changed: bool = False
    row: InputRow | None = None
    axes: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The name of the newest milestone's kind."""
        return type(self.written[-1][0]).__name__

    def progress(self) -> Progress:
        """The newest milestone, as readers get it."""
        milestone, run, at = self.written[-1]
        place = (self.standing, self.changed, self.row, self.axes)
        return Progress(self.job, len(self.written) - 1, milestone, at, run, *place)


@dataclass(slots=True)
class Match:
    """A draft, what it is, the job it becomes (None: a new one), the current one of its id, its own earlier one."""

    draft: Draft
    kind: Kind
    life: Life | None
    held: Life | None
    same: Life | None = None

    chosen: bool = True
    again: bool = False

    @property
    def bought(self) -> bool:
        """Whether it is to be bought."""
        return self.chosen and (self.life is None or self.again or self.life.kind in TO_BUY)

    def wish(self, redo: Redo | None, choice: Choice | None) -> None:
        """Choose this job or not, and mark it to be done again or not."""
        reached = self.life.written[-1][0] if self.life is not None else None
        state = state_of(reached) if reached is not None else "queued"
        self.chosen = choice is None or choice(self.draft.id, state, self.draft.row, self.draft.axes)
        if redo is None or redo.decided or reached is None or not self.chosen:
            return
        if not self.kept:
            self.again = again(redo, self.draft.id, reached)
        elif anew(redo, self.draft.id, reached.attempt if isinstance(reached, Stored) else None):
            self.again, self.life = True, self.same

    @property
    def kept(self) -> bool:
        """Whether an older request stays in force, because it was bought."""
        return self.kind == "changed" and self.life is self.held


@dataclass(slots=True)
class Matching:
    """A whole expansion against the jobs there are."""

    matches: list[Match] = field(default_factory=list)
    gone: list[Life] = field(default_factory=list)

    def comparison(self) -> Comparison:
        """The matching in figures and a few examples."""
        found: dict[Kind, list[Difference]] = {"new": [], "changed": [], "unchanged": [], "renamed": [], "gone": []}
        for match in self.matches:
            found[match.kind].append(_difference(match))
        found["gone"] = [difference("gone", life.job.id, state=state_of(life.written[-1][0])) for life in self.gone]
        to_buy = sum(match.bought for match in self.matches)
        examples = {kind: tuple(each[:EXAMPLES]) for kind, each in found.items()}
        counts = {kind: len(each) for kind, each in found.items()}
        redone, skipped = sum(match.again for match in self.matches), sum(not match.chosen for match in self.matches)
        return Comparison(counts, to_buy, examples, {0: to_buy} if to_buy else {}, redone, skipped)


def match(
    lives: Sequence[Life], drafts: Iterable[Draft], redo: Redo | None = None, choice: Choice | None = None
) -> Matching:
    """What each draft is, and which current jobs are gone.

    Raises:
        ValueError: two drafts have one id.
    """
    by_key = {(life.job.id, life.job.fingerprint): life for life in lives}
    current = {life.job.id: life for life in lives if life.standing == "current"}
    drafts = [_by_its_own_recipe(draft, lives) for draft in drafts]
    matches = [_match(draft, by_key.get((draft.id, draft.fingerprint)), current.get(draft.id)) for draft in drafts]
    wanted = {match.draft.id for match in matches}
    if len(wanted) != len(matches):
        raise ValueError("two drafts have the same id")
    leaving: defaultdict[str, deque[Life]] = defaultdict(deque)
    for life in sorted(current.values(), key=lambda life: (life.place, life.job.number)):
        if life.job.id not in wanted:
            leaving[life.job.fingerprint].append(life)
    for each in matches:
        if each.kind == "new" and (waiting := leaving[each.draft.fingerprint]):
            each.kind, each.life = "renamed", waiting.popleft()
    for each in matches:
        each.wish(redo, choice)
    gone = [life for waiting in leaving.values() for life in waiting]
    return Matching(matches, sorted(gone, key=lambda life: (life.place, life.job.number)))


def _by_its_own_recipe(draft: Draft, lives: Sequence[Life]) -> Draft:
    """The draft as the recipe names it that its picture was bought by, if there is one."""
    for job in (life.job for life in lives):
        if job.id == draft.id and job.recipe != draft.recipe:
            request = decode_request(encode_request(draft.request))
            if fingerprint(request, job.recipe) == job.fingerprint:
                return replace(draft, fingerprint=job.fingerprint, recipe=job.recipe)
    return draft


def _match(draft: Draft, same: Life | None, held: Life | None) -> Match:
    if same is not None and (held is None or held is same or same.kind in BOUGHT):
        return Match(draft, "unchanged", same, held)
    if held is not None:
        return Match(draft, "changed", held if held.kind in BOUGHT else same, held, same)
    return Match(draft, "new", None, None)


def _difference(match: Match) -> Difference:
    source = match.held if match.kind == "changed" else match.life
    if source is None:
        return difference(match.kind, match.draft.id)
    asked = decode_request(encode_request(match.draft.request))
    changes = differing(source.job.request, asked) if match.kind == "changed" else ()
    was = source.job.id if match.kind == "renamed" else ""
    return difference(match.kind, match.draft.id, was=was, changes=changes, state=state_of(source.written[-1][0]))

"""A task's state is a function of time."""

from hypothesis import given
from hypothesis import strategies as st

from batchgen.api.wire import STATES
from batchgen.gateway.task import LONGEST_SECONDS, SHORTEST_SECONDS, Asked, Task, latency, new_id, seed, standing

moments = st.floats(0, 5)


def task(seconds: float, ended_after: float | None, *, failed: bool = False) -> Task:
    return Task(
        id="task_1",
        owner="owner",
        key=None,
        token=None,
        body_sha256="",
        asked=Asked("m", "p", "1:1", "1K", None),
        price_micro_usd=1,
        created_at=100.0,
        latency_seconds=seconds,
        picture="a.png",
        ended_at=None if ended_after is None else 100.0 + ended_after,
        sha256=None if failed else "00",
        error={"message": "no"} if failed else None,
    )


@given(st.floats(0, 3), st.none() | moments, st.booleans(), st.lists(moments, min_size=2, max_size=8))
def test_a_task_never_goes_back(seconds: float, ended: float | None, failed: bool, after: list[float]) -> None:
    """As time goes on states, progress and update times only rise, and the end is neither early nor missed."""
    one = task(seconds, ended, failed=failed)
    seen = [standing(one, 100.0 + each) for each in sorted(after)]
    order = [STATES.index(each.state) for each in seen]
    assert order == sorted(order)
    assert [each.progress for each in seen] == sorted(each.progress for each in seen)
    assert [each.updated_at for each in seen] == sorted(each.updated_at for each in seen)
    for moment, each in zip(sorted(after), seen, strict=True):
        over = ended is not None and 100.0 + moment >= 100.0 + seconds
        assert (each.state in {"success", "fail"}) == over
        assert each.remaining_seconds >= 0


@given(st.integers(0, 2**64))
def test_latency_stays_in_its_bounds(number: int) -> None:
    """A task takes 0.3 to 1.2 seconds at pace 1, and no time at pace 0."""
    assert SHORTEST_SECONDS <= latency(f"task_{number}", 1) <= LONGEST_SECONDS
    assert latency(f"task_{number}", 0) == 0


def test_ids_and_seeds_differ() -> None:
    """No two tasks share an id or a seed, and a task keeps its seed."""
    ids = {new_id() for _ in range(100)}
    assert len(ids) == 100
    assert len({seed(each) for each in ids}) == 100
    assert seed("task_1") == seed("task_1")

"""Why a run ends early, what it still finishes, and which reason is told."""

import anyio
import pytest

from batchgen.errors import WORST_FIRST, NotTaken, Parked
from batchgen.halt import Halt, Shelter
from batchgen.journal import STATES, Totals
from batchgen.ledger import Money
from batchgen.terms import Accept
from batchgen.verdict import verdict

pytestmark = pytest.mark.anyio


def totals(**counts: int) -> Totals:
    """A batch's figures."""
    return Totals({state: counts.get(state, 0) for state in STATES}, 0, Money())


async def test_the_worst_reason_is_told() -> None:
    """Of several reasons the one that needs a person most wins, and each stands once."""
    halt = Halt()
    assert halt.worst() == (0, "")
    for code in reversed(WORST_FIRST[:-1]):
        halt.note(code, f"reason {code}")
        assert halt.worst() == (code, f"reason {code}")


@pytest.mark.parametrize(
    ("counts", "noted", "code"),
    [
        ({"stored": 3}, None, 0),
        ({"stored": 3, "dropped": 2}, None, 0),
        ({"stored": 3, "failed": 1}, None, 1),
        ({"failed": 1, "in_doubt": 1}, None, 3),
        ({"failed": 1, "in_doubt": 1, "queued": 1}, None, 75),
        ({"running": 1}, None, 75),
        ({"queued": 1, "in_doubt": 1}, 4, 4),
        ({"queued": 1}, 130, 130),
        ({"stored": 1}, 143, 143),
    ],
)
async def test_the_verdict(counts: dict[str, int], noted: int | None, code: int) -> None:
    """The exit code follows from what is missing and from why the run ended, as the documented table says."""
    halt = Halt()
    if noted:
        halt.note(noted, "why")
    assert verdict(totals(**counts), halt)[0] == code


async def test_accepted_failures_are_a_success() -> None:
    """Failures within `failures.accept` end with 0 and are told; one more ends with 1, and doubts stay doubts."""
    assert verdict(totals(stored=98, failed=2), Halt(), Accept(count=2)) == (0, "2 pictures are missing, as accepted")
    assert verdict(totals(stored=97, failed=3), Halt(), Accept(count=2))[0] == 1
    assert verdict(totals(stored=97, failed=3), Halt(), Accept(share=0.03))[0] == 0
    assert verdict(totals(stored=1, failed=1, in_doubt=1), Halt(), Accept(count=9))[0] == 3


async def test_one_and_many_are_said_rightly() -> None:
    """The sentence of a verdict fits its number."""
    assert verdict(totals(failed=1), Halt())[1] == "1 picture is missing"
    assert verdict(totals(failed=2000), Halt())[1] == "2,000 pictures are missing"
    assert verdict(totals(in_doubt=1), Halt())[1] == "1 payment is in doubt"


async def test_waiting_to_buy_ends_with_the_buying() -> None:
    """Whoever waits for leave to buy is woken when there is none any more, and one who comes later does not wait."""
    halt = Halt()

    async def wait() -> None:
        with halt.while_buying():
            await anyio.sleep_forever()

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        halt.stop_buying(4, "no funds")
    with anyio.fail_after(1):
        await wait()


async def test_no_second_try_once_buying_is_over() -> None:
    """A pause between two tries of a submit ends in "not taken" when the run stops buying."""
    halt = Halt()
    await halt.pause(anyio.sleep, 0)
    halt.stop_model("m", "403")
    assert halt.buying
    halt.stop_buying(4, "no funds")
    with pytest.raises(NotTaken):
        await halt.pause(anyio.sleep, 1000)


async def test_a_rest_ends_with_the_run() -> None:
    """A pause between two tries for a picture is cut short when the run ends, and none begins after that."""
    halt = Halt()
    await halt.rest(anyio.sleep, 0)
    halt.stop_buying(4, "no funds")
    await halt.rest(anyio.sleep, 0)
    async with anyio.create_task_group() as group:

        async def resting() -> None:
            with anyio.CancelScope(shield=True), pytest.raises(Parked):
                await halt.rest(anyio.sleep, 1000)

        group.start_soon(resting)
        await anyio.wait_all_tasks_blocked()
        halt.stop_asking(130, "interrupted")
    with pytest.raises(Parked):
        await halt.rest(anyio.sleep, 1000)


async def test_a_shelter_outlives_the_run_until_its_deadline() -> None:
    """Work in a shelter goes on when the run is cancelled, and is cut off when the grace is over."""
    halt, shelter, done = Halt(), Shelter(), []

    async def work() -> None:
        with shelter.shield() as scope:
            done.append("begun")
            await anyio.sleep_forever()
        done.append("cut off" if scope.cancelled_caught else "finished")
        await anyio.sleep_forever()

    async with anyio.create_task_group() as group:

        async def run() -> None:
            with halt.scope:
                await work()

        group.start_soon(run)
        await anyio.wait_all_tasks_blocked()
        halt.stop_asking(130, "interrupted")
        await anyio.wait_all_tasks_blocked()
        assert done == ["begun"]
        shelter.expire(anyio.current_time())
    assert done == ["begun", "cut off"]
    with shelter.shield() as late:
        await anyio.sleep_forever()
    assert late.cancelled_caught


async def test_orders_reach_every_process_and_come_to_rest() -> None:
    """What one process is told, all obey, whichever it was, and none repeats for ever what it has heard."""
    told: list[dict[str, object]] = []
    halts: list[Halt] = []

    def tell(order: object) -> None:
        told.append(dict(order))  # type: ignore[call-overload]
        for each in halts:
            each.take(order)  # type: ignore[arg-type]

    halts += [Halt(tell=tell), Halt(tell=tell), Halt()]
    halts[0].stop_model("a", "403")
    halts[1].park("later")
    halts[1].stop_buying(4, "402")
    assert [(each.buying, each.asking, each.models) for each in halts] == [(False, True, {"a": "403"})] * 3
    halts[0].stop_asking(143, "told to end")
    halts[0].stop_asking(143, "told to end")
    assert [each.worst() for each in halts] == [(143, "told to end")] * 3
    assert not any(each.asking or not each.scope.cancel_called for each in halts)
    assert [each.parked for each in halts] == [0, 1, 0]
    assert len(told) <= 16


async def test_strange_orders_are_passed_over() -> None:
    """What no process of ours says changes nothing."""
    halt = Halt()
    for order in ({}, {"order": "stop_buying"}, {"order": "dance", "code": 1, "reason": "?"}, {"tally": 3}):
        halt.take(order)
    assert halt.buying
    assert halt.worst() == (0, "")

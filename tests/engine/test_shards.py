"""How work is cut: never too much at a time, all of it, and so that all threads end together."""

from hypothesis import given
from hypothesis import strategies as st

from batchgen.engine.shards import MOST_ITEMS, Seats, size, spare


@given(most=st.integers(1, 500), threads=st.integers(0, 60))
def test_never_more_than_was_agreed(most: int, threads: int) -> None:
    """However many shards there are, those that fit on the threads carry no more together than they may."""
    seats = Seats(most)
    given_out = []
    while found := seats.take(threads):
        given_out.append(found)
    assert len({seat for seat, _ in given_out}) == len(given_out)
    at_once = sorted((share for _, share in given_out), reverse=True)[: max(threads, 1)]
    assert 1 <= sum(at_once) <= most
    assert min(at_once) >= 1
    assert len(given_out) <= max(threads, 1) + spare(threads)


def test_a_free_seat_is_taken_again() -> None:
    """Seats are few and keep their numbers: a shard that ends makes room for the next under the same one."""
    seats = Seats(8)
    assert [seats.take(2) for _ in range(4)] == [(0, 4), (1, 4), (2, 4), None]
    seats.leave(1)
    assert seats.take(2) == (1, 4)
    seats.leave(7)
    assert seats.take(2) is None


def test_a_cluster_that_grows_is_given_more() -> None:
    """With more threads there are more seats, and smaller shares."""
    seats = Seats(12)
    assert [seats.take(1), seats.take(1), seats.take(1)] == [(0, 12), (1, 12), None]
    assert seats.take(3) == (2, 4)


@given(share=st.integers(1, 300), threads=st.integers(1, 60), expected=st.integers(0, 30_000))
def test_all_is_handed_out(share: int, threads: int, expected: int) -> None:
    """Shards take all there is; none is empty, none holds more than its most, and the last are the smallest."""
    handed, sizes = 0, []
    while handed < expected:
        sizes.append(min(size(share, threads, expected, handed), expected - handed))
        handed += sizes[-1]
    assert sum(sizes) == expected
    assert all(1 <= each <= max(MOST_ITEMS, share) for each in sizes)
    assert sizes == sorted(sizes, reverse=True)


def test_few_items_are_spread() -> None:
    """What one thread could carry at a time is still shared out evenly among all."""
    assert [size(50, 3, 30, handed) for handed in (0, 10, 20)] == [10, 10, 10]


def test_an_unknown_number() -> None:
    """Where nobody knows how much there is, shards are whole ones."""
    assert size(10, 4, None, 0) == 320
    assert size(50_000, 4, None, 0) == 50_000

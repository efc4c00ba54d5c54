"""What addresses ask for."""

from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from batchgen.journal import STATES, Mark, Selection
from batchgen.view.asked import Asked, read

TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).map(str.strip).filter(bool)
MARKS = st.builds(Mark, st.floats(0, 1e10), st.integers(1, 10**9))


@given(
    st.sampled_from(("all", *STATES)),
    TEXTS | st.just(""),
    TEXTS | st.just(""),
    st.dictionaries(TEXTS, TEXTS, max_size=3),
    st.none() | MARKS,
    st.booleans(),
)
def test_an_address_comes_back_as_it_was(
    state: str, model: str, text: str, axes: dict[str, str], mark: Mark | None, newer: bool
) -> None:
    """Whatever is asked for can be shared as an address, and read again."""
    asked = Asked(state, model, text, axes, mark, newer and mark is not None)  # type: ignore[arg-type]
    assert read(dict(parse_qsl(asked.query.removeprefix("?")))) == asked


@given(st.dictionaries(st.sampled_from(("state", "model", "q", "before", "after", "axis.", "axis.x")), st.text()))
def test_any_query_can_be_read(query: dict[str, str]) -> None:
    """What cannot be understood was not asked for; nothing raises."""
    assert read(query).state in {"all", *STATES}


def test_what_is_shown_first() -> None:
    """The wall begins with stored pictures of the manifest as it stands; the plain address asks for nothing."""
    assert read({}) == Asked()
    assert Asked().query == ""
    assert Asked().selection() == Selection(states=frozenset({"stored"}), standings=frozenset({"current"}))


def test_states() -> None:
    """All means every job of the manifest; a payment in doubt is shown though its job was replaced."""
    assert read({"state": "all"}).selection().states == frozenset()
    assert read({"state": "in_doubt"}).selection().standings == {"current", "replaced"}
    assert read({"state": "failed"}).selection().states == {"failed"}
    assert read({"state": "nonsense"}).state == "stored"


def test_another_state_begins_at_its_newest_page() -> None:
    """A tab keeps what was searched for, and leaves the page; the plain one keeps the state alone."""
    asked = Asked("failed", text="cat", mark=Mark(1.0, 2))
    assert asked.of("all") == Asked("all", text="cat")
    assert asked.plain == Asked("failed")
    assert asked.narrowed
    assert not Asked("failed").narrowed
